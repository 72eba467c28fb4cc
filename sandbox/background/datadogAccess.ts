import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { type DatadogAccess, readAccess, writeAccess } from "../datadog/access";
import type { Sandbox } from "../sandbox";

/**
 * The keys of the sandbox's stand-in of Datadog, made where there are none, in the form of real ones (32 and 40
 * hexadecimal digits); they open nothing else. In a file for its owner alone, which the API's process reads.
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

/** The sandbox's stand-in; undefined where none has been started. It runs as long as the sandbox's API does. */
export function sandboxDatadog(sandbox: Sandbox): DatadogAccess | undefined {
  const access = readAccess(sandbox.datadogDir);
  return access === undefined || access.url === "" ? undefined : access;
}
