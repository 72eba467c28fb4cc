import type { Api } from "../core/api";
import { ok } from "../core/http";

/**
 * `/sandbox/alerts`: what has been triggered now. DigitalOcean tells it by mail and Slack alone, and has no address for
 * it; `alerts` is null where nobody looks, because droplets are records.
 */
export function registerTriggeredAlerts(api: Api): void {
  api.get("/sandbox/alerts", () => ok({ alerts: api.observer?.alerts() ?? null }));
}
