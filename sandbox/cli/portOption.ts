import type { Calls } from "../calls";
import type { OptionSpec } from "./commandLine";

/** `--port`, for a command that starts an API. */
export function portOption({ variables }: Calls): OptionSpec {
  return {
    type: "string",
    value: "PORT",
    doc: `port of the sandbox's API (default: ${variables.port}, or 8089)`,
  };
}
