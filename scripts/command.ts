import type { CommandArguments, CommandSpec } from "./commandLine";

/** One npm script. `run` returns the exit code, or throws a Failure. */
export interface Command extends CommandSpec {
  run(args: CommandArguments): Promise<number>;
}
