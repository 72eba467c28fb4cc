/**
 * How old the newest backup of each database host is. DigitalOcean tells it by its API alone, and no host holds a token:
 * so an operator's machine asks, and sends the figure to Datadog.
 */

import { roleTag } from "../../infra/topology";
import { type ApiAccess, type DatadogAccess, listAll } from "../../sandbox/index";

export const backupMetric = "secured_web.backup.age_hours";

export interface BackupAge {
  /** The droplet's name. */
  readonly host: string;
  /** When the newest backup was made; undefined where there is none. */
  readonly newest: string | undefined;
  /** Since the newest backup; without one since the droplet was made. */
  readonly hours: number;
}

const msPerHour = 3_600_000;
/** Datadog's number for a gauge (API reference, Submit metrics, version 2). */
const gauge = 3;

/** Of every database host of a stack. Throws where the API refuses. */
export async function backupAges(api: ApiAccess, stack: string, now: Date): Promise<BackupAge[]> {
  const droplets = await listAll(api, `/v2/droplets?tag_name=${roleTag(stack, "database")}`, "droplets");
  return Promise.all(
    droplets.map(async ({ id, name, created_at }) => {
      const backups = await listAll(api, `/v2/droplets/${String(id)}/backups`, "backups");
      const times = backups.map((backup) => String(backup.created_at)).sort();
      const newest = times.at(-1);
      const hours = (now.getTime() - Date.parse(newest ?? String(created_at))) / msPerHour;
      return { host: String(name), newest, hours };
    }),
  );
}

/** Submits the ages as figures of their hosts. Throws where Datadog refuses them. */
export async function sendBackupAges(
  { url, apiKey }: Pick<DatadogAccess, "url" | "apiKey">,
  stack: string,
  ages: readonly BackupAge[],
): Promise<void> {
  const series = ages.map(({ host, hours }) => ({
    metric: backupMetric,
    type: gauge,
    points: [{ timestamp: Math.floor(Date.now() / 1000), value: hours }],
    resources: [{ type: "host", name: host }],
    tags: [`stack:${stack}`, "service:secured-web", "role:database"],
  }));
  const response = await fetch(`${url}/api/v2/series`, {
    method: "POST",
    headers: { "dd-api-key": apiKey, "content-type": "application/json" },
    body: JSON.stringify({ series }),
    signal: AbortSignal.timeout(15_000),
  });
  if (!response.ok) throw new Error(`Datadog answers ${response.status} to the ages of backups`);
}
