// The verbs of `npm run sandbox -- VERB`: what an operator does with the sandbox that runs.
import type { Command } from "../command";
import { invocation } from "../commandLine";
import { Failure, usageFailure } from "../failure";
import { findHome } from "../home";
import { sandboxDatadog } from "../sandbox/datadogAccess";
import { metricsText, receivedMetrics, receivedSeries, seriesText } from "../sandbox/metrics";
import { findHost, openHosts } from "./access";
import { act, findDroplet, loadBalancers, requireApi } from "./account";
import { hasHosts } from "./prepare";
import { existingRoots } from "./site";
import { sandboxStatus } from "./status";
import { statusText } from "./statusText";

const operate = () => require("../../sandbox/hosts/operate") as typeof import("../../sandbox/hosts/operate");

const status: Command = {
  name: "sandbox status",
  summary: "hosts, roles, group members, backends, certificates",
  details: "What cannot be asked now (an API that does not run, a host that is off) is shown as such.",
  options: { json: { type: "boolean", doc: "print it as JSON" } },
  run: async (args) => {
    const found = await sandboxStatus(findHome());
    process.stdout.write(
      args.flag("json") ? `${JSON.stringify(found, undefined, 2)}\n` : `${statusText(found)}\n`,
    );
    return 0;
  },
};

const exec: Command = {
  name: "sandbox exec",
  summary: "runs a program on a host",
  details:
    "As root, with this terminal. The exit code is the program's. HOST: its name, the end of it, or its id.",
  positionals: ["HOST", "--", "CMD..."],
  passThrough: true,
  run: async ({ positionals: [wanted, ...rest] }) => {
    const command = rest[0] === "--" ? rest.slice(1) : rest;
    if (wanted === undefined || wanted === "--" || command.length === 0) throw missing(exec, "HOST and CMD");
    return operate().exec(await running(wanted), command);
  },
};

const shell: Command = {
  name: "sandbox shell",
  summary: "a login shell on a host, as root",
  positionals: ["HOST"],
  run: async ({ positionals: [wanted = ""] }) => operate().shell(await running(wanted)),
};

const logs: Command = {
  name: "sandbox logs",
  summary: "a host's journal, or one unit's",
  details: "The last 500 lines; of a host that is off, the end of its console.",
  positionals: ["HOST", "[UNIT]"],
  options: { follow: { type: "boolean", doc: "go on with what is logged from now on" } },
  run: async (args) => {
    const [wanted = "", unit] = args.positionals;
    const { host } = await findHost(await openHosts(findHome()), wanted);
    return operate().logs(host, unit, args.flag("follow"));
  },
};

const ACTIONS: Readonly<Record<string, string>> = { on: "power_on", off: "power_off", cycle: "power_cycle" };

const power: Command = {
  name: "sandbox power",
  summary: "on, off (cuts the power), cycle",
  details: "By the API, so that the account knows. It comes back when the machine has done it.",
  positionals: ["HOST", "on|off|cycle"],
  run: async ({ positionals: [wanted = "", word = ""] }) => {
    const type = ACTIONS[word];
    if (type === undefined) throw usageFailure(`power: must be on, off or cycle, got "${word}"`);
    const api = await requireApi(findHome());
    const droplet = await findDroplet(api, wanted);
    const isOn = droplet.status === "active";
    if (word !== "cycle" && isOn === (word === "on")) {
      process.stdout.write(`${droplet.name} is ${word} already.\n`);
      return 0;
    }
    await act(findHome(), api, droplet, { type });
    process.stdout.write(`${droplet.name}: ${type} is done.\n`);
    return 0;
  },
};

const curl: Command = {
  name: "sandbox curl",
  summary: "curl from a client outside, by the sandbox's own DNS",
  details:
    "Through the load balancer, as anybody on the internet: npm run sandbox -- curl https://www.dev.foobar.com/\n" +
    "Certificates that the sandbox's issuer signed are trusted. The exit code is curl's.",
  positionals: ["ARGS..."],
  passThrough: true,
  run: async ({ positionals: args }) => {
    if (args.length === 0) throw missing(curl, "ARGS");
    const home = findHome();
    return operate().curl(await openHosts(home), args, existingRoots(home));
  },
};

const HOPS = [
  "client            the client on the internet, to the load balancer",
  "balancer[:NAME]   the load balancer's private side, to the web hosts",
  "HOST              a host's private interface: to and between databases",
  "HOST:public       its public interface: packages, the monitoring agent",
  "services          DNS and metadata",
].join("\n  ");

