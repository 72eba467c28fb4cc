import * as pulumi from "@pulumi/pulumi";
import { ConfigError } from "./config/configError";
import { UserDataError } from "./userdata/userDataError";

/** What to throw for an error: Pulumi shows a RunError without a stack trace, and wrong settings need none. */
export function asRunError(error: unknown): unknown {
  const isFromSettings = error instanceof ConfigError || error instanceof UserDataError;
  return isFromSettings ? new pulumi.RunError(error.message) : error;
}

/** Calls a function; wrong settings are thrown as a RunError. */
export function withRunErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw asRunError(error);
  }
}
