import type { CommandArguments, CommandSpec } from "./commandLine";

/** A command with its action. `run` returns the exit code, or throws a Failure. */
export interface Command extends CommandSpec {
  run(args: CommandArguments): Promise<number>;
}
