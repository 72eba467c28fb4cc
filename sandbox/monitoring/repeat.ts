import { setTimeout as delay } from "node:timers/promises";

/** Work that is done again and again until it is stopped. */
export interface Repeated {
  /** Comes back when the work that is under way has ended. */
  stop(): Promise<void>;
}

/**
 * Does the work, waits, and does it again. One that fails is tried again like any other; `log` is told, once for each
 * run of the same words.
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
