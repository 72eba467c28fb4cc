import { Listr, type ListrRenderer, type ListrTask, type ListrTaskWrapper } from "listr2";
import { interruption } from "./interruption";

/**
 * A long step. `run` may report lines while it works, and gives what became of it in a few words. `signal` aborts when
 * the command is interrupted, and when a step beside it fails.
 */
export interface Step {
  readonly title: string;
  run(report: (line: string) => void, signal: AbortSignal): Promise<string>;
}

/** Steps that do not depend on each other and run side by side. */
export interface Together {
  readonly title: string;
  readonly together: readonly Step[];
}

/**
 * Runs steps one after another, those of a Together side by side, and shows them: live in a terminal, as plain lines in
 * a log. The first error ends it and is thrown as it is, when what runs beside it has ended; its text is for the caller
 * to print.
 */
export function runSteps(steps: readonly (Step | Together)[]): Promise<void> {
  return process.stdout.isTTY ? runLive(steps) : runPlain(steps);
}

/** Runs them and shows nothing. */
export function runQuietly(steps: readonly (Step | Together)[]): Promise<void> {
  return runPlain(steps, () => {});
}

async function runPlain(
  steps: readonly (Step | Together)[],
  print = (line: string): void => void process.stdout.write(`${line}\n`),
): Promise<void> {
  const runOne = async ({ title, run }: Step, report: (line: string) => void, signal: AbortSignal) => {
    print(`- ${title}`);
    try {
      print(`✔ ${title}: ${await run(report, signal)}`);
    } catch (error) {
      print(`✖ ${title}`);
      throw error;
    }
  };
  for (const step of steps) {
    if ("together" in step) {
      const group = new Group();
      // Lines of several steps alternate: each says whose it is.
      const start = (one: Step) =>
        group.run((signal) => runOne(one, (line) => print(`  ${one.title}: ${line}`), signal));
      await group.ended(Promise.all(step.together.map(start)));
    } else await runOne(step, (line) => print(`  ${line}`), interruption.signal);
  }
}

/** What runs side by side: the first failure aborts the others. */
class Group {
  readonly #failed = new AbortController();
  readonly #running: Promise<unknown>[] = [];

  run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const running = work(AbortSignal.any([this.#failed.signal, interruption.signal])).catch(
      (error: unknown) => {
        this.#failed.abort(error);
        throw error;
      },
    );
    this.#running.push(running);
    return running;
  }

  /** Settles as `whole`, once everything has ended. */
  ended<T>(whole: Promise<T>): Promise<T> {
    return whole.finally(() => Promise.allSettled(this.#running));
  }
}

type Wrapper = Pick<
  ListrTaskWrapper<unknown, typeof ListrRenderer, typeof ListrRenderer>,
  "title" | "output"
>;

async function runLive(steps: readonly (Step | Together)[]): Promise<void> {
  const group = new Group();
  const live = ({ title, run }: Step): ListrTask => ({
    title,
    task: (_: unknown, task: Wrapper) =>
      group.run(async (signal) => {
        const report = (line: string) => {
          task.output = line;
        };
        task.title = `${title}: ${await run(report, signal)}`;
      }),
  });
  const tasks = steps.map((step): ListrTask => {
    if (!("together" in step)) return live(step);
    return {
      title: step.title,
      task: (_, task) => task.newListr(step.together.map(live), { concurrent: true }),
    };
  });
  const list = new Listr(tasks, {
    // Signals are ours: see interruption.ts.
    registerSignalListeners: false,
    renderer: "default",
    rendererOptions: { showErrorMessage: false, collapseErrors: false, collapseSubtasks: false },
  });
  await group.ended(list.run());
}
