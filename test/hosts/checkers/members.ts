import type { WorldHost } from "../world/worldHost";

export interface Member {
  /** Internal name. */
  readonly host: string;
  /** Group Replication's MEMBER_STATE; of a source SOURCE, of a replica REPLICATES or why it does not. */
  readonly state: string;
}

/** What a database host says of its group: every member that it sees. Of a host without a group: itself. */
export async function members(
  host: WorldHost,
  replication: "group" | "source-replica",
): Promise<readonly Member[]> {
  if (replication === "group") {
    const rows = await host.mysql(
      "SELECT MEMBER_HOST, MEMBER_STATE FROM performance_schema.replication_group_members ORDER BY 1",
    );
    return rows.filter(([name]) => name).map(([name = "", state = ""]) => ({ host: name, state }));
  }
  const rows = await host.mysql(
    `SELECT c.SERVICE_STATE, a.SERVICE_STATE, c.LAST_ERROR_MESSAGE
     FROM performance_schema.replication_connection_status c
     JOIN performance_schema.replication_applier_status a USING (CHANNEL_NAME)`,
  );
  const [row] = rows;
  if (!row) return [{ host: host.fqdn, state: "SOURCE" }];
  const [connection, applier, error] = row;
  const replicates = connection === "ON" && applier === "ON";
  return [{ host: host.fqdn, state: replicates ? "REPLICATES" : `${connection}/${applier} ${error}` }];
}
