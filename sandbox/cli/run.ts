import { usageFailure } from "../failure";
import type { Sandbox } from "../sandbox";
import type { Command } from "./command";
import { type CommandFrame, helpText, parseCommandLine } from "./commandLine";
import { foreground } from "./foreground";
import { verbsOf } from "./verbs";

export interface CommandOptions {
  /** Starts listening for Ctrl-C, which then aborts the signal instead of ending the process. */
  readonly interruption: () => AbortSignal;
  /** Verbs in addition to the sandbox's own, or replacing them. */
  readonly verbs?: Readonly<Record<string, Command>>;
  /** The text about exit codes for the help. */
  readonly exitCodes: string;
}

/**
 * Runs `[VERB] ARGUMENTS` on a sandbox; without a verb, the API in the foreground. Returns the exit code, or throws a
 * Failure.
 */
export async function runSandboxCommand(
  sandbox: Sandbox,
  argv: readonly string[],
  { interruption, verbs: more = {}, exitCodes }: CommandOptions,
): Promise<number> {
  const verbs = { ...verbsOf(sandbox), ...more };
  const alone = foreground(sandbox, interruption, verbs);
  const { verb: call } = sandbox.calls;
  const frame: CommandFrame = {
    invocation: (spec) => (spec === alone ? call : `${call} ${spec.name}`),
    exitCodes,
  };
  const [first = "", ...rest] = argv;
  if (first === "" || first.startsWith("-")) return run(alone, argv, frame);
  const verb = verbs[first];
  if (verb === undefined)
    throw usageFailure(`sandbox: unknown verb "${first}"`, `Verbs: ${Object.keys(verbs).join(", ")}.`);
  return run(verb, rest, frame);
}

async function run(spec: Command, argv: readonly string[], frame: CommandFrame): Promise<number> {
  // A program's own --help belongs to the program.
  const parsed = spec.passThrough && argv[0] === "--help" ? "help" : parseCommandLine(spec, argv, frame);
  if (parsed !== "help") return spec.run(parsed);
  process.stdout.write(`${helpText(spec, frame)}\n`);
  return 0;
}
