import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where a Datadog is, and the keys that open it. */
export interface DatadogAccess {
  /** `http://127.0.0.1:PORT`, `https://api.datadoghq.com` */
  readonly url: string;
  readonly apiKey: string;
  readonly appKey: string;
}

/** The file of the folder that holds them. */
export const accessFile = (dir: string) => join(dir, "access.json");

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
