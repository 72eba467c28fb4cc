import {
  type CommandArguments,
  type CommandFrame,
  type CommandSpec,
  helpText as helpTextOf,
  hostsOption,
  type OptionSpec,
  parseCommandLine as parse,
  portOption,
} from "../sandbox/index";
import { EXIT_CODE_HELP, usageFailure } from "./failure";
import { NPM_CALLS, projectStacks } from "./home";

export type { CommandArguments, CommandSpec } from "../sandbox/index";

/**
 * How a command is called: `npm run preview -- [STACK]`, `npm run sandbox -- exec HOST`; for `start`, `stop` and
 * `test` npm needs no `run`.
 */
export function invocation(spec: CommandSpec): string {
  const [name = "", ...verb] = spec.name.split(" ");
  const npm = ["start", "stop", "test"].includes(name) ? `npm ${name}` : `npm run ${name}`;
  if (verb.length > 0) return [npm, "--", ...verb].join(" ");
  const hasArguments = spec.positionals !== undefined || spec.options !== undefined || spec.passThrough;
  return hasArguments ? `${npm} --` : npm;
}

const FRAME: CommandFrame = { invocation, exitCodes: EXIT_CODE_HELP };

/** The text of `--help`. */
export function helpText(spec: CommandSpec): string {
  return helpTextOf(spec, FRAME);
}

/**
 * Parses a command's arguments. Returns "help" if help was requested. Throws a Failure (exit code 2) that says what
 * is wrong and what is allowed.
 */
export function parseCommandLine(spec: CommandSpec, argv: readonly string[]): CommandArguments | "help" {
  return parse(spec, argv, FRAME);
}

/** The stack on the command line; default `dev`. Throws a Failure that lists the project's stacks. */
export function stackArgument(
  given: string | undefined,
  stacks: readonly string[] = projectStacks(),
): string {
  const stack = given ?? "dev";
  if (stacks.includes(stack)) return stack;
  throw usageFailure(
    `Unknown stack "${stack}"`,
    `Stacks: ${stacks.join(", ")}. To add one, create Pulumi.${stack}.yaml; Pulumi.dev.yaml is an example.`,
  );
}

/** Options of all commands that work on a stack. */
export const STACK_OPTIONS = {
  cloud: {
    type: "boolean",
    doc: "use the real DigitalOcean account: your Pulumi login, DIGITALOCEAN_TOKEN and official plugins",
  },
  config: {
    type: "string",
    multiple: true,
    value: "KEY=VALUE",
    doc: "a setting for this run only, such as secured-web:web.count=3 (repeatable)",
  },
  port: portOption(NPM_CALLS),
} as const satisfies Record<string, OptionSpec>;

/** Options of commands that create droplets. */
export const HOSTS_OPTION = hostsOption(NPM_CALLS);
