/**
 * Decides which statements are safe to repeat. In a group with several writers, a transaction can lose to another one
 * at commit, and a member can leave while it is in use. The server has then rolled back, and the same statement may
 * succeed the next time.
 */

/** MySQL error numbers (Server Error Message Reference). */
const rolledBack = new Map([
  [1213, "ER_LOCK_DEADLOCK"],
  [1205, "ER_LOCK_WAIT_TIMEOUT"],
  [3101, "ER_TRANSACTION_ROLLBACK_DURING_COMMIT: lost the certification"],
  [3100, "ER_RUN_HOOK_ERROR: the member leaves its group"],
  [1290, "ER_OPTION_PREVENTS_STATEMENT: the member is read-only"],
  [1836, "ER_READ_ONLY_MODE"],
]);
/** Errors of a member that no longer accepts writes. Do not use the connection again. */
const memberIsOut = new Set([3100, 1290, 1836]);
/** Error codes of Node.js and mysql2 for a connection that was never made, so nothing was sent. */
const notConnected = new Set(["ECONNREFUSED", "ENOENT", "ETIMEDOUT", "EAGAIN"]);

export interface DatabaseError {
  readonly errno?: number;
  readonly code?: string;
  /** True if the connection was being made and no statement had been sent. */
  readonly connecting?: boolean;
}

/** True if the server has certainly not kept the effect of the statement. */
export function isSafeToRepeat(error: DatabaseError): boolean {
  if (error.connecting) return true;
  return rolledBack.has(error.errno ?? 0) || notConnected.has(error.code ?? "");
}

/** True if the connection that returned this error goes to a member that is out. */
export function needsOtherMember(error: DatabaseError): boolean {
  return memberIsOut.has(error.errno ?? 0);
}

export interface RetryLimits {
  /** No attempt starts after this time. */
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
 * Repeats the work while its error shows that nothing was changed. The pauses grow and have random lengths, so that
 * two writers that conflicted do not conflict again. Throws the last error.
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
