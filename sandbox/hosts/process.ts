import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** A process that can be identified across restarts of this program, because the kernel reuses process ids. */
export interface KnownProcess {
  readonly pid: number;
  /** When it started, in the kernel's ticks since boot (proc(5), /proc/PID/stat, field 22), with the boot's id. */
  readonly start: string;
}

/** The process that has that id now; undefined if there is none (a zombie does not count). */
export async function identify(pid: number): Promise<KnownProcess | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  if (fields[0] === "Z" || fields[0] === "X") return undefined;
  const boot = (await readFile("/proc/sys/kernel/random/boot_id", "utf8")).trim();
  return { pid, start: `${boot}/${fields[19]}` };
}

export async function isAlive(known: KnownProcess | undefined): Promise<boolean> {
  return known !== undefined && (await identify(known.pid))?.start === known.start;
}

/** Sends a signal to exactly that process; false if it has ended. Signals above 31 are numbers (SIGRTMIN is 34). */
export async function signal(known: KnownProcess, name: NodeJS.Signals | number): Promise<boolean> {
  if (!(await isAlive(known))) return false;
  try {
    process.kill(known.pid, name);
    return true;
  } catch {
    return false;
  }
}

/** Waits until the process has ended; false if it still runs after `withinMs`. */
export async function ended(known: KnownProcess, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (await isAlive(known)) {
    if (Date.now() > deadline) return false;
    await delay(20);
  }
  return true;
}

/** Ends a process: SIGTERM, then SIGKILL if it has not ended after `graceMs`. */
export async function end(known: KnownProcess, graceMs = 3000): Promise<void> {
  if (!(await signal(known, "SIGTERM"))) return;
  if (await ended(known, graceMs)) return;
  await signal(known, "SIGKILL");
  await ended(known, graceMs);
}

/** The only child of a process; undefined if it has none. */
export async function childOf(pid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const first = Number(children.trim().split(" ")[0]);
  return first > 0 ? first : undefined;
}

/**
 * True if a process is the first of a process namespace below ours: a host's PID 1, not a helper of its starter. Do
 * not run commands "inside the host" through any other process, because its namespaces are this machine's own.
 */
export async function isInit(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const numbers = /^NSpid:\t(.*)$/m.exec(status)?.[1]?.split("\t") ?? [];
  return numbers.length > 1 && numbers.at(-1) === "1";
}
