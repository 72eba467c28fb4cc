import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The address of a Datadog API, and its keys. */
export interface DatadogAccess {
  /** `http://127.0.0.1:PORT`, `https://api.datadoghq.com` */
  readonly url: string;
  readonly apiKey: string;
  /** Other API keys that are accepted, as while the key of an account's hosts is changed. */
  readonly otherApiKeys?: readonly string[];
  readonly appKey: string;
}

/** The file with the keys in its folder. */
export const accessFile = (dir: string) => join(dir, "access.json");

/** Undefined if the folder or the file is absent. */
export function readAccess(dir: string): DatadogAccess | undefined {
  try {
    return JSON.parse(readFileSync(accessFile(dir), "utf8")) as DatadogAccess;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Only the folder's owner can read it. The folder must exist. */
export function writeAccess(dir: string, access: DatadogAccess): void {
  const file = accessFile(dir);
  writeFileSync(`${file}.new`, JSON.stringify(access), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
