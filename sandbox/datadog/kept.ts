/** The stand-in of Datadog as a sandbox keeps it: a folder with its address and keys, and its account. */
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type RunningDatadog, startDatadog } from "./server";

/** Where a Datadog is, and the keys that open it. */
export interface DatadogAccess {
  /** `http://127.0.0.1:PORT`, `https://api.datadoghq.com` */
  readonly url: string;
  readonly apiKey: string;
  readonly appKey: string;
}

const accessFile = (dir: string) => join(dir, "access.json");

/** Undefined where the folder or the file is absent. */
export function readAccess(dir: string): DatadogAccess | undefined {
  try {
    return JSON.parse(readFileSync(accessFile(dir), "utf8")) as DatadogAccess;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** For the folder's owner alone; the folder must exist. */
export function writeAccess(dir: string, access: DatadogAccess): void {
  const file = accessFile(dir);
  writeFileSync(`${file}.new`, JSON.stringify(access), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/**
 * Starts the stand-in with the keys of the folder, on the port of the last time where that is free: an address that
 * stays is no change to a stack. The folder says the address from then on. What has been received is not kept.
 *
 * @throws Error where the folder has no keys
 */
export async function startKept(dir: string): Promise<RunningDatadog> {
  const access = readAccess(dir);
  if (access === undefined) throw new Error(`${accessFile(dir)} is missing: it holds the stand-in's keys`);
  const { url, apiKey, appKey } = access;
  const start = (port: number) =>
    startDatadog({ port, apiKey, appKey, stateFile: join(dir, "account.json") });
  const lastPort = url === "" ? 0 : Number(new URL(url).port);
  const running = await start(lastPort).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    return start(0);
  });
  writeAccess(dir, { url: running.url, apiKey, appKey });
  return running;
}
