import type { ApiAccess } from "../../sandbox/index";
import type { Command } from "../command";
import { cloudApi } from "../engine/cloudApi";
import { describeResource } from "../engine/journal";
import type { EngineStack } from "../engine/stack";
import { deleteEmptyZones, zonesOf } from "../engine/zones";
import { Failure, usageFailure } from "../failure";
import { runSteps, type Step } from "../progress";
import { SESSION_OPTIONS, Session, withSession } from "../session";
import { askOnTerminal } from "../terminal";

export const command: Command = {
  name: "destroy",
  summary: "Deletes every resource of a stack.",
  details: `The default STACK is dev. If the stack has protected resources (in production: database hosts), nothing is
deleted without --unprotect. With --cloud, --unprotect asks for the stack's name first. A zone that the stack created
is deleted only if it has no records of others. The sandbox's API keeps running; npm stop stops it.`,
  positionals: ["[STACK]"],
  options: {
    ...SESSION_OPTIONS,
    unprotect: { type: "boolean", doc: "also delete protected resources, with the databases" },
    confirm: {
      type: "string",
      value: "STACK",
      doc: "the stack's name, for --cloud --unprotect without a terminal",
    },
  },
  run: async (args) => {
    const session = new Session(args);
    const unprotect = args.flag("unprotect");
    if (unprotect && session.cloud) await confirmName(session.stack, args.text("confirm"));
    return withSession("npm run destroy", session, async () => {
      const kept: string[] = [];
      const api = () => (session.cloud ? cloudApi() : session.api);
      await runSteps([
        ...session.preparation(),
        destroyStep(() => session.opened, { unprotect, api, onKept: (line) => kept.push(line) }),
      ]);
      if (kept.length > 0) process.stdout.write(`\n${kept.join("\n")}\n`);
      return 0;
    });
  },
};

/** Throws a Failure (exit code 2), before anything is done, unless the stack's name is typed or passed. */
async function confirmName(stack: string, given: string | undefined, ask = askOnTerminal()): Promise<void> {
  const question = `This deletes every resource of ${stack} in your account, with the databases. Type ${stack} to continue: `;
  const name = given ?? (ask === undefined ? undefined : (await ask(question)).trim());
  if (name === stack) return;
  throw usageFailure(
    name === undefined
      ? "--unprotect with --cloud asks for the stack's name, and there is no terminal to ask on"
      : `Expected the stack's name ${stack}, got "${name}". Nothing was deleted`,
    `To delete ${stack} with its databases, run: npm run destroy -- ${stack} --cloud --unprotect --confirm ${stack}`,
  );
}

interface DestroyOptions {
  readonly unprotect: boolean;
  /** The API that holds the stack's zone. */
  readonly api: () => ApiAccess | undefined;
  /** Receives a line for each zone that stays. */
  readonly onKept?: (line: string) => void;
}

/** Destroys a stack. In the sandbox it also removes the empty state. */
export function destroyStep(opened: () => EngineStack, options: DestroyOptions): Step {
  return {
    title: "Destroy",
    run: async (onProgress) => {
      const stack = opened();
      const stored = await stack.storedStack();
      const kept = stored.resources.filter(({ protect }) => protect);
      if (kept.length > 0 && !options.unprotect)
        throw protectedFailure(
          stack,
          kept.map(({ urn }) => urn),
        );
      if (kept.length > 0) await stack.unprotectAll();
      const journal = await stack.destroy({ onProgress });
      const api = options.api();
      const zones = api === undefined ? [] : await deleteEmptyZones(api, zonesOf(stored));
      for (const { zone, others } of zones) {
        if (others.length === 0) onProgress(`deleted the zone ${zone}`);
        else
          options.onKept?.(`The zone ${zone} stays, because it has records of others: ${others.join(", ")}`);
      }
      if (stack.target.kind === "sandbox") await stack.remove();
      return journal.summary;
    },
  };
}

function protectedFailure({ target }: EngineStack, urns: readonly string[]): Failure {
  const cloud = target.kind === "cloud" ? " --cloud" : "";
  return new Failure(
    `${target.stack} has protected resources, so nothing was deleted: ${urns.map(describeResource).join(", ")}`,
    { remedy: `To delete them too, run: npm run destroy -- ${target.stack}${cloud} --unprotect` },
  );
}
