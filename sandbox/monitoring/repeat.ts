import { setTimeout as delay } from "node:timers/promises";

/** Work that repeats until it is stopped. */
export interface Repeated {
  /** Returns after the running work has ended. */
  stop(): Promise<void>;
}

/**
 * Does the work, waits, and repeats. After an error it continues. `log` receives each error once, until another one
 * follows.
 */
export function repeat(
  what: string,
  everyMs: number,
  work: () => Promise<void>,
  log: (line: string) => void,
): Repeated {
  const abort = new AbortController();
  let told = "";
  const run = async () => {
    while (!abort.signal.aborted) {
      const words = await work().then(
        () => "",
        (error: unknown) => (error instanceof Error ? error.message : String(error)),
      );
      if (words !== "" && words !== told) log(`${what}: ${words}`);
      told = words;
      await delay(everyMs, undefined, { signal: abort.signal, ref: false }).catch(() => {});
    }
  };
  const ended = run();
  return {
    stop: () => {
      abort.abort();
      return ended;
    },
  };
}
