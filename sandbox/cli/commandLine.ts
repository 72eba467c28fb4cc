import { type ParseArgsConfig, parseArgs } from "node:util";
import { usageFailure } from "../failure";

export interface OptionSpec {
  readonly type: "boolean" | "string";
  readonly multiple?: boolean;
  /** The placeholder for the value in the help text. */
  readonly value?: string;
  readonly doc: string;
}

export interface CommandSpec {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** Further help: what the command does, and what it keeps. */
  readonly details?: string;
  /** Names of the arguments, in order; one in brackets is optional, and a last one that ends in "..." takes the rest. */
  readonly positionals?: readonly string[];
  /** All arguments are passed on unchanged. With "verbs", also --help, because it belongs to the verb. */
  readonly passThrough?: boolean | "verbs";
  readonly options?: Readonly<Record<string, OptionSpec>>;
}

export interface CommandArguments {
  readonly positionals: readonly string[];
  flag(name: string): boolean;
  text(name: string): string | undefined;
  texts(name: string): readonly string[];
}

/** The parts of help texts and errors that depend on the surrounding program. */
export interface CommandFrame {
  /** How a command is called: `digitalocean-sandbox exec`. */
  invocation(spec: CommandSpec): string;
  /** "0 done, 1 error, ..." */
  readonly exitCodes: string;
}

const HELP: OptionSpec = { type: "boolean", doc: "print this text" };

/** The text of `--help`. */
export function helpText(spec: CommandSpec, frame: CommandFrame): string {
  const options = Object.entries({ ...spec.options, help: HELP });
  const names = options.map(([name, { value }]) => `--${name}${value === undefined ? "" : ` ${value}`}`);
  const width = Math.max(...names.map((name) => name.length));
  const lines = options.map(([, { doc }], i) => `  ${(names[i] ?? "").padEnd(width)}  ${doc}`);
  const usage = [frame.invocation(spec), ...(spec.positionals ?? []), "[options]"].join(" ");
  return [
    `${usage}\n\n${spec.summary}`,
    spec.details,
    `Options:\n${lines.join("\n")}`,
    `Exit codes: ${frame.exitCodes}.`,
  ]
    .filter((part) => part !== undefined)
    .join("\n\n");
}

/**
 * Parses a command's arguments. Returns "help" if help was requested. Throws a Failure (exit code 2) that says what
 * is wrong and what is allowed.
 */
export function parseCommandLine(
  spec: CommandSpec,
  argv: readonly string[],
  frame: CommandFrame,
): CommandArguments | "help" {
  if (spec.passThrough === "verbs") return rawArguments(argv);
  if (spec.passThrough) return argv.includes("--help") ? "help" : rawArguments(argv);
  const { values, positionals, tokens } = parseArgs({
    args: [...argv],
    options: parserOptions({ ...spec.options, help: HELP }),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  if (values.help === true) return "help";
  for (const token of tokens) if (token.kind === "option") refuseWrongOption(spec, token);
  refuseWrongCount(spec, positionals, frame);
  return {
    positionals,
    flag: (name) => values[name] === true,
    text: (name) => (typeof values[name] === "string" ? values[name] : undefined),
    texts: (name) => {
      const value = values[name];
      return Array.isArray(value) ? value.map(String) : value === undefined ? [] : [String(value)];
    },
  };
}

function rawArguments(argv: readonly string[]): CommandArguments {
  return { positionals: argv, flag: () => false, text: () => undefined, texts: () => [] };
}

function parserOptions(
  options: Readonly<Record<string, OptionSpec>>,
): NonNullable<ParseArgsConfig["options"]> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { type, multiple }]) => [
      name,
      { type, multiple: multiple ?? false },
    ]),
  );
}

function refuseWrongOption(
  spec: CommandSpec,
  token: { name: string; rawName: string; value: string | undefined },
): void {
  const option = spec.options?.[token.name];
  if (option === undefined) {
    const allowed = [...Object.keys(spec.options ?? {}), "help"].map((name) => `--${name}`).join(", ");
    throw usageFailure(`${spec.name}: unknown option ${token.rawName}`, `Allowed: ${allowed}.`);
  }
  if (option.type === "string" && !token.value) {
    throw usageFailure(`${token.rawName} requires a value: ${token.rawName} ${option.value ?? "VALUE"}`);
  }
  if (option.type === "boolean" && token.value !== undefined) {
    throw usageFailure(`${token.rawName} does not take a value`);
  }
}

function refuseWrongCount(spec: CommandSpec, positionals: readonly string[], frame: CommandFrame): void {
  const names = spec.positionals ?? [];
  const required = names.filter((name) => !name.startsWith("["));
  const usage = `Usage: ${[frame.invocation(spec), ...names, "[options]"].join(" ")}`;
  if (positionals.length < required.length) {
    throw usageFailure(`${spec.name} needs ${required.slice(positionals.length).join(" and ")}`, usage);
  }
  const extra = names.at(-1)?.endsWith("...") ? [] : positionals.slice(names.length);
  if (extra.length > 0) {
    throw usageFailure(`${spec.name} does not take ${extra.map((word) => `"${word}"`).join(", ")}`, usage);
  }
}
