import * as pulumi from "@pulumi/pulumi";
import { ConfigError } from "./config/configError";
import { ReleaseError } from "./releases/releaseError";
import { UserDataError } from "./userdata/userDataError";

/**
 * Converts wrong settings into a RunError, which Pulumi shows without a stack trace. Returns other errors unchanged.
 */
export function asRunError(error: unknown): unknown {
  const isFromSettings =
    error instanceof ConfigError || error instanceof UserDataError || error instanceof ReleaseError;
  return isFromSettings ? new pulumi.RunError(error.message) : error;
}

/** Calls a function, and throws wrong settings as a RunError. */
export function withRunErrors<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw asRunError(error);
  }
}
