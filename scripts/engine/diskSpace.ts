// On a full disk, the engine's file backend first truncates its state file and then its backup of it (seen with
// pulumi 3.248.0: it closes a failed write like a complete one). So the disk must not become full during an
// operation.
import { statfsSync } from "node:fs";
import { Failure } from "../failure";

const MIB = 1024 * 1024;
/** Space for an operation: several copies of the state in its backups, the API's state, logs. */
const NEEDED_MIB = 64;
/** Free space at which an operation is stopped, enough to finish cleanly. */
const RESERVE_MIB = 32;
const LOOK_EVERY_MS = 250;

/** Throws a Failure if the disk of `dir` has too little space to start. */
export function requireDiskSpace(dir: string): void {
  const free = freeMib(dir);
  if (free >= NEEDED_MIB) return;
  throw new Failure(`The disk is full: ${dir} has ${free} MiB free, but needs ${NEEDED_MIB}`, {
    remedy: "Free some space, or set SECURED_WEB_HOME to a folder on another disk. Nothing was changed.",
  });
}

/** Watches the disk during an operation. `signal` aborts while there is still enough space to finish cleanly. */
export class DiskWatch {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly dir: string) {
    this.#timer = setInterval(() => {
      if (freeMib(dir) < RESERVE_MIB) this.#controller.abort();
    }, LOOK_EVERY_MS);
    this.#timer.unref();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The Failure of an operation that it stopped; undefined if it did not stop it. */
  failure(): Failure | undefined {
    if (!this.signal.aborted) return undefined;
    return new Failure(
      `The disk is almost full: stopped with ${freeMib(this.dir)} MiB free for ${this.dir}`,
      {
        remedy: "Free some space, then run the command again. It continues from the recorded state.",
      },
    );
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function freeMib(dir: string): number {
  const { bavail, bsize } = statfsSync(dir);
  return Math.floor((bavail * bsize) / MIB);
}
