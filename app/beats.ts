import type { DatabaseError } from "./retry";

/**
 * Small writes of the health check: a counter for each member in a separate table. Through each member, its own row
 * is written about once a second, however many web hosts look, so the checks cost each member about as many
 * transactions a second as the group has members.
 *
 * If another check has just written a member's row, the member can commit: the row shows only after its commit. A time
 * in the future is from before the member's clock was set back, so it does not count.
 */
export const writeBeat = `
UPDATE secured_web_health.beats SET beat = beat + 1, at = NOW(3)
WHERE member = ? AND at NOT BETWEEN NOW(3) - INTERVAL 900000 MICROSECOND AND NOW(3)`;
export const firstBeat =
  "INSERT IGNORE INTO secured_web_health.beats (member, beat, at) VALUES (?, 1, NOW(3))";
export const readBeats = "SELECT member, beat FROM secured_web_health.beats";

/** ms. A commit on a busy host takes tens of milliseconds. */
export const commitLimitMs = 1500;
/** Seconds that a statement of the check waits for a lock. */
export const checkLockTimeoutS = 1;

const longestLagMs = 2000;
const rememberedMs = 60_000;
/**
 * ER_NO_SUCH_TABLE, ER_BAD_DB_ERROR, ER_TABLEACCESS_DENIED_ERROR, ER_DBACCESS_DENIED_ERROR: the table and the grant come
 * with the release of the database hosts, after that of the web hosts.
 */
const notThereYet = new Set([1146, 1049, 1142, 1044]);

export function isNotThereYet(error: DatabaseError): boolean {
  return notThereYet.has(error.errno ?? 0);
}

export interface BeatRow {
  readonly member: string;
  readonly beat: number;
}

/** How far members are behind each other, only by this host's clock. Shared by the checks of all members. */
export class Beats {
  /** For each member, its counter in its own table, and when it was first seen there (ms). Oldest first. */
  private readonly seen = new Map<string, { readonly beat: number; readonly at: number }[]>();

  /** Keeps what a member says of itself, and gives the time for which it has lacked a commit of another one. */
  lagMs(member: string, rows: readonly BeatRow[], now: number): number {
    const beats = new Map(rows.map((row) => [row.member, row.beat]));
    const own = this.seen.get(member) ?? [];
    const beat = beats.get(member) ?? 0;
    if (beat > (own.at(-1)?.beat ?? 0)) own.push({ beat, at: now });
    while (own[0] && now - own[0].at > rememberedMs) own.shift();
    this.seen.set(member, own);
    const lacked = [...this.seen].flatMap(([other, list]) =>
      other === member ? [] : (list.find((one) => one.beat > (beats.get(other) ?? 0))?.at ?? []),
    );
    return Math.max(0, ...lacked.map((at) => now - at));
  }

  isBehind(member: string, rows: readonly BeatRow[], now: number): boolean {
    return this.lagMs(member, rows, now) > longestLagMs;
  }
}
