import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Api } from "../core/api";
import { badRequest, notFound } from "../core/errors";
import { type ApiRequest, created, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import type { Table } from "../core/store";
import { optional, text } from "../core/validation";
import { type Notifications, notifications, parseAlertBody } from "./notifications";
import { findUptimeCheck } from "./uptimeChecks";

export interface UptimeAlert {
  readonly id: string;
  readonly check_id: string;
  readonly name: string;
  readonly type: "latency" | "down" | "down_global" | "ssl_expiry";
  /** Milliseconds for latency, days for ssl_expiry; unused for the others. */
  readonly threshold?: number | undefined;
  readonly comparison?: "greater_than" | "less_than" | undefined;
  readonly notifications: Notifications;
  readonly period: string;
}

/** Go clients send "" for a missing comparison. */
const comparison = z
  .enum(["greater_than", "less_than", ""])
  .transform((given) => (given === "" ? undefined : given));

const body = z.object({
  name: text(),
  type: z.enum(["latency", "down", "down_global", "ssl_expiry"]),
  threshold: optional(z.number().int().min(0)),
  comparison: optional(comparison),
  notifications,
  period: z.enum(["2m", "3m", "5m", "10m", "15m", "30m", "1h"]),
});

/** `/v2/uptime/checks/ID/alerts`: the recipients of an uptime check, and the conditions. */
export function registerUptimeAlerts(api: Api): void {
  const alerts: Table<UptimeAlert> = api.store.table<UptimeAlert>("uptime_alerts");
  const path = "/v2/uptime/checks/:check/alerts";
  const check = (request: ApiRequest) => findUptimeCheck(api.store, param(request, "check"));
  const of = (checkId: string) => alerts.values().filter(({ check_id }) => check_id === checkId);
  const wanted = (request: ApiRequest): UptimeAlert => {
    const alert = alerts.get(param(request, "alert"));
    if (alert?.check_id !== check(request).id) throw notFound();
    return alert;
  };

  api.onDeleted((urnType, id) => {
    if (urnType === "uptime_check") for (const alert of of(id)) alerts.delete(alert.id);
  });

  api.get(path, (request) => page(request, "alerts", of(check(request).id), alertObject));

  api.post(path, (request) => {
    const checkId = check(request).id;
    const alert = { id: randomUUID(), check_id: checkId, ...parse(request.body) };
    return created({ alert: alertObject(alerts.put(alert.id, alert)) });
  });

  api.get(`${path}/:alert`, (request) => ok({ alert: alertObject(wanted(request)) }));

  api.put(`${path}/:alert`, (request) => {
    const { id, check_id } = wanted(request);
    const alert = { id, check_id, ...parse(request.body) };
    return ok({ alert: alertObject(alerts.put(id, alert)) });
  });

  api.delete(`${path}/:alert`, (request) => {
    alerts.delete(wanted(request).id);
    return noContent();
  });
}

function parse(given: unknown): Omit<UptimeAlert, "id" | "check_id"> {
  const alert = parseAlertBody(body, given);
  const compares = alert.type === "latency" || alert.type === "ssl_expiry";
  if (compares && !alert.threshold) throw badRequest(`threshold is required for an alert of ${alert.type}`);
  if (compares && !alert.comparison) throw badRequest(`comparison is required for an alert of ${alert.type}`);
  return alert;
}

/** Without the fields that were not given. */
function alertObject({ check_id: _hidden, threshold, comparison: compared, ...shown }: UptimeAlert): object {
  return {
    ...shown,
    ...(threshold === undefined ? {} : { threshold }),
    ...(compared === undefined ? {} : { comparison: compared }),
  };
}
