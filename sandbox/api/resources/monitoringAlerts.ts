import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Api } from "../core/api";
import { badRequest, notFound } from "../core/errors";
import { type ApiRequest, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import type { Table } from "../core/store";
import { ensureTags } from "../core/tags";
import { tags, text } from "../core/validation";
import { type Notifications, notifications, parseAlertBody } from "./notifications";

export interface MonitoringAlert {
  readonly uuid: string;
  readonly type: string;
  readonly description: string;
  readonly compare: "GreaterThan" | "LessThan";
  readonly value: number;
  readonly window: string;
  readonly entities: readonly string[];
  readonly tags: readonly string[];
  readonly alerts: Notifications;
  readonly enabled: boolean;
}

/**
 * The resources that each family of alerts watches (a URN's type), and its types. Source: DigitalOcean's OpenAPI
 * description.
 */
const FAMILIES: readonly { prefix: string; entity: string; types: readonly string[] }[] = [
  {
    prefix: "v1/insights/droplet/",
    entity: "droplet",
    types: [
      "load_1",
      "load_5",
      "load_15",
      "memory_utilization_percent",
      "disk_utilization_percent",
      "cpu",
      "disk_read",
      "disk_write",
      "public_outbound_bandwidth",
      "public_inbound_bandwidth",
      "private_outbound_bandwidth",
      "private_inbound_bandwidth",
    ],
  },
  {
    prefix: "v1/insights/lbaas/",
    entity: "loadbalancer",
    types: [
      "avg_cpu_utilization_percent",
      "connection_utilization_percent",
      "droplet_health",
      "tls_connections_per_second_utilization_percent",
      "increase_in_http_error_rate_percentage_5xx",
      "increase_in_http_error_rate_percentage_4xx",
      "increase_in_http_error_rate_count_5xx",
      "increase_in_http_error_rate_count_4xx",
      "high_http_request_response_time",
      "high_http_request_response_time_50p",
      "high_http_request_response_time_95p",
      "high_http_request_response_time_99p",
    ],
  },
  {
    prefix: "v1/dbaas/alerts/",
    entity: "dbaas",
    types: ["load_15_alerts", "memory_utilization_alerts", "disk_utilization_alerts", "cpu_alerts"],
  },
  {
    prefix: "v1/droplet/autoscale_alerts/",
    entity: "autoscale",
    types: [
      "current_instances",
      "target_instances",
      "current_cpu_utilization",
      "target_cpu_utilization",
      "current_memory_utilization",
      "target_memory_utilization",
      "scale_up",
      "scale_down",
    ],
  },
];

const TYPES = FAMILIES.flatMap(({ prefix, types }) => types.map((type) => prefix + type));

const body = z.object({
  type: z.enum(TYPES, { error: "is not a type of alert that DigitalOcean knows" }),
  description: text(),
  compare: z.enum(["GreaterThan", "LessThan"]),
  value: z.number().min(0),
  window: z.enum(["5m", "10m", "30m", "1h"]),
  entities: z
    .array(z.union([z.string().min(1), z.number().int().transform(String)], { error: "must be an id" }))
    .nullish()
    .transform((list) => [...new Set(list ?? [])]),
  tags,
  alerts: notifications,
  enabled: z.boolean(),
});

/** `/v2/monitoring/alerts`: the recipients for a metric that passes a value. This module measures nothing. */
export function registerMonitoringAlerts(api: Api): void {
  const alerts: Table<MonitoringAlert> = api.store.table<MonitoringAlert>("monitoring_alerts");
  const wanted = (request: ApiRequest): MonitoringAlert => {
    const alert = alerts.get(param(request, "alert"));
    if (!alert) throw notFound();
    return alert;
  };

  api.onDeleted((urnType, id) => {
    for (const alert of alerts.values()) {
      const changed = without(alert, urnType, id);
      if (changed) alerts.put(alert.uuid, changed);
    }
  });

  api.get("/v2/monitoring/alerts", (request) => page(request, "policies", alerts.values()));

  api.post("/v2/monitoring/alerts", (request) => {
    const alert = { uuid: randomUUID(), ...parse(api, request.body) };
    return ok({ policy: alerts.put(alert.uuid, alert) });
  });

  api.get("/v2/monitoring/alerts/:alert", (request) => ok({ policy: wanted(request) }));

  api.put("/v2/monitoring/alerts/:alert", (request) => {
    const { uuid } = wanted(request);
    return ok({ policy: alerts.put(uuid, { uuid, ...parse(api, request.body) }) });
  });

  api.delete("/v2/monitoring/alerts/:alert", (request) => {
    alerts.delete(wanted(request).uuid);
    return noContent();
  });
}

function parse(api: Api, given: unknown): Omit<MonitoringAlert, "uuid"> {
  const alert = parseAlertBody(body, given);
  const entity = entityOf(alert.type);
  for (const [index, id] of alert.entities.entries()) {
    if (!api.resolveUrn(`do:${entity}:${id}`)) {
      throw badRequest(`entities[${index}]: there is no ${entity} ${id}`);
    }
  }
  return { ...alert, tags: ensureTags(api.store, alert.tags) };
}

const entityOf = (type: string): string | undefined =>
  FAMILIES.find(({ prefix }) => type.startsWith(prefix))?.entity;

/** The alert without a deleted resource; undefined if it did not contain that resource. */
function without(alert: MonitoringAlert, urnType: string, id: string): MonitoringAlert | undefined {
  if (urnType === "tag") {
    const tags = alert.tags.filter((tag) => tag.toLowerCase() !== id.toLowerCase());
    return tags.length < alert.tags.length ? { ...alert, tags } : undefined;
  }
  if (urnType !== entityOf(alert.type) || !alert.entities.includes(id)) return undefined;
  return { ...alert, entities: alert.entities.filter((entity) => entity !== id) };
}
