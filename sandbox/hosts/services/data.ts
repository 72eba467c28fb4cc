import { readFileSync, statSync } from "node:fs";
import type { Domain } from "../world";
import type { Metadata } from "./metadata";
import type { Challenges } from "./zones";

/**
 * The data for the services' answers: one file, which the driver replaces. Mode 0600, because it contains user data.
 */
export interface ServicesData {
  readonly domains: readonly Domain[];
  /** True if the names of Spaces resolve. */
  readonly spaces: boolean;
  /**
   * Metadata by the address of the client. A host cannot use another host's address, because the routers filter
   * sources.
   */
  readonly metadata: Readonly<Record<string, Metadata>>;
}

/** The value of a JSON file, read again after it was replaced; `fallback` while it is absent. */
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
