import type { Command } from "./command";
import { helpText, invocation, parseCommandLine } from "./commandLine";
import { describeError, exitCodeOf, usageFailure } from "./failure";
import { interruption } from "./interruption";

const COMMANDS: readonly string[] = [
  ...[
    "start",
    "stop",
    "preview",
    "up",
    "destroy",
    "outputs",
    "reboot",
    "refresh",
    "replace",
    "rotate",
    "revoke",
    "sandbox",
    "status",
  ],
  ...["shell", "exec", "logs"],
  ...["test", "verify", "bench", "chaos", "diagram", "docs", "policy", "policy:score"],
];

/** Loaded on demand: the Pulumi SDK takes most of a second to load, and `--help` and doctor do not need it. */
function load(name: string): Command {
  const file = name.replace(/:(.)/, (_, letter: string) => letter.toUpperCase());
  return (require(`./commands/${file}`) as { command: Command }).command;
}

/** Runs one command and ends the process with its exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  toleratePipes();
  const exitCode = await run(argv);
  // Does not call process.exit at once, because that would lose output in the pipes of stdout and stderr.
  process.exitCode = exitCode;
  await Promise.all(
    [process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write("", done))),
  );
  process.exit();
}

/**
 * Ctrl-C in `npm run up | tee log` ends tee as well, and each later write fails (EPIPE). The command then finishes as it
 * does without a pipe. Without this listener, the Pulumi SDK reports each failed write by another write, and never ends.
 */
function toleratePipes(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
}

async function run([name = "", ...args]: readonly string[]): Promise<number> {
  try {
    if (!COMMANDS.includes(name))
      throw usageFailure(`no command "${name}"`, `Commands: ${COMMANDS.join(", ")}.`);
    const command = load(name);
    const parsed = parseCommandLine(command, args);
    if (parsed === "help") {
      process.stdout.write(`${helpText(command)}\n`);
      return 0;
    }
    return await command.run(parsed);
  } catch (error) {
    if (interruption.signal.aborted) {
      process.stderr.write(`\nInterrupted. ${interruptedHint(name)}\n`);
      return interruption.exitCode;
    }
    process.stderr.write(`${describeError(error)}\n`);
    return exitCodeOf(error);
  }
}

function interruptedHint(name: string): string {
  return `Finished operations are recorded. To continue, run \`${invocation({ name, summary: "" })}\`.`;
}
