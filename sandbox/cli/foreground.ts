import { greeting } from "../api/greeting";
import { apiPort } from "../background/apiPort";
import { demandUsable, recordForeground, runningApi } from "../background/daemon";
import { ensureDatadog } from "../background/datadogAccess";
import { portIsFree } from "../background/ports";
import { ensureToken } from "../background/token";
import { Failure } from "../failure";
import { makeSandboxFolder, type Sandbox } from "../sandbox";
import type { Command } from "./command";
import { hostsChoiceOption, wantsHosts } from "./hostsChoice";
import { portOption } from "./portOption";

const say = (line: string) => process.stdout.write(`${line}\n`);

/** The command without a verb: runs only the API, until Ctrl-C. `interruption` starts listening for Ctrl-C. */
export function foreground(
  sandbox: Sandbox,
  interruption: () => AbortSignal,
  verbs: Readonly<Record<string, Command>>,
): Command {
  const { calls } = sandbox;
  const verbList = Object.values(verbs).map(
    ({ name, positionals = [], summary }) => `  ${[name, ...positionals].join(" ").padEnd(30)}  ${summary}`,
  );
  return {
    name: "sandbox",
    summary:
      "Runs the sandbox's DigitalOcean API in the foreground, for doctl, curl, an SDK or another program.",
    details:
      "Prints its address and a token that is only valid for this sandbox. Ctrl-C stops it. The account stays for the\n" +
      `next start, and ${calls.start} uses the same account. ${calls.remove} removes it.\n\n` +
      `With a verb, it works on the running sandbox (for details: ${calls.verb} VERB --help):\n\n${verbList.join("\n")}`,
    options: { port: portOption(calls), hosts: hostsChoiceOption(calls) },
    run: async (args) => {
      const running = runningApi(sandbox);
      if (running !== undefined) {
        throw new Failure(`The sandbox's API is already running: ${running.url} (process ${running.pid})`, {
          remedy: `Its token is in ${sandbox.tokenFile}. To stop it, run ${calls.stop}.`,
        });
      }
      const port = apiPort(args.text("port"), sandbox);
      await demandUsable(port, portIsFree, sandbox);
      makeSandboxFolder(sandbox);
      const token = ensureToken(sandbox);
      const signal = interruption();
      const isHosts = await wantsHosts(sandbox, args.text("hosts"), say, signal);
      ensureDatadog(sandbox);
      const { runAccount } = await import("../api/account.ts");
      const account = await runAccount({
        stateDir: sandbox.apiStateDir,
        port,
        token,
        datadogDir: sandbox.datadogDir,
        spaces: { dir: sandbox.spacesDir, port: 0 },
        ...(isHosts ? { hosts: { dir: sandbox.hostsDir, npmLockFile: sandbox.npmLockFile } } : {}),
        log: say,
      });
      const forget = recordForeground(sandbox, { url: account.url, port, hosts: isHosts });
      const shown = process.stdout.isTTY ? token : undefined;
      say(
        greeting(
          "DigitalOcean API v2 of the sandbox",
          account.url,
          sandbox.tokenFile,
          "Ctrl-C stops it.",
          shown,
          account.spacesUrl,
        ),
      );
      if (!signal.aborted)
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      forget();
      await account.close();
      // Without the API, no process manages the hosts.
      await account.stopHosts();
      return 0;
    },
  };
}
