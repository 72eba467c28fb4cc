import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";
import type { Member } from "./history";

/** Seconds that a member has to apply what the others have committed. */
const APPLIED_WITHIN_S = 120;

/** What every member holds when it has applied what all had committed at the call. Nothing may be written meanwhile. */
export async function contents(world: World, prefix: string): Promise<Member[]> {
  const hosts = world.hostsWith("database");
  // MySQL breaks a set of several sources into lines.
  const query = "SELECT REPLACE(@@GLOBAL.gtid_executed, '\\n', '')";
  const committed = (await Promise.all(hosts.map((host) => host.mysql(query).catch(() => [])))).flat(2);
  return Promise.all(hosts.map((host) => memberOf(host, committed.join(","), prefix)));
}

async function memberOf(host: WorldHost, committed: string, prefix: string): Promise<Member> {
  const silent = { name: host.name, notes: undefined, checksum: undefined };
  try {
    const limit = { timeoutMs: (APPLIED_WITHIN_S + 60) * 1000 };
    const wait = `SELECT WAIT_FOR_EXECUTED_GTID_SET('${committed}', ${APPLIED_WITHIN_S})`;
    const [[isLate] = []] = await host.mysql(wait, limit);
    if (isLate !== "0") return silent;
    const rows = await host.mysql(`SELECT id, text FROM app.notes WHERE text LIKE '${prefix}%'`, limit);
    const notes = rows.map(([id, text = ""]) => ({ id: Number(id), text }));
    const tables = await host.mysql(
      "SELECT CONCAT(table_schema, '.', table_name) FROM information_schema.tables WHERE table_schema IN ('app', 'chaos') ORDER BY 1",
    );
    const sums = await host.mysql(`CHECKSUM TABLE ${tables.flat().join(", ")}`, limit);
    return { name: host.name, notes, checksum: sums.map(([, sum]) => sum).join(" ") };
  } catch {
    return silent;
  }
}
