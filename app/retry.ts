/**
 * What a statement may be repeated for. In a group with several writers a transaction can lose to another one at
 * commit, and a member can leave while it is in use: the server has then rolled back, and the same again may succeed.
 */

/** MySQL's numbers (Server Error Message Reference). */
const rolledBack = new Map([
  [1213, "ER_LOCK_DEADLOCK"],
  [1205, "ER_LOCK_WAIT_TIMEOUT"],
  [3101, "ER_TRANSACTION_ROLLBACK_DURING_COMMIT: lost the certification"],
  [3100, "ER_RUN_HOOK_ERROR: the member leaves its group"],
  [1290, "ER_OPTION_PREVENTS_STATEMENT: the member is read-only"],
  [1836, "ER_READ_ONLY_MODE"],
]);
/** Errors that say the member is no longer one to write to: the connection to it must not be used again. */
const memberIsOut = new Set([3100, 1290, 1836]);
/** Node's and mysql2's codes for a connection that was never made: nothing was sent. */
const notConnected = new Set(["ECONNREFUSED", "ENOENT", "ETIMEDOUT", "EAGAIN"]);

export interface DatabaseError {
  readonly errno?: number;
  readonly code?: string;
  /** True where the connection was being made and no statement had been sent. */
  readonly connecting?: boolean;
}

/** Whether the server has surely not kept what the statement did. */
export function isSafeToRepeat(error: DatabaseError): boolean {
  if (error.connecting) return true;
  return rolledBack.has(error.errno ?? 0) || notConnected.has(error.code ?? "");
}

/** Whether the connection that gave this error leads to a member that is out. */
export function needsOtherMember(error: DatabaseError): boolean {
  return memberIsOut.has(error.errno ?? 0);
}

export interface RetryLimits {
  /** No further try begins after this. */
  readonly deadlineMs: number;
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
}

export interface Clock {
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
  /** 0 to 1. */
  readonly random: () => number;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  pause: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
  random: Math.random,
};

/**
 * Runs a piece of work again while its error says that it left nothing behind, with growing pauses of random length
 * (two writers that lost to each other must not meet again). Throws the last error.
 */
export async function withRetries<T>(
  work: () => Promise<T>,
  limits: RetryLimits,
  clock: Clock = systemClock,
): Promise<T> {
  const end = clock.now() + limits.deadlineMs;
  for (let pauseMs = limits.firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, limits.longestPauseMs)) {
    try {
      return await work();
    } catch (error) {
      if (!isSafeToRepeat(error as DatabaseError)) throw error;
      const wait = pauseMs * (0.5 + clock.random() / 2);
      if (clock.now() + wait > end) throw error;
      await clock.pause(wait);
    }
  }
}
