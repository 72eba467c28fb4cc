import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Home } from "../home";

/** Where Datadog (or the sandbox's stand-in) listens, and the keys that open it. */
export interface DatadogAccess {
  /** `http://127.0.0.1:PORT`, `https://api.datadoghq.com` */
  readonly url: string;
  readonly apiKey: string;
  readonly appKey: string;
}

const recordOf = (home: Home) => join(home.dir, "datadog.json");

/** Remembers where the sandbox's stand-in runs, for its owner alone. */
export function recordDatadog(home: Home, access: DatadogAccess): void {
  const file = recordOf(home);
  writeFileSync(`${file}.new`, JSON.stringify(access), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** The sandbox's stand-in, where one has been recorded. */
export function sandboxDatadog(home: Home): DatadogAccess | undefined {
  const file = recordOf(home);
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as DatadogAccess) : undefined;
}

/** The real one, by the variables that Datadog's own tools read; undefined where a key is missing. */
export function cloudDatadog(env: NodeJS.ProcessEnv = process.env): DatadogAccess | undefined {
  const apiKey = env.DD_API_KEY || env.DATADOG_API_KEY;
  const appKey = env.DD_APP_KEY || env.DATADOG_APP_KEY;
  if (!apiKey || !appKey) return undefined;
  const url = env.DATADOG_HOST || env.DD_HOST || `https://api.${env.DD_SITE || "datadoghq.com"}`;
  return { url: url.replace(/\/+$/, ""), apiKey, appKey };
}
