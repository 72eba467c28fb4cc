import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { type DatadogAccess, readAccess, writeAccess } from "../../sandbox/datadog/kept";
import type { Home } from "../home";

export type { DatadogAccess } from "../../sandbox/datadog/kept";

/**
 * The keys of the sandbox's stand-in of Datadog, made where there are none, in the form of real ones (32 and 40
 * hexadecimal digits); they open nothing else. In a file for its owner alone, which the API's process reads.
 */
export function ensureDatadog(home: Home): DatadogAccess {
  const known = readAccess(home.datadogDir);
  if (known !== undefined) return known;
  mkdirSync(home.datadogDir, { recursive: true, mode: 0o700 });
  const made = {
    url: "",
    apiKey: randomBytes(16).toString("hex"),
    appKey: randomBytes(20).toString("hex"),
  };
  writeAccess(home.datadogDir, made);
  return made;
}

/** The sandbox's stand-in; undefined where none has been started. It runs as long as the sandbox's API does. */
export function sandboxDatadog(home: Home): DatadogAccess | undefined {
  const access = readAccess(home.datadogDir);
  return access === undefined || access.url === "" ? undefined : access;
}

/** The real one, by the variables that Datadog's own tools read; undefined where a key is missing. */
export function cloudDatadog(env: NodeJS.ProcessEnv = process.env): DatadogAccess | undefined {
  const apiKey = env.DD_API_KEY || env.DATADOG_API_KEY;
  const appKey = env.DD_APP_KEY || env.DATADOG_APP_KEY;
  if (!apiKey || !appKey) return undefined;
  const url = env.DATADOG_HOST || env.DD_HOST || `https://api.${env.DD_SITE || "datadoghq.com"}`;
  return { url: url.replace(/\/+$/, ""), apiKey, appKey };
}
