// On a full disk the engine's file backend leaves a state file that is cut off, and then its copy of the last one too
// (seen with pulumi 3.248.0: a failed write is closed like a whole one). So the disk must not become full under it.
import { statfsSync } from "node:fs";
import { Failure } from "../failure";

const MIB = 1024 * 1024;
/** What an operation may need: the state many times over in its backups, the API's state, logs. */
const NEEDED_MIB = 64;
/** What is left when an operation is stopped: enough to end in good order. */
const RESERVE_MIB = 32;
const LOOK_EVERY_MS = 250;

/** Throws a Failure where the disk of `dir` has too little room to begin. */
export function requireDiskSpace(dir: string): void {
  const free = freeMib(dir);
  if (free >= NEEDED_MIB) return;
  throw new Failure(`The disk is full: ${free} MiB are free for ${dir}, and ${NEEDED_MIB} are needed`, {
    remedy: "Free some space, or set SECURED_WEB_HOME to a folder on another disk. Nothing was changed.",
  });
}

/** Watches the disk during an operation: `signal` aborts while there is still room to end in good order. */
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

  /** The Failure of an operation that was stopped by it; undefined where it was not. */
  failure(): Failure | undefined {
    if (!this.signal.aborted) return undefined;
    return new Failure(
      `The disk is nearly full: stopped with ${freeMib(this.dir)} MiB free for ${this.dir}`,
      {
        remedy:
          "Free some space, then repeat the command: what was finished is recorded, and it goes on from there.",
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
