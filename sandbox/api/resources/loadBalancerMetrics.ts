import { z } from "zod";
import type { Api } from "../core/api";
import { asBadRequest, notFound } from "../core/errors";
import { ok } from "../core/http";
import { parseQuery, text } from "../core/validation";
import { dropletTable } from "./droplets/record";
import { loadBalancerTable } from "./loadBalancerRecord";

const seconds = z.string().regex(/^\d+$/, "must be seconds since the epoch").transform(Number);
const metricQuery = z.object({ lb_id: text(), start: seconds, end: seconds });

/**
 * `/v2/monitoring/metrics/load_balancer/droplets_health_checks`: 100 for a healthy backend, otherwise 0, by the
 * droplet's name (the label `server`), at the time of the last observation. Other metrics are not supported. Without an
 * observer the answer is empty, as for a load balancer without traffic at DigitalOcean.
 */
export function registerLoadBalancerMetrics(api: Api): void {
  api.get("/v2/monitoring/metrics/load_balancer/droplets_health_checks", (request) => {
    const { lb_id, start, end } = asBadRequest(() => parseQuery(metricQuery, request));
    const balancer = loadBalancerTable(api.store).get(lb_id);
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
