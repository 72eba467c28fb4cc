// A lock file that names its owner, so that a second command can say who holds it, and that is free again the moment
// its owner is dead, even by kill -9. Without dependencies: setup.mjs needs it before node_modules exists.
//
// The lock is taken by link(2), which is atomic and never overwrites. A lock whose owner is dead is removed only by the
// process that has linked a second file named after that dead owner, and only while the lock still names it: two
// processes that see the same dead owner cannot both remove the lock, nor remove a newer one.
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * What tells one process from a later one with the same id: its start time.
 * @param {number} pid
 * @returns {string | undefined} undefined when no such process is alive (a zombie is not alive)
 */
export function processIdentity(pid) {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // proc_pid_stat(5): the command, field 2, may hold spaces and parentheses; what follows its last ")" does not.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" || fields[0] === "X" ? undefined : `start:${fields[19]}`;
  } catch {
    return process.platform === "linux" ? undefined : identityByPs(pid);
  }
}

function identityByPs(pid) {
  try {
    const started = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
    return started === "" ? undefined : `start:${started}`;
  } catch {
    return undefined;
  }
}

const isAlive = (owner) => owner.identity !== undefined && processIdentity(owner.pid) === owner.identity;

function readOwner(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

/** The process that holds the lock now, or undefined. */
export function lockOwner(path) {
  const owner = readOwner(path);
  return owner !== undefined && isAlive(owner) ? owner : undefined;
}

/** Creates `path` with `content` in one step; false when it exists already. */
function createWhole(path, content) {
  const draft = `${path}.${process.pid}.${process.hrtime.bigint()}`;
  writeFileSync(draft, content, { mode: 0o600 });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function removeDeadLock(path, dead) {
  const claim = `${path}.dead-${dead.pid}-${String(dead.identity).replace(/\W/g, "_")}`;
  if (!createWhole(claim, JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) }))) {
    const claimant = readOwner(claim);
    if (claimant !== undefined && !isAlive(claimant)) {
      throw new Error(`${claim} was left by a process that was killed. Remove it and ${path}, then repeat.`);
    }
    return;
  }
  try {
    const now = readOwner(path);
    if (now !== undefined && now.pid === dead.pid && now.identity === dead.identity)
      rmSync(path, { force: true });
  } finally {
    rmSync(claim, { force: true });
  }
}

/**
 * Tries once to take the lock.
 * @param {string} path
 * @param {string} command what the owner does, for the message that a second one prints
 * @returns {{ release(): void } | { heldBy: { pid: number, command: string, since: string } }}
 */
export function tryLock(path, command) {
  mkdirSync(dirname(path), { recursive: true });
  const me = {
    pid: process.pid,
    identity: processIdentity(process.pid),
    command,
    since: new Date().toISOString(),
  };
  for (;;) {
    if (createWhole(path, JSON.stringify(me))) {
      return {
        release() {
          const owner = readOwner(path);
          if (owner?.pid === me.pid && owner.identity === me.identity) rmSync(path, { force: true });
        },
      };
    }
    const owner = readOwner(path);
    if (owner === undefined) continue; // released between the two looks
    if (isAlive(owner)) return { heldBy: owner };
    removeDeadLock(path, owner);
  }
}

/**
 * Waits until the lock is ours.
 * @param {string} path
 * @param {string} command
 * @param {{ onWait?: (owner: { pid: number, command: string }) => void, pollMs?: number }} [options] onWait is called once
 */
export async function waitForLock(path, command, { onWait = () => {}, pollMs = 200 } = {}) {
  for (let told = false; ; told = true) {
    const lock = tryLock(path, command);
    if ("release" in lock) return lock;
    if (!told) onWait(lock.heldBy);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}
