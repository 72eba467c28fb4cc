import type { Command } from "../command";
import { describeWarnings } from "../engine/report";
import { runSteps, type Step } from "../progress";
import { SESSION_OPTIONS, Session, withSession } from "../session";

export const command: Command = {
  name: "up",
  summary: "Creates or updates a stack: a preview with the policies first, then the update.",
  details:
    "STACK is dev where none is given. Works on the sandbox, whose API is started where it does not run.\n" +
    "A policy's refusal comes before the first change. Safe to repeat: nothing changes the second time.",
  positionals: ["[STACK]"],
  options: SESSION_OPTIONS,
  run: (args) => runUp("npm run up", new Session(args)),
};

/** The whole of an update, for `up` and `start`. */
export function runUp(name: string, session: Session): Promise<number> {
  return withSession(name, session, async () => {
    await runSteps([...session.preparation(), ...updateSteps(session)]);
    await printOutputs(session);
    return 0;
  });
}

/** Preview with the policies, then update. */
export function updateSteps(session: Session, replace: () => readonly string[] = () => []): Step[] {
  return [
    {
      title: "Preview with the policies",
      run: async (onProgress) => {
        // A log gets each resource once, from the update below.
        const onResource = process.stdout.isTTY ? onProgress : () => {};
        const journal = await session.opened.preview({ onProgress: onResource, replace: replace() });
        for (const line of describeWarnings(journal)) onProgress(line);
        return journal.summary;
      },
    },
    {
      title: "Update",
      run: async (onProgress) => (await session.opened.up({ onProgress, replace: replace() })).summary,
    },
  ];
}

export async function printOutputs(session: Session): Promise<void> {
  process.stdout.write(
    `\nOutputs of ${session.stack}:\n${(await session.opened.outputs(false)).trimEnd()}\n`,
  );
}