const capture: Command = {
  name: "sandbox capture",
  summary: "tcpdump on a hop",
  details: `Until Ctrl-C. What follows HOP is tcpdump's: -c 10, -w FILE, -A, port 3306 ...\n\nHops:\n  ${HOPS}`,
  positionals: ["HOP", "[FLAGS...]"],
  passThrough: true,
  run: async ({ positionals: [word, ...flags] }) => {
    if (word === undefined) throw missing(capture, "HOP");
    const instance = await openHosts(findHome());
    return operate().capture(instance, await hopOf(instance, word), flags);
  },
};

const metrics: Command = {
  name: "sandbox metrics",
  summary: "what the stand-in of Datadog has received",
  details:
    "The names of all metrics, or one metric's series with their tags and last values. Hosts send them where the stack\n" +
    "has the agent: npm start -- --config monitoring=datadog. It keeps two hours, for as long as the API runs.",
  positionals: ["[NAME]"],
  options: { json: { type: "boolean", doc: "print it as JSON" } },
  run: async (args) => {
    const home = findHome();
    const access = sandboxDatadog(home);
    if (access === undefined)
      throw new Failure("The sandbox's API does not run, and the stand-in of Datadog with it", {
        remedy: "npm start -- --config monitoring=datadog starts both.",
      });
    const [name] = args.positionals;
    const json = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;
    if (name === undefined) {
      const all = await receivedMetrics(access);
      if (all.length === 0 && !args.flag("json")) throw nothingReceived(hasHosts(home));
      process.stdout.write(args.flag("json") ? json(all) : `${metricsText(all)}\n`);
      return 0;
    }
    const series = await receivedSeries(access, name);
    if (series.length === 0)
      throw new Failure(`No metric ${name} has been received`, {
        remedy: "npm run sandbox -- metrics lists those that have.",
      });
    process.stdout.write(args.flag("json") ? json(series) : `${seriesText(name, series)}\n`);
    return 0;
  },
};

function nothingReceived(isOnHosts: boolean): Failure {
  return new Failure("Nothing has been received", {
    remedy: isOnHosts
      ? "Has the stack an agent? npm start -- --config monitoring=datadog"
      : "Droplets are records here, which send nothing; hosts do, on Linux with root (npm run doctor).",
  });
}

export const VERBS: Readonly<Record<string, Command>> = {
  status,
  exec,
  shell,
  logs,
  power,
  curl,
  capture,
  metrics,
};

function missing(verb: Command, what: string): Failure {
  const name = verb.name.replace("sandbox ", "");
  return usageFailure(`${name} needs ${what}`, `Usage: ${invocation(verb)} ${verb.positionals?.join(" ")}`);
}

async function running(wanted: string) {
  const { name, host } = await findHost(await openHosts(findHome()), wanted);
  if ((await host.init()) !== undefined) return host;
  throw new Failure(`${name} is off`, {
    remedy: `npm run sandbox -- power ${name} on; npm run sandbox -- logs ${name} shows its last words.`,
  });
}

async function hopOf(
  instance: import("../../sandbox/hosts/instance").Instance,
  word: string,
): Promise<import("../../sandbox/hosts/operate").Hop> {
  const [place = "", detail] = word.split(":");
  if (place === "client" || place === "services") return { at: place };
  if (place === "balancer") return { at: "balancer", balancerId: await balancerId(detail), side: "private" };
  if (detail !== undefined && detail !== "public" && detail !== "private")
    throw usageFailure(`capture: no hop "${word}"`, `Hops:\n${HOPS}`);
  const { host } = await findHost(instance, place);
  return { at: "droplet", dropletId: host.dropletId, side: detail ?? "private" };
}

async function balancerId(name: string | undefined): Promise<string> {
  const all = await loadBalancers(await requireApi(findHome()));
  const found = all.filter((one) => name === undefined || one.name === name);
  const [one] = found;
  if (one !== undefined && found.length === 1) return one.id;
  const names = all.map((other) => other.name).join(", ");
  throw usageFailure(
    one === undefined
      ? `There is no load balancer${name ? ` "${name}"` : ""}`
      : "There are several load balancers",
    names === ""
      ? "There is none at all: npm start"
      : `Load balancers: ${names}; as in balancer:${all[0]?.name}.`,
  );
}
