import type { WorldHost } from "../world/worldHost";

/** What became of acknowledged notes. "unknown" where there was nothing to judge: that is no pass. */
export interface Verdict {
  readonly verdict: "kept" | "lost" | "unknown";
  /** For each host, acknowledged texts that it does not have. */
  readonly missing: Readonly<Record<string, readonly string[]>>;
}

/** Seconds that a host has for what others have committed already: it is on its way, or it never comes. */
const ON_ITS_WAY_S = 20;

/**
 * Looks on each of the hosts itself, not through the site, for every note that was acknowledged: when it has applied
 * what the others had committed at the call, or does not in time.
 */
export async function everyAcknowledged(
  texts: readonly string[],
  hosts: readonly WorldHost[],
): Promise<Verdict> {
  // MySQL breaks a set of several sources into lines.
  const query = "SELECT REPLACE(@@GLOBAL.gtid_executed, '\\n', '')";
  const committed = (await Promise.all(hosts.map((host) => host.mysql(query)))).flat(2);
  const found = await Promise.all(
    hosts.map(async (host) => {
      await host.mysql(`SELECT WAIT_FOR_EXECUTED_GTID_SET('${committed.join(",")}', ${ON_ITS_WAY_S})`);
      const rows = await host.mysql("SELECT text FROM app.notes");
      const present = new Set(rows.map(([text]) => text));
      return [host.name, texts.filter((text) => !present.has(text))] as const;
    }),
  );
  const missing = Object.fromEntries(found.filter(([, lacking]) => lacking.length > 0));
  if (Object.keys(missing).length > 0) return { verdict: "lost", missing };
  return { verdict: texts.length === 0 || hosts.length === 0 ? "unknown" : "kept", missing };
}
