/** Decides from a database host's own state whether it serves now. Pure. */

export type Replication = "group" | "source-replica";

/** A row of the answer to `memberStateQuery`: one for each member that the host sees, or one without a member. */
export interface MemberRow {
  readonly self: string;
  readonly readOnly: number;
  readonly connections: number;
  readonly connectionLimit: number;
  readonly host: string | null;
  readonly state: string | null;
  /** Transactions of other members that this one has yet to apply. */
  readonly queue: number | null;
}

/**
 * - `fit`: serves.
 * - `impaired`: takes part, and cannot commit in time, has no free connection, or is behind. Better than no host.
 * - `out`: does not take writes, does not answer, or is not trusted.
 */
export type Fitness = "out" | "impaired" | "fit";

export interface Verdict {
  readonly fitness: Fitness;
  readonly reason: string;
}

export const memberStateQuery = `
SELECT COALESCE(NULLIF(@@GLOBAL.report_host, ''), @@hostname) AS self, @@GLOBAL.super_read_only AS readOnly,
@@GLOBAL.max_connections AS connectionLimit, CAST(VARIABLE_VALUE AS UNSIGNED) AS connections,
MEMBER_HOST AS host, MEMBER_STATE AS state, COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE AS queue
FROM performance_schema.global_status
LEFT JOIN performance_schema.replication_group_members ON TRUE
LEFT JOIN performance_schema.replication_group_member_stats USING (MEMBER_ID)
WHERE VARIABLE_NAME = 'Threads_connected'`;

/** Above it, a member's rows are too old to be read. Group replication slows the writers down at 25,000. */
const longestQueue = 5000;

const out = (reason: string): Verdict => ({ fitness: "out", reason });

/**
 * A group member takes writes if it is ONLINE, not read-only, and sees a majority of its group. A member that is cut
 * off still reports ONLINE until group_replication_unreachable_majority_timeout, while its reads get old and its
 * writes hang.
 */
export function verdictOf(replication: Replication, rows: readonly MemberRow[]): Verdict {
  const [first] = rows;
  if (!first) return out("no answer");
  if (first.readOnly !== 0) return out("read-only");
  if (replication === "group") {
    const members = rows.filter(({ host }) => host !== null && host !== "");
    const own = members.find(({ host }) => host === first.self);
    if (own?.state !== "ONLINE") return out(own?.state ?? "OFFLINE");
    const reachable = members.filter(({ state }) => state === "ONLINE" || state === "RECOVERING").length;
    if (reachable * 2 <= members.length) return out("no majority");
    if ((own.queue ?? 0) > longestQueue)
      return { fitness: "impaired", reason: `more than ${longestQueue} transactions to apply` };
  }
  if (first.connections >= first.connectionLimit)
    return { fitness: "impaired", reason: "no free connection" };
  return { fitness: "fit", reason: replication === "group" ? "ONLINE" : "source" };
}
