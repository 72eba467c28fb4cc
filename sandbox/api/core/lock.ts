import { join } from "node:path";
import { tryLock } from "../../lock.mjs";

/**
 * Takes the state directory for this process, and gives the function that releases it.
 * Throws an error that names the other process where one has it.
 */
export function lockStateDir(stateDir: string): () => void {
  const lock = tryLock(join(stateDir, "lock"), "sandbox API");
  if ("release" in lock) return () => lock.release();
  throw new Error(
    `${stateDir} is in use by another sandbox (process ${lock.heldBy.pid}). ` +
      "Stop that one first, or use another --state-dir.",
  );
}
