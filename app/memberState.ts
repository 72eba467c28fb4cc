/** Decides from a database host's own state whether it accepts writes now. Pure. */

export type Replication = "group" | "source-replica";

/** A row of the answer to `memberStateQuery`: one for each member that the host sees, or one without a member. */
export interface MemberRow {
  readonly self: string;
  readonly readOnly: number;
  readonly host: string | null;
  readonly state: string | null;
}

export interface Verdict {
  readonly isWritable: boolean;
  readonly reason: string;
}

export const memberStateQuery =
  "SELECT @@GLOBAL.report_host AS self, @@GLOBAL.super_read_only AS readOnly, MEMBER_HOST AS host, " +
  "MEMBER_STATE AS state FROM (SELECT 1) AS one LEFT JOIN performance_schema.replication_group_members ON TRUE";

/**
 * A group member is writable if it is ONLINE, not read-only, and sees a majority of its group. A member that is cut
 * off still reports ONLINE until group_replication_unreachable_majority_timeout, while its reads get old and its
 * writes hang.
 */
export function verdictOf(replication: Replication, rows: readonly MemberRow[]): Verdict {
  const [first] = rows;
  if (!first) return { isWritable: false, reason: "no answer" };
  if (first.readOnly !== 0) return { isWritable: false, reason: "read-only" };
  if (replication === "source-replica") return { isWritable: true, reason: "source" };
  const members = rows.filter(({ host }) => host !== null && host !== "");
  const own = members.find(({ host }) => host === first.self)?.state ?? "OFFLINE";
  if (own !== "ONLINE") return { isWritable: false, reason: own };
  const reachable = members.filter(({ state }) => state === "ONLINE" || state === "RECOVERING").length;
  if (reachable * 2 <= members.length) return { isWritable: false, reason: "no majority" };
  return { isWritable: true, reason: "ONLINE" };
}
