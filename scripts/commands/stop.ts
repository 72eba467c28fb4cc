import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { hasHosts, recordedPort, removeHosts, stopApi } from "../../sandbox/index";
import type { Command } from "../command";
import { STACK_OPTIONS } from "../commandLine";
import { endLeftoverEngines, needsRecovery, recoverStack } from "../engine/recovery";
import { storedStacks } from "../engine/stateFile";
import { Failure } from "../failure";
import { findHome, type Home } from "../home";
import { interruption } from "../interruption";
import { runSteps, type Step } from "../progress";
import { lockHome, Session } from "../session";
import { destroyStep } from "./destroy";

export const command: Command = {
  name: "stop",
  summary: "Takes the sandbox down: destroys every stack in it, stops the API, removes .secured-web.",
  details: "The Pulumi CLI stays in your cache folder for the next npm start.",
  options: {
    port: { ...STACK_OPTIONS.port, doc: "port of the sandbox's API (default: the port it was started on)" },
    force: {
      type: "boolean",
      doc: "stop the API and delete the state without destroying first (if destroy no longer works)",
    },
  },
  run: async (args) => {
    const home = findHome();
    if (!existsSync(home.dir)) {
      process.stdout.write(`Nothing to stop: ${home.dir} does not exist.
`);
      return 0;
    }
    const lock = lockHome(home, "npm stop");
    interruption.listen();
    try {
      const stacks = args.flag("force") ? [] : storedStacks(home);
      const session = new Session(args, { stack: stacks[0] ?? "dev", home, port: recordedPort(home) });
      await runSteps([
        ...(hasHosts(home) ? [removeHostsStep(home)] : []),
        ...(stacks.length > 0 ? session.preparation() : []),
        ...stacks.map((stack) => destroyStack(session, stack)),
        endEverything(home),
      ]);
    } finally {
      lock.release();
    }
    removeHome(home);
    return 0;
  },
};

/** This is the first step. After it, only records are left to destroy, so nothing boots while the sandbox stops. */
function removeHostsStep(home: Home): Step {
  return {
    title: "Switch off and remove the hosts",
    run: async () => {
      await stopApi(home);
      await removeHosts(home);
      return "hosts, networks and disks are removed";
    },
  };
}

function destroyStack(session: Session, stack: string): Step {
  return {
    title: `Destroy ${stack}`,
    run: async (report, signal) => {
      const opened = await session.open(stack);
      const { api } = session;
      if (api !== undefined && needsRecovery(session.home, stack)) await recoverStack(opened, api, report);
      try {
        return await destroyStep(() => opened, { unprotect: true, api: () => api }).run(report, signal);
      } catch (error) {
        if (!(error instanceof Failure) || interruption.signal.aborted) throw error;
        throw new Failure(error.message, {
          remedy: `${error.remedy ?? ""}\n${GIVE_UP}`.trim(),
          cause: error,
        });
      }
    },
  };
}

const GIVE_UP =
  "If it cannot be destroyed (for example because of a droplet in its VPC that you created yourself), delete the sandbox: npm stop -- --force";

function endEverything(home: Home): Step {
  return {
    title: "Stop the API",
    run: async (report) => {
      await endLeftoverEngines(home, report);
      const pids = await stopApi(home);
      for (const entry of madeByUs(home)) rmSync(join(home.dir, entry), { recursive: true, force: true });
      return pids.length === 0 ? "it was not running" : `stopped process ${pids.join(", ")}`;
    },
  };
}

/** The entries that the sandbox created. SECURED_WEB_HOME can be a folder that contains other files. */
function madeByUs(home: Home): string[] {
  const ours = new Set([
    ...["work", "state", "pulumi-home", "bin", "api", "hosts", "api.log", "api.json", "plugins.json"],
    ...["passphrase", "api-token", "datadog", "hosts-off"],
  ]);
  return readdirSync(home.dir).filter((entry) => ours.has(entry.replace(/\.(new|\d+)$/, "")));
}

function removeHome(home: Home): void {
  try {
    rmdirSync(home.dir);
  } catch (error) {
    if (!["ENOTEMPTY", "ENOENT"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}
