/** Waits for an API's asynchronous work by polling: often at first, then less often. */
import { setTimeout as delay } from "node:timers/promises";
import { Cancelled } from "./failures";

const firstDelayMs = 200;
const longestDelayMs = 3000;
const growth = 1.5;

export interface WaitOptions {
  /** Completes the phrase "waiting for": `droplet web-1 to become active`. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Calls `ask` until it returns something other than `undefined`.
 *
 * @throws Cancelled when the signal is aborted, Error after the timeout, and whatever `ask` throws
 */
export async function waitFor<T>(
  options: WaitOptions,
  ask: (elapsedMs: number) => Promise<T | undefined>,
): Promise<T> {
  const start = performance.now();
  for (let pauseMs = firstDelayMs; ; pauseMs = Math.min(pauseMs * growth, longestDelayMs)) {
    if (options.signal.aborted) throw new Cancelled(`waiting for ${options.what}`);
    const answer = await ask(performance.now() - start);
    if (answer !== undefined) return answer;
    const leftMs = options.timeoutMs - (performance.now() - start);
    if (leftMs <= 0)
      throw new Error(`gave up waiting for ${options.what} after ${Math.round(options.timeoutMs / 1000)} s`);
    await pause(Math.min(pauseMs, leftMs), options);
  }
}

async function pause(ms: number, { signal, what }: WaitOptions): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch {
    throw new Cancelled(`waiting for ${what}`);
  }
}
