import type { Request } from "../workloads/visitors";
import type { WorldHost } from "../world/worldHost";
import { everyAcknowledged } from "./acknowledged";

/** What is wrong with the notes that a host has, by what the visitors were told. Empty where nothing is. */
export interface Faults {
  /** Acknowledged, and not there. */
  readonly lost: readonly string[];
  /** There more than once. */
  readonly doubled: readonly string[];
  /** There, although the answer said that nothing was stored. */
  readonly refused: readonly string[];
}

/** The answer to a write that says that nothing was stored. Without an answer, and with 504, the outcome is unknown. */
const REFUSED = 503;

/** Compares what hosts have stored with what visitors were told. Throws where there was no acknowledged write. */
export async function storedWrongly(
  requests: readonly Request[],
  hosts: readonly WorldHost[],
): Promise<Readonly<Record<string, Faults>>> {
  const writes = requests.filter(({ kind, text }) => kind === "write" && text !== undefined);
  const texts = (status: number) =>
    writes.filter((write) => write.status === status).map(({ text }) => text ?? "");
  const acknowledged = texts(201);
  const { verdict, missing } = await everyAcknowledged(acknowledged, hosts);
  if (verdict === "unknown") throw new Error("no write was acknowledged, so there is nothing to judge");
  const own = new Set(writes.map(({ text }) => text));
  const found: Record<string, Faults> = {};
  for (const host of hosts) {
    const rows = await host.mysql("SELECT text, COUNT(*) FROM app.notes GROUP BY text");
    const counts = new Map(rows.map(([text = "", count]) => [text, Number(count)]));
    const faults = {
      lost: missing[host.name] ?? [],
      doubled: [...counts].filter(([text, count]) => count > 1 && own.has(text)).map(([text]) => text),
      refused: texts(REFUSED).filter((text) => counts.has(text)),
    };
    if (Object.values(faults).some((list) => list.length > 0)) found[host.name] = faults;
  }
  return found;
}
