// The only lock of the sandbox and of the projects that use it: a file that contains its owner, so that a second
// process can show who holds it. The lock is free again as soon as its owner has ended, even by kill -9, and also while
// the dead owner is a zombie that its parent has not collected (in a container this can take seconds). It has no
// dependencies, because a project's set-up needs it before node_modules exists. docs/decisions.md says why it is not a
// library.
//
// link(2) creates the lock: it is atomic and never overwrites a file. To remove the lock of a dead owner, a process
// first takes a second lock, named after the content of the dead one, and then checks that the first lock still has
// that content. So two processes that see the same dead owner cannot both remove the lock, and cannot remove a newer
// one.
import { execFileSync } from "node:child_process";
import { createHash, randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/**
 * The start time of a process, which distinguishes it from a later process with the same id.
 * @param {number} pid
 * @returns {string | undefined} undefined if no such process is alive (a zombie is not alive)
 */
export function processIdentity(pid) {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // proc_pid_stat(5): the command (field 2) can contain spaces and parentheses. Nothing after its last ")" does.
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

const isAlive = (owner) => owner?.identity !== undefined && processIdentity(owner.pid) === owner.identity;

/** The content of a lock; undefined if it is free. */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Undefined for what no owner has written: a lock appears whole, so that is a file which a power cut has emptied. */
function ownerOf(content) {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}

/** The process that holds the lock now, or undefined. */
export function lockOwner(path) {
  const owner = ownerOf(read(path) ?? "");
  return isAlive(owner) ? owner : undefined;
}

/** Creates `path` with `content` in one step. Returns false if it already exists. */
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

function removeDead(path, content) {
  const claim = `${path}.dead-${createHash("sha256").update(content).digest("hex").slice(0, 16)}`;
  const me = JSON.stringify({ pid: process.pid, identity: processIdentity(process.pid) });
  if (!createWhole(claim, me)) {
    const claimant = read(claim);
    if (claimant !== undefined && !isAlive(ownerOf(claimant))) removeDead(claim, claimant);
    return;
  }
  try {
    if (read(path) === content) rmSync(path, { force: true });
  } finally {
    rmSync(claim, { force: true });
  }
}

/**
 * Tries once to take the lock.
 * @param {string} path
 * @param {string} command the owner's command, for the message that another process prints
 * @returns {{ release(): void } | { heldBy: { pid: number, command: string, since: string } }}
 */
export function tryLock(path, command) {
  mkdirSync(dirname(path), { recursive: true });
  const me = JSON.stringify({
    pid: process.pid,
    identity: processIdentity(process.pid),
    command,
    since: new Date().toISOString(),
    // A process can take a lock, lose it because another process removes the file, and take it again.
    id: randomUUID(),
  });
  for (;;) {
    if (createWhole(path, me)) {
      return {
        release() {
          if (read(path) === me) rmSync(path, { force: true });
        },
      };
    }
    const content = read(path);
    if (content === undefined) continue; // released after createWhole
    const owner = ownerOf(content);
    if (isAlive(owner)) return { heldBy: owner };
    removeDead(path, content);
  }
}

/**
 * Waits until this process has the lock.
 * @param {string} path
 * @param {string} command
 * @param {{ onWait?: (owner: { pid: number, command: string }) => void, pollMs?: number, signal?: AbortSignal }} [options] onWait is called once
 */
export async function waitForLock(path, command, { onWait = () => {}, pollMs = 200, signal } = {}) {
  for (let told = false; ; told = true) {
    signal?.throwIfAborted();
    const lock = tryLock(path, command);
    if ("release" in lock) return lock;
    if (!told) onWait(lock.heldBy);
    await delay(pollMs, undefined, { signal });
  }
}
