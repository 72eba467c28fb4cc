import type { Api } from "../core/api";
import { badRequest, notFound } from "../core/errors";
import { type ApiRequest, ok } from "../core/http";
import { dropletTable } from "./droplets/record";
import { loadBalancerTable } from "./loadBalancerRecord";

/**
 * `/v2/monitoring/metrics/load_balancer/droplets_health_checks`: 100 for a backend that is healthy, else 0, by the
 * droplet's name (the label `server`), at the time of the observer's last look. No other metric is here. Without an
 * observer the answer is empty, as for a load balancer without traffic at DigitalOcean.
 */
export function registerLoadBalancerMetrics(api: Api): void {
  api.get("/v2/monitoring/metrics/load_balancer/droplets_health_checks", (request) => {
    const balancer = loadBalancerTable(api.store).get(request.query.lb_id ?? "");
    const [start, end] = [seconds(request, "start"), seconds(request, "end")];
    if (balancer === undefined) throw notFound();
    const droplets = dropletTable(api.store);
    const result = (api.observer?.backends(balancer.id) ?? [])
      .filter(({ at }) => at >= start && at <= end)
      .flatMap(({ dropletId, isHealthy, at }) => {
        const server = droplets.get(dropletId)?.name;
        if (server === undefined) return [];
        const metric = { lb_id: balancer.id, region: balancer.region, server };
        return [{ metric, values: [[at, isHealthy ? "100" : "0"]] }];
      });
    return ok({ status: "success", data: { resultType: "matrix", result } });
  });
}

function seconds({ query }: ApiRequest, name: "start" | "end"): number {
  const given = query[name] ?? "";
  if (!/^\d+$/.test(given)) throw badRequest(`${name}: must be seconds since the epoch`);
  return Number(given);
}
