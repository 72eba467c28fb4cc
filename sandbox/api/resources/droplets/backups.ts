import { z } from "zod";
import type { Api } from "../../core/api";
import { timestamp } from "../../core/clock";
import { ok } from "../../core/http";
import { paged } from "../../core/pagination";
import { optional } from "../../core/validation";
import { type BackupPolicy, type DropletRecord, dropletTable, wantedDroplet } from "./record";

const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"] as const;
const HOURS = [0, 4, 8, 12, 16, 20];
const WINDOW_LENGTH_HOURS = 4;
/** Source: API reference, droplets_list_supported_backup_policies. */
const RETENTION_PERIOD_DAYS = { daily: 7, weekly: 28 };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The policy in a body. A weekly one without a day is on Sunday; without an hour it is at midnight. */
export const backupPolicy = z
  .object({
    plan: z.enum(["daily", "weekly"], { error: "must be daily or weekly" }),
    // DigitalOcean's Go client sends "" with a daily plan.
    weekday: optional(z.enum([...WEEKDAYS, ""], { error: `must be one of ${WEEKDAYS.join(", ")}` })),
    hour: optional(z.number().refine((hour) => HOURS.includes(hour), `must be one of ${HOURS.join(", ")}`)),
  })
  .transform(
    ({ plan, weekday, hour = 0 }): BackupPolicy =>
      plan === "weekly" ? { plan, weekday: weekday || "SUN", hour } : { plan, hour },
  );

/** The policy of a droplet that enables backups without a policy. */
export const DEFAULT_BACKUP_POLICY: BackupPolicy = { plan: "weekly", weekday: "SUN", hour: 0 };

/** The time of the next backup, or null without backups. */
export function nextBackupWindow(policy: BackupPolicy | null, now = new Date()): object | null {
  if (!policy) return null;
  const midnight = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  for (let day = 0; ; day++) {
    const start = new Date(midnight + day * DAY_MS + policy.hour * HOUR_MS);
    const rightDay = policy.plan === "daily" || WEEKDAYS[start.getUTCDay()] === policy.weekday;
    if (rightDay && start > now) {
      return {
        start: timestamp(start),
        end: timestamp(new Date(start.getTime() + WINDOW_LENGTH_HOURS * HOUR_MS)),
      };
    }
  }
}

/** `/v2/droplets/…/backups/policy` and the lists of policies. */
export function registerBackupPolicies(api: Api): void {
  api.get("/v2/droplets/:droplet/backups/policy", (request) =>
    ok({ policy: policyObject(wantedDroplet(api.store, request)) }),
  );
  api.get("/v2/droplets/backups/policies", (request) => {
    const { items, ...rest } = paged(request, dropletTable(api.store).values());
    return ok({
      policies: Object.fromEntries(items.map((one) => [String(one.id), policyObject(one)])),
      ...rest,
    });
  });
  api.get("/v2/droplets/backups/supported_policies", () =>
    ok({ supported_policies: (["weekly", "daily"] as const).map(supportedPolicy) }),
  );
}

function policyObject({ id, backup_policy }: DropletRecord): object {
  const policy = backup_policy && {
    ...backup_policy,
    window_length_hours: WINDOW_LENGTH_HOURS,
    retention_period_days: RETENTION_PERIOD_DAYS[backup_policy.plan],
  };
  return {
    droplet_id: id,
    backup_enabled: policy !== null,
    ...(policy ? { backup_policy: policy } : {}),
    next_backup_window: nextBackupWindow(backup_policy),
  };
}

const supportedPolicy = (name: "daily" | "weekly"): object => ({
  name,
  possible_window_starts: HOURS,
  window_length_hours: WINDOW_LENGTH_HOURS,
  retention_period_days: RETENTION_PERIOD_DAYS[name],
  possible_days: name === "weekly" ? WEEKDAYS : [],
});
