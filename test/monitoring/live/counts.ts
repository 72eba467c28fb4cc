import type { Series } from "../../../sandbox/datadog/series";
import type { WorldHost } from "../../hosts/world/worldHost";

/**
 * How many things a series of rates has told of between two times: each figure is the mean rate since the figure before
 * it. A time within such a span takes its share of it.
 */
export function countBetween(series: readonly Series[], from: number, to: number): number {
  let sum = 0;
  for (const { points } of series) {
    for (const [index, { time, value }] of points.entries()) {
      const begin = points[index - 1]?.time;
      if (begin === undefined) continue;
      const shared = Math.min(to, time) - Math.max(from, begin);
      if (shared > 0) sum += value * shared;
    }
  }
  return sum;
}

/** What a host itself has counted until a moment (seconds since the epoch). */
export interface HostCounts {
  readonly at: number;
  /** Requests of the load in nginx's access log. */
  readonly pages: number;
  /** Statements that the load's requests have made, by MySQL's own table of statements. */
  readonly statements: number;
  /** Everybody else's: the health checks' above all. */
  readonly otherStatements: number;
}

/** Nothing of the load may be under way: then it does not matter that the counts are taken one after another. */
export async function hostCounts(host: WorldHost): Promise<HostCounts> {
  const [[time = "", all = "", own = ""] = []] = await host.mysql(
    "SELECT UNIX_TIMESTAMP(SYSDATE(6)), (SELECT VARIABLE_VALUE FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Questions'), (SELECT COALESCE(SUM(COUNT_STAR), 0) FROM performance_schema.events_statements_summary_by_digest WHERE DIGEST_TEXT LIKE '%FROM `notes` ORDER BY%')",
  );
  const pages = await host.run(`grep -c '"path":"/api/notes"' /var/log/nginx/access.log || true`);
  const statements = Number(own);
  return { at: Number(time), pages: Number(pages), statements, otherStatements: Number(all) - statements };
}
