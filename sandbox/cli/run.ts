import { usageFailure } from "../failure";
import type { Sandbox } from "../sandbox";
import type { Command } from "./command";
import { type CommandFrame, helpText, parseCommandLine } from "./commandLine";
import { foreground } from "./foreground";
import { verbsOf } from "./verbs";

export interface CommandOptions {
  /** Begins to listen for Ctrl-C, which from then on aborts the signal and no longer ends the process. */
  readonly interruption: () => AbortSignal;
  /** Verbs beside the sandbox's own, or in their place. */
  readonly verbs?: Readonly<Record<string, Command>>;
  /** What the help text says of exit codes. */
  readonly exitCodes: string;
}

/** Runs `[VERB] ARGUMENTS` on a sandbox: without a verb the API in the foreground. Gives the exit code, or throws a Failure. */
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
    throw usageFailure(`sandbox has no verb "${first}"`, `Verbs: ${Object.keys(verbs).join(", ")}.`);
  return run(verb, rest, frame);
}

async function run(spec: Command, argv: readonly string[], frame: CommandFrame): Promise<number> {
  // A program's own --help is the program's.
  const parsed = spec.passThrough && argv[0] === "--help" ? "help" : parseCommandLine(spec, argv, frame);
  if (parsed !== "help") return spec.run(parsed);
  process.stdout.write(`${helpText(spec, frame)}\n`);
  return 0;
}
