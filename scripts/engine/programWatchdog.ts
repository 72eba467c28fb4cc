import type { EngineEvent } from "@pulumi/pulumi/automation";
import type { Journal } from "./journal";

/** Time for the rest of the program to report its own errors. */
const AFTER_PROGRAM_ERROR_MS = 3000;

/**
 * Stops an operation whose program failed. An error inside an `apply` is logged, and an inline program then waits
 * forever for the resources that depend on it: a language host would exit, but an inline program has none.
 */
export class ProgramWatchdog {
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly journal: Journal) {}

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  readonly record = (event: EngineEvent): void => {
    this.journal.record(event);
    if (this.journal.programFailed) {
      this.#timer ??= setTimeout(() => this.#controller.abort(), AFTER_PROGRAM_ERROR_MS);
    }
  };

  rest(): void {
    clearTimeout(this.#timer);
  }
}
