import type { Command } from "../command";
import { describeResource } from "../engine/journal";
import type { EngineStack } from "../engine/stack";
import { Failure, usageFailure } from "../failure";
import { runSteps, type Step } from "../progress";
import { SESSION_OPTIONS, Session, withSession } from "../session";

export const command: Command = {
  name: "destroy",
  summary: "Deletes every resource of a stack.",
  details:
    "STACK is dev where none is given. A stack with protected resources (production's database hosts and zone) is\n" +
    "refused before anything is deleted. The sandbox's API keeps running; npm stop ends it.",
  positionals: ["[STACK]"],
  options: {
    ...SESSION_OPTIONS,
    unprotect: { type: "boolean", doc: "delete protected resources too (sandbox alone)" },
  },
  run: (args) => {
    const session = new Session(args);
    const unprotect = args.flag("unprotect");
    if (unprotect && session.cloud) {
      throw usageFailure(
        "--unprotect is for the sandbox alone",
        "In a real account set secured-web:database.protect to false, run up, then destroy.",
      );
    }
    return withSession("npm run destroy", session, async () => {
      await runSteps([...session.preparation(), destroyStep(() => session.opened, unprotect)]);
      return 0;
    });
  },
};

/** Destroys a stack; in the sandbox its empty state goes too. */
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
    `${target.stack} holds protected resources, and nothing was deleted: ${urns.map(describeResource).join(", ")}`,
    {
      remedy:
        target.kind === "sandbox"
          ? `Delete them too: npm run destroy -- ${target.stack} --unprotect`
          : "Set secured-web:database.protect to false, run up, then destroy.",
    },
  );
}
