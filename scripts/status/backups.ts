/**
 * The age of each database host's newest backup. Only DigitalOcean's API reports it, and no host has a token, so an
 * operator's machine reads it and sends the metric to Datadog.
 */

import { roleTag } from "../../infra/topology";
import { type ApiAccess, type DatadogAccess, listAll } from "../../sandbox/index";

export const backupMetric = "secured_web.backup.age_hours";

export interface BackupAge {
  /** The droplet's name. */
  readonly host: string;
  /** When the newest backup was made; undefined if there is none. */
  readonly newest: string | undefined;
  /** Age of the newest backup or, without one, of the droplet. */
  readonly hours: number;
}

const msPerHour = 3_600_000;
/** Datadog's number for a gauge (API reference, Submit metrics, version 2). */
const gauge = 3;

/** The backup of every database host of a stack. Throws if the API refuses. */
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

/** Submits the ages as metrics of their hosts. Throws if Datadog refuses them. */
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
  if (!response.ok) throw new Error(`Datadog answered ${response.status} to the backup ages`);
}
