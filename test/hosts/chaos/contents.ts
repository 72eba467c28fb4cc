import { createHash } from "node:crypto";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";
import type { Member } from "./history";

/** Seconds that a member has to apply what the others have committed. */
const APPLIED_WITHIN_S = 120;

/**
 * What every member holds when it has applied what all had committed at the call. Nothing may be written meanwhile. Of
 * the site's notes only those that begin with the prefix count: in a shared world, other tests have left theirs.
 */
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
    const own = `SELECT id, text, t.* FROM app.notes t WHERE text LIKE '${prefix}%' ORDER BY id`;
    const rows = await host.mysql(own, limit);
    const notes = rows.map(([id, text = ""]) => ({ id: Number(id), text }));
    const tables = await host.mysql(
      "SELECT CONCAT('chaos.', table_name) FROM information_schema.tables WHERE table_schema = 'chaos' ORDER BY 1",
    );
    const sums =
      tables.length > 0 ? await host.mysql(`CHECKSUM TABLE ${tables.flat().join(", ")}`, limit) : [];
    const checksum = createHash("sha256")
      .update(JSON.stringify([rows, sums]))
      .digest("hex");
    return { name: host.name, notes, checksum: checksum.slice(0, 16) };
  } catch {
    return silent;
  }
}
