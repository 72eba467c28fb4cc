import type { Command } from "../command";
import { apiPort, helpText, parseCommandLine, STACK_OPTIONS } from "../commandLine";
import { Failure, usageFailure } from "../failure";
import { findHome, makeHome } from "../home";
import { HOSTS_OPTION, hostsMode } from "../hosts/mode";
import { hasHosts, NPM_LOCK_FILE, prepareHosts } from "../hosts/prepare";
import { VERBS } from "../hosts/verbs";
import { interruption } from "../interruption";
import { portInUse, recordForeground, runningApi } from "../sandbox/daemon";
import { ensureDatadog } from "../sandbox/datadogAccess";
import { portIsFree } from "../sandbox/portUser";
import { ensureToken } from "../sandbox/secrets";

const verbList = Object.values(VERBS).map(
  ({ name, positionals = [], summary }) =>
    `  ${[name.replace("sandbox ", ""), ...positionals].join(" ").padEnd(30)}  ${summary}`,
);

/** Without a verb: the API alone. */
const alone: Command = {
  name: "sandbox",
  summary:
    "Runs the sandbox's DigitalOcean API in the foreground, for doctl, curl, an SDK or another program.",
  details:
    "Prints its address and a token that opens this sandbox alone. Ctrl-C stops it; the account is there again at the\n" +
    "next start, and npm start uses the same account. npm stop removes it.\n\n" +
    `With a verb it looks after the sandbox that runs (npm run sandbox -- VERB --help tells more):\n\n${verbList.join("\n")}`,
  options: {
    port: STACK_OPTIONS.port,
    hosts: {
      ...HOSTS_OPTION,
      doc: "droplets boot as hosts on this machine (default: off, unless there are hosts)",
    },
  },
  run: async (args) => {
    const home = findHome();
    const running = runningApi(home);
    if (running !== undefined) {
      throw new Failure(`The sandbox's API runs already: ${running.url} (process ${running.pid})`, {
        remedy: `Its token is in ${home.tokenFile}. npm stop ends it.`,
      });
    }
    const port = apiPort(args.text("port"));
    if (!(await portIsFree(port))) throw portInUse(port);
    makeHome(home);
    const token = ensureToken(home);
    interruption.listen();
    const host = await hostDriver(home, args.text("hosts"));
    const { startApi } = require("../../sandbox/api/server") as typeof import("../../sandbox/api/server");
    const { startKept } =
      require("../../sandbox/datadog/kept") as typeof import("../../sandbox/datadog/kept");
    ensureDatadog(home);
    const datadog = await startKept(home.datadogDir);
    const real = host && { host, observer: monitoring(host, datadog.port) };
    const api = await startApi({ stateDir: home.apiStateDir, port, token, ...real });
    const forget = recordForeground(home, { url: api.url, port, hosts: host !== undefined });
    process.stdout.write(`${greeting(api.url, token, home.tokenFile)}\n`);
    if (!interruption.signal.aborted)
      await new Promise((resolve) => interruption.signal.addEventListener("abort", resolve, { once: true }));
    forget();
    await api.close();
    await datadog.close();
    // Nobody is there to look after them; their disks stay, and they boot again with the next API.
    await host?.provider.stop();
    return 0;
  },
};

export const command: Command = {
  ...alone,
  passThrough: "verbs",
  run: async ({ positionals: argv }) => {
    const [first = "", ...rest] = argv;
    if (first === "" || first.startsWith("-")) return runParsed(alone, argv);
    const verb = VERBS[first];
    if (verb === undefined)
      throw usageFailure(`sandbox has no verb "${first}"`, `Verbs: ${Object.keys(VERBS).join(", ")}.`);
    return runParsed(verb, rest);
  },
};

async function runParsed(spec: Command, argv: readonly string[]): Promise<number> {
  // A program's own --help is the program's.
  const parsed = spec.passThrough && argv[0] === "--help" ? "help" : parseCommandLine(spec, argv);
  if (parsed !== "help") return spec.run(parsed);
  process.stdout.write(`${helpText(spec)}\n`);
  return 0;
}

const say = (line: string) => process.stdout.write(`${line}\n`);

/** Droplets as hosts in the foreground: where they are asked for, or there already. */
async function hostDriver(home: ReturnType<typeof findHome>, option: string | undefined) {
  const mode =
    option === undefined && !process.env.SECURED_WEB_HOSTS && !hasHosts(home)
      ? "off"
      : hostsMode(option, home);
  const decision = await prepareHosts(home, mode, say, interruption.signal);
  if (decision.kind === "records") {
    say(
      `droplets are records: ${decision.reason}${decision.remedy === undefined ? "" : `. ${decision.remedy}`}`,
    );
    return undefined;
  }
  const { Driver, PUBLISHED_PORTS } =
    require("../../sandbox/hosts/driver") as typeof import("../../sandbox/hosts/driver");
  return Driver.open({ dir: home.hostsDir, publish: PUBLISHED_PORTS, npmLockFile: NPM_LOCK_FILE, log: say });
}

function monitoring(driver: import("../../sandbox/hosts/driver").Driver, datadogPort: number) {
  const { HostMonitoring } =
    require("../../sandbox/monitoring/hostMonitoring") as typeof import("../../sandbox/monitoring/hostMonitoring");
  return new HostMonitoring(driver.provider, { datadogPort, log: say });
}

/** A token must not end up in a log: it is shown to a person at a terminal alone. */
function greeting(url: string, token: string, tokenFile: string): string {
  const shown = process.stdout.isTTY ? token : `$(cat '${tokenFile}')`;
  return [
    `DigitalOcean API v2 of the sandbox: ${url}`,
    process.stdout.isTTY ? `Token: ${token}  (kept in ${tokenFile})` : `Token: in ${tokenFile}`,
    "",
    `  curl -H "Authorization: Bearer ${shown}" ${url}/v2/account`,
    `  doctl --api-url ${url} --access-token "${shown}" compute droplet list`,
    `  export DIGITALOCEAN_API_URL=${url} DIGITALOCEAN_TOKEN="${shown}"   # Pulumi, Terraform`,
    "",
    "Ctrl-C stops it.",
  ].join("\n");
}
