import type { Command } from "../command";
import { describeResource } from "../engine/journal";
import type { EngineStack } from "../engine/stack";
import { Failure, usageFailure } from "../failure";
import { runSteps, type Step } from "../progress";
import { SESSION_OPTIONS, Session, withSession } from "../session";

export const command: Command = {
  name: "destroy",
  summary: "Deletes every resource of a stack.",
  details: `The default STACK is dev. If the stack has protected resources (in production: database hosts and zone), nothing
is deleted. The sandbox's API keeps running; npm stop stops it.`,
  positionals: ["[STACK]"],
  options: {
    ...SESSION_OPTIONS,
    unprotect: { type: "boolean", doc: "also delete protected resources (sandbox only)" },
  },
  run: (args) => {
    const session = new Session(args);
    const unprotect = args.flag("unprotect");
    if (unprotect && session.cloud) {
      throw usageFailure(
        "--unprotect only works in the sandbox",
        "In a real account, set secured-web:database.protect to false, run up, then destroy.",
      );
    }
    return withSession("npm run destroy", session, async () => {
      await runSteps([...session.preparation(), destroyStep(() => session.opened, unprotect)]);
      return 0;
    });
  },
};

/** Destroys a stack. In the sandbox it also removes the empty state. */
export function destroyStep(opened: () => EngineStack, unprotect: boolean): Step {
  return {
    title: "Destroy",
    run: async (onProgress) => {
      const stack = opened();
      const { resources } = await stack.storedStack();
      const kept = resources.filter(({ protect }) => protect);
      if (kept.length > 0 && !unprotect)
        throw protectedFailure(
          stack,
          kept.map(({ urn }) => urn),
        );
      if (kept.length > 0) await stack.unprotectAll();
      const journal = await stack.destroy({ onProgress });
      if (stack.target.kind === "sandbox") await stack.remove();
      return journal.summary;
    },
  };
}

function protectedFailure({ target }: EngineStack, urns: readonly string[]): Failure {
  return new Failure(
    `${target.stack} has protected resources, so nothing was deleted: ${urns.map(describeResource).join(", ")}`,
    {
      remedy:
        target.kind === "sandbox"
          ? `To delete them too, run: npm run destroy -- ${target.stack} --unprotect`
          : "Set secured-web:database.protect to false, run up, then destroy.",
    },
  );
}
