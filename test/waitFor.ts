import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  /** Seconds until the wait is given up; 60 by default. */
  readonly within?: number;
  /** Seconds between two looks; a quarter of a second by default. */
  readonly every?: number;
  /** Asked when the wait is given up: what the person at the keyboard needs to see beside the error. */
  readonly explain?: () => Promise<string>;
}

/**
 * Waits until a condition holds (it gives something else than undefined or false) and gives its value. A condition that
 * throws does not hold yet; its last error is told where the wait is given up.
 */
export async function waitFor<T>(
  what: string,
  condition: () => Promise<T | undefined | false>,
  { within = 60, every = 0.25, explain }: WaitOptions = {},
): Promise<T> {
  const deadline = Date.now() + within * 1000;
  let last: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== false) return value;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) break;
    await delay(every * 1000);
  }
  const reason = last instanceof Error ? `: ${last.message}` : "";
  const seen = explain ? `\n${await explain().catch((error) => `(nothing to see: ${String(error)})`)}` : "";
  throw new Error(`${what}: not within ${within} s${reason}${seen}`);
}
