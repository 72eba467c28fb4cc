import { Listr, type ListrRenderer, type ListrTaskWrapper } from "listr2";

/** A long step. `run` may report lines while it works, and gives what became of it in a few words. */
export interface Step {
  readonly title: string;
  run(report: (line: string) => void): Promise<string>;
}

/**
 * Runs steps one after another and shows them: live in a terminal, as plain lines in a log.
 * The first error ends it and is thrown as it is; its text is for the caller to print.
 */
export function runSteps(steps: readonly Step[]): Promise<void> {
  return process.stdout.isTTY ? runLive(steps) : runPlain(steps);
}

async function runPlain(steps: readonly Step[]): Promise<void> {
  const print = (line: string) => process.stdout.write(`${line}\n`);
  for (const { title, run } of steps) {
    print(`- ${title}`);
    try {
      print(`✔ ${title}: ${await run((line) => print(`  ${line}`))}`);
    } catch (error) {
      print(`✖ ${title}`);
      throw error;
    }
  }
}

type Wrapper = Pick<
  ListrTaskWrapper<unknown, typeof ListrRenderer, typeof ListrRenderer>,
  "title" | "output"
>;

async function runLive(steps: readonly Step[]): Promise<void> {
  const tasks = steps.map(({ title, run }) => ({
    title,
    task: async (_: unknown, task: Wrapper) => {
      const result = await run((line) => {
        task.output = line;
      });
      task.title = `${title}: ${result}`;
    },
  }));
  await new Listr(tasks, {
    // Signals are ours: see interruption.ts.
    registerSignalListeners: false,
    renderer: "default",
    rendererOptions: { showErrorMessage: false, collapseErrors: false },
  }).run();
}
