/**
 * Decides what is repeated after an error. In a group with several writers, a transaction can lose to another one at
 * commit, and a member can leave while it is in use; the same statement may succeed the next time.
 *
 * | error | effect of the statement | repeated |
 * |---|---|---|
 * | no connection was made | none | yes |
 * | rolled back, or refused before it began | none | yes |
 * | the member lacks what the visitor has seen | none | yes |
 * | the connection or its answer was lost | unknown | yes: reads change nothing, and writes carry a key (notes.ts) |
 * | any other | none | no |
 */

/** MySQL error numbers (Server Error Message Reference) after which nothing is kept. */
const rolledBack = new Map([
  [1213, "ER_LOCK_DEADLOCK"],
  [1205, "ER_LOCK_WAIT_TIMEOUT"],
  [3101, "ER_TRANSACTION_ROLLBACK_DURING_COMMIT: lost the certification"],
  [1290, "ER_OPTION_PREVENTS_STATEMENT: the member is read-only"],
  [1836, "ER_READ_ONLY_MODE"],
]);
/** Errors of a member that takes no writes, or on which a lock is held. */
const memberIsOut = new Set([1205, 1290, 1836]);
/** Error codes of Node.js and mysql2 for a connection that was never made, so nothing was sent. */
const notConnected = new Set(["ECONNREFUSED", "ENOENT", "ETIMEDOUT", "EAGAIN"]);
/** notes.ts: the member has not applied in time what the visitor has seen. */
const behind = "BEHIND";
/** Error codes of Node.js and mysql2 for an answer that never came. */
const lost = new Set(["PROTOCOL_CONNECTION_LOST", "PROTOCOL_SEQUENCE_TIMEOUT", "ECONNRESET", "EPIPE"]);
/** The server ends what it was doing: a shutdown, KILL, or a commit on which a majority may have agreed already. */
const ended = new Map([
  [3100, "ER_RUN_HOOK_ERROR: the member leaves its group"],
  [1053, "ER_SERVER_SHUTDOWN"],
  [1317, "ER_QUERY_INTERRUPTED"],
  [4031, "ER_CLIENT_INTERACTION_TIMEOUT"],
]);

export interface DatabaseError {
  readonly errno?: number;
  readonly code?: string;
  /** True if the connection was being made and no statement had been sent. */
  readonly connecting?: boolean;
}

/** True if the server may have kept the effect of the statement, or not. */
export function isUnknown(error: DatabaseError): boolean {
  return !error.connecting && (lost.has(error.code ?? "") || ended.has(error.errno ?? 0));
}

/** True if the same work may succeed the next time. */
export function isWorthRepeating(error: DatabaseError): boolean {
  return (
    error.connecting === true ||
    rolledBack.has(error.errno ?? 0) ||
    notConnected.has(error.code ?? "") ||
    error.code === behind ||
    isUnknown(error)
  );
}

/** True if the connection that returned this error is not to be used again. */
export function needsOtherMember(error: DatabaseError): boolean {
  return memberIsOut.has(error.errno ?? 0) || error.code === behind || isUnknown(error);
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
 * Repeats work that has the same effect once or several times. The pauses grow and have random lengths, so that two
 * writers that conflicted do not conflict again. Throws the last error.
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
      if (!isWorthRepeating(error as DatabaseError)) throw error;
      const wait = pauseMs * (0.5 + clock.random() / 2);
      if (clock.now() + wait > end) throw error;
      await clock.pause(wait);
    }
  }
}
