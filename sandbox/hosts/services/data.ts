import { readFileSync, statSync } from "node:fs";
import type { Domain } from "../world";
import type { Metadata } from "./metadata";
import type { Challenges } from "./zones";

/** What the services answer from: one file, which the driver replaces. Mode 0600: it holds user data. */
export interface ServicesData {
  readonly domains: readonly Domain[];
  /** Whether the names of Spaces resolve. */
  readonly spaces: boolean;
  /** Metadata by the address that asks; a host cannot take another's, because the routers filter sources. */
  readonly metadata: Readonly<Record<string, Metadata>>;
}

/** A JSON file's value, read again when it has been replaced; `fallback` while it is absent. */
export function watchedJson<T>(path: string, fallback: T): () => T {
  let seen = "";
  let value = fallback;
  return () => {
    const stat = statSync(path, { throwIfNoEntry: false });
    const now = stat ? `${stat.ino} ${stat.mtimeMs} ${stat.size}` : "";
    if (now !== seen) {
      value = stat ? (JSON.parse(readFileSync(path, "utf8")) as T) : fallback;
      seen = now;
    }
    return value;
  };
}

export type { Challenges };
