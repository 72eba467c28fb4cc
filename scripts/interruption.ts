const EXIT_BY_SIGNAL = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
/**
 * One Ctrl-C reaches this process twice: from the terminal, which signals the whole foreground group, and from npm,
 * which is in that group and forwards it.
 */
const SAME_KEYSTROKE_MS = 1000;
type Signal = keyof typeof EXIT_BY_SIGNAL;

/**
 * Handles Ctrl-C and similar signals. The first signal asks everything that runs to finish cleanly: the engine
 * finishes the requests it has sent and writes its state. A second one is also forwarded, and makes the engine stop
 * immediately.
 */
class Interruption {
  readonly #controller = new AbortController();
  readonly #again: (() => void)[] = [];
  #received: Signal | undefined;
  #receivedAt = 0;
  #listening = false;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** 128 + the signal's number, as shells do. */
  get exitCode(): number {
    return EXIT_BY_SIGNAL[this.#received ?? "SIGINT"];
  }

  /** Calls `action` at a second signal. */
  onSecondSignal(action: () => void): () => void {
    this.#again.push(action);
    return () => this.#again.splice(this.#again.indexOf(action), 1);
  }

  /** From now on signals no longer end this process: the caller has something to clean up. */
  listen(): void {
    if (this.#listening) return;
    this.#listening = true;
    for (const name of Object.keys(EXIT_BY_SIGNAL) as Signal[]) process.on(name, () => this.#receive(name));
  }

  #receive(name: Signal): void {
    if (this.#received !== undefined) {
      if (Date.now() - this.#receivedAt < SAME_KEYSTROKE_MS) return;
      for (const action of this.#again) action();
      return;
    }
    this.#received = name;
    this.#receivedAt = Date.now();
    process.stderr.write(`
Stopping: running operations are finished first. Press Ctrl-C again to stop immediately.
`);
    this.#controller.abort();
  }
}

export const interruption = new Interruption();
