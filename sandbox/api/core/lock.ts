import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Takes the state directory for this process, and gives the function that releases it.
 * The lock of a process that no longer runs (kill -9, a power cut) is taken over.
 * Throws an error that names the other process where one runs.
 */
export function lockStateDir(stateDir: string): () => void {
  const lock = join(stateDir, "lock");
  const mine = `${process.pid} ${startOf(process.pid)} ${Math.random().toString(36).slice(2)}\n`;
  const candidate = join(stateDir, `lock.${process.pid}`);
  writeFileSync(candidate, mine, { mode: 0o600 });
  try {
    for (let attempt = 0; ; attempt++) {
      if (tryLink(candidate, lock)) return () => release(lock, mine);
      const holder = readIfThere(lock);
      if (holder === undefined) continue;
      if (isAlive(holder) || attempt > 10) {
        throw new Error(
          `${stateDir} is in use by another sandbox (process ${holder.split(" ")[0]}). ` +
            "Stop that one first, or give this one a --state-dir of its own.",
        );
      }
      removeStale(lock, holder, `${candidate}.stale`);
    }
  } finally {
    unlinkSync(candidate);
  }
}

/** Two processes may find the same stale lock: a rename is won by one, and who got a newer lock puts it back. */
function removeStale(lock: string, holder: string, aside: string): void {
  try {
    renameSync(lock, aside);
  } catch {
    return;
  }
  if (readIfThere(aside) !== holder) tryLink(aside, lock);
  unlinkSync(aside);
}

function release(lock: string, mine: string): void {
  if (readIfThere(lock) === mine) unlinkSync(lock);
}

function isAlive(holder: string): boolean {
  const [pid = "", start = ""] = holder.trim().split(" ");
  if (!/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return false;
  }
  // Another server in this same process holds it, or a process number that the system gave to somebody new.
  return startOf(Number(pid)) === start;
}

/**
 * When the process started, in the kernel's ticks (proc(5), stat, field 22); "?" where there is no /proc. One that has
 * ended and whose parent has not asked for it yet (in a container the first process may take its time) is "ended".
 */
function startOf(pid: number): string {
  const stat = readIfThere(`/proc/${pid}/stat`);
  const [state = "", ...rest] = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  return state === "Z" || state === "X" ? "ended" : (rest[18] ?? "?");
}

function tryLink(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
