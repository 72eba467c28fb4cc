// The command `digitalocean-sandbox`.
import { resolve } from "node:path";
import { OWN_CALLS } from "../calls";
import { Failure, usageFailure } from "../failure";
import { type Sandbox, sandboxAt } from "../sandbox";
import { lifecycleVerbs } from "./lifecycle";
import { runSandboxCommand } from "./run";

const EXIT_CODES = "0 done, 1 error, 2 wrong usage, 130 interrupted";
const INTERRUPTED = 130;
const DEFAULT_DIR = ".digitalocean-sandbox";

const controller = new AbortController();

/** After the first call, Ctrl-C lets running work end cleanly, and a second Ctrl-C ends this process at once. */
function interruption(): AbortSignal {
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(name, () => controller.abort());
  return controller.signal;
}

/** Runs the command and ends the process with its exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  process.exitCode = await run(argv);
  // process.exit would lose output that is still in the pipes of stdout and stderr, so they are flushed first.
  const streams = [process.stdout, process.stderr];
  await Promise.all(streams.map((stream) => new Promise((done) => stream.write("", done))));
  process.exit();
}

async function run(argv: readonly string[]): Promise<number> {
  try {
    const { sandbox, rest } = sandboxOf(argv);
    return await runSandboxCommand(sandbox, rest, {
      interruption,
      verbs: lifecycleVerbs(sandbox, interruption),
      exitCodes: EXIT_CODES,
    });
  } catch (error) {
    if (controller.signal.aborted) return INTERRUPTED;
    process.stderr.write(`${describe(error)}\n`);
    return error instanceof Failure ? error.exitCode : 1;
  }
}

/** Reads `--dir DIR` at the start, otherwise the variable, otherwise a folder in the current one. */
function sandboxOf(argv: readonly string[]): { sandbox: Sandbox; rest: readonly string[] } {
  const [first = "", second, ...others] = argv;
  const [, inline] = /^--dir=(.*)$/s.exec(first) ?? [];
  const isGiven = first === "--dir" || inline !== undefined;
  const given = inline ?? (isGiven ? second : process.env[OWN_CALLS.variables.dir] || DEFAULT_DIR);
  if (!given) throw usageFailure("--dir requires a value: --dir DIR");
  const rest = first === "--dir" ? others : isGiven ? argv.slice(1) : argv;
  return { sandbox: sandboxAt(resolve(given)), rest };
}

/** The message of a Failure, with its remedy. Any other error has its stack trace. */
function describe(error: unknown): string {
  if (!(error instanceof Failure))
    return `Error: ${error instanceof Error ? (error.stack ?? error.message) : error}`;
  const remedy = error.remedy === undefined ? "" : `\n${error.remedy.replace(/^/gm, "  ")}`;
  return `Error: ${error.message}${remedy}`;
}
