import type { Api } from "../core/api";
import { ok } from "../core/http";

/**
 * `/sandbox/alerts`: the alerts that are triggered now. DigitalOcean reports them only by mail and Slack, and has no
 * path for them. `alerts` is null if there is no observer, because droplets are only records.
 */
export function registerTriggeredAlerts(api: Api): void {
  api.get("/sandbox/alerts", () => ok({ alerts: api.observer?.alerts() ?? null }));
}
