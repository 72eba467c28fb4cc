import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { type DatadogAccess, readAccess, writeAccess } from "../datadog/access";
import type { Sandbox } from "../sandbox";

/**
 * The keys of the sandbox's Datadog stand-in, generated in the format of real ones (32 and 40 hexadecimal digits) if
 * there are none. They are in a file that only its owner can read, for the API's process.
 */
export function ensureDatadog(sandbox: Sandbox): DatadogAccess {
  const known = readAccess(sandbox.datadogDir);
  if (known !== undefined) return known;
  mkdirSync(sandbox.datadogDir, { recursive: true, mode: 0o700 });
  const made = {
    url: "",
    apiKey: randomBytes(16).toString("hex"),
    appKey: randomBytes(20).toString("hex"),
  };
  writeAccess(sandbox.datadogDir, made);
  return made;
}

/** The sandbox's stand-in; undefined if none was started. It runs while the sandbox's API runs. */
export function sandboxDatadog(sandbox: Sandbox): DatadogAccess | undefined {
  const access = readAccess(sandbox.datadogDir);
  return access === undefined || access.url === "" ? undefined : access;
}
