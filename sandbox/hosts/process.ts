import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

/** A process that is known across restarts of this program: the kernel gives its number to somebody else one day. */
export interface KnownProcess {
  readonly pid: number;
  /** When it started, in the kernel's ticks since boot (proc(5), /proc/PID/stat, field 22), with the boot's id. */
  readonly start: string;
}

/** The process of that number as it is now; undefined where there is none (a zombie is none). */
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

/** Sends a signal to that very process; false where it is gone. Signals above 31 go by number (SIGRTMIN is 34). */
export async function signal(known: KnownProcess, name: NodeJS.Signals | number): Promise<boolean> {
  if (!(await isAlive(known))) return false;
  try {
    process.kill(known.pid, name);
    return true;
  } catch {
    return false;
  }
}

/** Waits until the process has ended; false where it still runs after `withinMs`. */
export async function ended(known: KnownProcess, withinMs: number): Promise<boolean> {
  const deadline = Date.now() + withinMs;
  while (await isAlive(known)) {
    if (Date.now() > deadline) return false;
    await delay(20);
  }
  return true;
}

/** Ends a process: SIGTERM, and SIGKILL where it has not ended after `graceMs`. */
export async function end(known: KnownProcess, graceMs = 3000): Promise<void> {
  if (!(await signal(known, "SIGTERM"))) return;
  if (await ended(known, graceMs)) return;
  await signal(known, "SIGKILL");
  await ended(known, graceMs);
}

/** The only child of a process; undefined where it has none. */
export async function childOf(pid: number): Promise<number | undefined> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, "utf8").catch(() => "");
  const first = Number(children.trim().split(" ")[0]);
  return first > 0 ? first : undefined;
}

/**
 * Whether a process is the first of a process namespace below ours: a host's PID 1, and not a helper of whoever starts
 * it. Nothing may be run "inside the host" on behalf of any other process: its namespaces are this machine's own.
 */
export async function isInit(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  const numbers = /^NSpid:\t(.*)$/m.exec(status)?.[1]?.split("\t") ?? [];
  return numbers.length > 1 && numbers.at(-1) === "1";
}
