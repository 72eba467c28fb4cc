import type { WorldHost } from "../world/worldHost";

/** What became of acknowledged notes. "unknown" where there was nothing to judge: that is no pass. */
export interface Verdict {
  readonly verdict: "kept" | "lost" | "unknown";
  /** For each host, acknowledged texts that it does not have. */
  readonly missing: Readonly<Record<string, readonly string[]>>;
}

/** Looks on each of the hosts itself, not through the site, for every note that was acknowledged. */
export async function everyAcknowledged(
  texts: readonly string[],
  hosts: readonly WorldHost[],
): Promise<Verdict> {
  const found = await Promise.all(
    hosts.map(async (host) => {
      const rows = await host.mysql("SELECT text FROM app.notes");
      const present = new Set(rows.map(([text]) => text));
      return [host.name, texts.filter((text) => !present.has(text))] as const;
    }),
  );
  const missing = Object.fromEntries(found.filter(([, lacking]) => lacking.length > 0));
  if (Object.keys(missing).length > 0) return { verdict: "lost", missing };
  return { verdict: texts.length === 0 || hosts.length === 0 ? "unknown" : "kept", missing };
}
