// Processes that outlive the command that started them have a tag in their environment: their kind, and the folder of
// their sandbox. Later commands find them by the tag and end them by their id.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { processIdentity } from "../lock.mjs";

const VARIABLE = "DIGITALOCEAN_SANDBOX_PROCESS_OF";

/** The environment entry that tags a process and its children. `kind` is one word: "api". */
export function tagEnvironment(kind: string, dir: string): Record<string, string> {
  return { [VARIABLE]: `${kind}:${dir}` };
}

/** The ids of the living processes with that tag, except this process. */
export function taggedProcesses(kind: string, dir: string): number[] {
  const entry = `${VARIABLE}=${kind}:${dir}`;
  const pids = process.platform === "linux" ? linuxProcesses(entry) : otherProcesses(entry);
  return pids.filter((pid) => pid !== process.pid && processIdentity(pid) !== undefined);
}

function linuxProcesses(entry: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(entry);
      } catch {
        return false; // another user's, or gone
      }
    });
}

function otherProcesses(entry: string): number[] {
  return execFileSync("ps", ["eww", "-x", "-o", "pid=,command="], { encoding: "utf8", maxBuffer: 64 << 20 })
    .split("\n")
    .filter((line) => line.includes(entry))
    .map((line) => Number.parseInt(line, 10));
}

/** The name of a process's executable, as it was called; empty if the process has ended. */
export function programOf(pid: number): string {
  try {
    const command =
      process.platform === "linux"
        ? (readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0")[0] ?? "")
        : execFileSync("ps", ["-o", "comm=", "-p", String(pid)], { encoding: "utf8" }).trim();
    return basename(command);
  } catch {
    return "";
  }
}

/**
 * Waits until all of the processes have ended, or the time is over. It compares their start times, so that it does
 * not wait for another process with a reused id. Returns those that are still alive.
 */
export async function waitUntilGone(pids: readonly number[], withinMs: number): Promise<number[]> {
  const watched = pids.map((pid) => ({ pid, identity: processIdentity(pid) }));
  const alive = () =>
    watched.filter(({ pid, identity }) => identity !== undefined && processIdentity(pid) === identity);
  const deadline = Date.now() + withinMs;
  while (alive().length > 0 && Date.now() < deadline) await delay(50);
  return alive().map(({ pid }) => pid);
}

/** Sends a signal. A process that has already ended is not an error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
