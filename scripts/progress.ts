import { Listr, type ListrRenderer, type ListrTask, type ListrTaskWrapper } from "listr2";
import { interruption } from "./interruption";

/**
 * A long step. `run` can report lines while it works, and returns its result in a few words. `signal` aborts if the
 * command is interrupted, or a parallel step fails.
 */
export interface Step {
  readonly title: string;
  run(report: (line: string) => void, signal: AbortSignal): Promise<string>;
}

/** Independent steps that run in parallel. */
export interface Together {
  readonly title: string;
  readonly together: readonly Step[];
}

/**
 * Runs steps one after another, and those of a Together in parallel. It shows them live in a terminal, and as plain
 * lines in a log. The first error stops the run and is thrown unchanged, after the parallel steps have ended. The
 * caller prints it.
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
      // Lines of several steps alternate, so each names its step.
      const start = (one: Step) =>
        group.run((signal) => runOne(one, (line) => print(`  ${one.title}: ${line}`), signal));
      await group.ended(Promise.all(step.together.map(start)));
    } else await runOne(step, (line) => print(`  ${line}`), interruption.signal);
  }
}

/** Parallel steps: the first failure aborts the others. */
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

  /** Settles like `whole`, after everything has ended. */
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
    // interruption.ts handles signals.
    registerSignalListeners: false,
    renderer: "default",
    rendererOptions: { showErrorMessage: false, collapseErrors: false, collapseSubtasks: false },
  });
  await group.ended(list.run());
}
