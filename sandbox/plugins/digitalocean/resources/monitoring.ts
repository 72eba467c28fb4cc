import {
  boolean,
  computed,
  integer,
  list,
  number,
  object,
  optional,
  required,
  set,
  string,
} from "../../provider/fields";
import type { ResourceType } from "../../provider/resource";
import { atLeast, items, notEmpty, oneOf } from "../../provider/validators";
import type { PropertyMap } from "../../provider/values";
import type { Client } from "../client";
import { tags } from "../common";
import { amount, apiBody, flag, inner, maps, strings, text } from "../inputs";

interface ApiNotifications {
  readonly email?: readonly string[] | null;
  readonly slack?: readonly { readonly channel: string; readonly url: string }[] | null;
}

interface ApiAlertPolicy {
  readonly uuid: string;
  readonly type: string;
  readonly description: string;
  readonly compare: string;
  readonly value: number;
  readonly window: string;
  readonly entities?: readonly string[] | null;
  readonly tags?: readonly string[] | null;
  readonly alerts: ApiNotifications;
  readonly enabled: boolean;
}

const droplet = "v1/insights/droplet";
const lb = "v1/insights/lbaas";
const alertTypes = [
  ...["cpu", "memory_utilization_percent", "disk_utilization_percent"],
  ...["public_outbound_bandwidth", "public_inbound_bandwidth", "private_outbound_bandwidth"],
  ...["private_inbound_bandwidth", "disk_read", "disk_write", "load_1", "load_5", "load_15"],
].map((metric) => `${droplet}/${metric}`);
const loadBalancerAlertTypes = [
  ...["avg_cpu_utilization_percent", "connection_utilization_percent", "droplet_health"],
  ...["tls_connections_per_second_utilization_percent"],
  ...["increase_in_http_error_rate_percentage_5xx", "increase_in_http_error_rate_percentage_4xx"],
  ...["increase_in_http_error_rate_count_5xx", "increase_in_http_error_rate_count_4xx"],
  ...["high_http_request_response_time", "high_http_request_response_time_50p"],
  ...["high_http_request_response_time_95p", "high_http_request_response_time_99p"],
].map((metric) => `${lb}/${metric}`);
const databaseAlertTypes = [
  ...["load_15_alerts", "memory_utilization_alerts", "disk_utilization_alerts", "cpu_alerts"],
].map((metric) => `v1/dbaas/alerts/${metric}`);

function slack(name: string) {
  return object(name, {
    channel: required(string, { validate: [notEmpty] }),
    url: required(string, { validate: [notEmpty] }),
  });
}

export const monitorAlert: ResourceType<Client> = {
  name: "MonitorAlert",
  fields: {
    type: required(string, {
      validate: [oneOf(...alertTypes, ...loadBalancerAlertTypes, ...databaseAlertTypes)],
    }),
    compare: required(string, { validate: [oneOf("GreaterThan", "LessThan")] }),
    description: required(string),
    enabled: optional(boolean, { default: true }),
    value: required(number, { validate: [atLeast(0)] }),
    window: required(string, { validate: [oneOf("5m", "10m", "30m", "1h")] }),
    entities: optional(set(string), { validate: [items(1)] }),
    tags,
    alerts: required(
      object("MonitorAlertAlerts", {
        emails: optional(list(string)),
        slacks: optional(list(slack("MonitorAlertAlertsSlack"))),
      }),
    ),
    uuid: computed(string),
  },

  async create({ client }, inputs) {
    const { policy } = await client.post<{ policy: ApiAlertPolicy }>(
      "/v2/monitoring/alerts",
      alertBody(inputs),
    );
    return { id: policy.uuid };
  },

  async read({ client }, id) {
    const found = await client.find<{ policy: ApiAlertPolicy }>(`/v2/monitoring/alerts/${id}`);
    if (found === undefined) return undefined;
    const { uuid, type, description, compare, value, window, enabled, entities, alerts } = found.policy;
    const state = { uuid, type, description, compare, value, window, enabled };
    return {
      state: {
        ...state,
        entities: [...(entities ?? [])],
        tags: [...(found.policy.tags ?? [])],
        alerts: notificationsState(alerts),
      },
    };
  },

  async update({ client }, id, inputs) {
    await client.put(`/v2/monitoring/alerts/${id}`, alertBody(inputs));
  },

  async delete({ client }, id) {
    await client.remove(`/v2/monitoring/alerts/${id}`);
  },
};

function alertBody(inputs: PropertyMap): Record<string, unknown> {
  return {
    type: text(inputs, "type"),
    description: text(inputs, "description"),
    compare: text(inputs, "compare"),
    value: amount(inputs, "value"),
    window: text(inputs, "window"),
    entities: strings(inputs, "entities"),
    tags: strings(inputs, "tags"),
    alerts: notificationsBody(inner(inputs, "alerts")),
    enabled: flag(inputs, "enabled"),
  };
}

/** An empty list is sent as null, as in the official provider's requests. */
function notificationsBody(given: PropertyMap | undefined): Record<string, unknown> {
  const emails = strings(given ?? {}, "emails");
  const slacks = maps(given ?? {}, "slacks").map((entry) => ({
    channel: text(entry, "channel"),
    url: text(entry, "url"),
  }));
  return { slack: slacks.length === 0 ? null : slacks, email: emails.length === 0 ? null : emails };
}

function notificationsState(found: ApiNotifications): PropertyMap {
  const state: PropertyMap = {};
  if (found.email && found.email.length > 0) state.emails = [...found.email];
  if (found.slack && found.slack.length > 0)
    state.slacks = found.slack.map(({ channel, url }) => ({ channel, url }));
  return state;
}

interface ApiUptimeCheck {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly target: string;
  readonly regions?: readonly string[] | null;
  readonly enabled: boolean;
}

export const uptimeCheck: ResourceType<Client> = {
  name: "UptimeCheck",
  fields: {
    name: required(string, { autoname: true }),
    regions: optional(set(string)),
    type: optional(string, { default: "https", validate: [oneOf("ping", "http", "https")] }),
    target: required(string),
    enabled: optional(boolean, { default: true }),
  },

  async create({ client }, inputs) {
    const { check } = await client.post<{ check: ApiUptimeCheck }>("/v2/uptime/checks", checkBody(inputs));
    return { id: check.id };
  },

  async read({ client }, id) {
    const found = await client.find<{ check: ApiUptimeCheck }>(`/v2/uptime/checks/${id}`);
    if (found === undefined) return undefined;
    const { name, type, target, enabled, regions } = found.check;
    return { state: { name, type, target, enabled, regions: [...(regions ?? [])] } };
  },

  async update({ client }, id, inputs) {
    await client.put(`/v2/uptime/checks/${id}`, checkBody(inputs));
  },

  async delete({ client }, id) {
    await client.remove(`/v2/uptime/checks/${id}`);
  },
};

function checkBody(inputs: PropertyMap): Record<string, unknown> {
  const regions = strings(inputs, "regions");
  return {
    ...apiBody(inputs, "name", "type", "target"),
    regions: regions.length === 0 ? null : regions,
    enabled: flag(inputs, "enabled"),
  };
}

interface ApiUptimeAlert {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly threshold?: number;
  readonly comparison?: string;
  readonly period?: string;
  readonly notifications?: ApiNotifications;
}

export const uptimeAlert: ResourceType<Client> = {
  name: "UptimeAlert",
  fields: {
    name: required(string, { autoname: true }),
    checkId: required(string),
    type: required(string, { validate: [oneOf("latency", "down", "down_global", "ssl_expiry")] }),
    threshold: optional(integer),
    comparison: optional(string, { validate: [oneOf("greater_than", "less_than")] }),
    period: optional(string, { validate: [oneOf("2m", "3m", "5m", "10m", "15m", "30m", "1h")] }),
    notifications: required(
      list(
        object("UptimeAlertNotification", {
          emails: optional(list(string)),
          slacks: optional(list(slack("UptimeAlertNotificationSlack"))),
        }),
      ),
    ),
  },

  async create({ client }, inputs) {
    const path = `/v2/uptime/checks/${text(inputs, "checkId")}/alerts`;
    const { alert } = await client.post<{ alert: ApiUptimeAlert }>(path, uptimeAlertBody(inputs));
    return { id: alert.id };
  },

  async read({ client }, id, prior) {
    const { checkId, alertId } =
      prior.checkId === undefined ? fromImportId(id) : { checkId: text(prior, "checkId"), alertId: id };
    const found = await client.find<{ alert: ApiUptimeAlert }>(
      `/v2/uptime/checks/${checkId}/alerts/${alertId}`,
    );
    if (found === undefined) return undefined;
    const { name, type, threshold, comparison, period, notifications } = found.alert;
    return {
      id: alertId,
      state: {
        checkId,
        name,
        type,
        threshold: threshold ?? 0,
        comparison: comparison ?? "",
        period: period ?? "",
        notifications: [notificationsState(notifications ?? {})],
      },
    };
  },

  async update({ client }, id, inputs) {
    await client.put(`/v2/uptime/checks/${text(inputs, "checkId")}/alerts/${id}`, uptimeAlertBody(inputs));
  },

  async delete({ client }, id, state) {
    await client.remove(`/v2/uptime/checks/${text(state, "checkId")}/alerts/${id}`);
  },
};

function uptimeAlertBody(inputs: PropertyMap): Record<string, unknown> {
  return {
    name: text(inputs, "name"),
    type: text(inputs, "type"),
    notifications: notificationsBody(maps(inputs, "notifications")[0]),
    ...apiBody(inputs, "threshold", "comparison", "period"),
  };
}

/** The API finds an alert only by check and id. The official provider cannot import one; this one accepts both ids. */
function fromImportId(id: string): { checkId: string; alertId: string } {
  const [checkId = "", alertId = "", ...rest] = id.split(",");
  if (checkId === "" || alertId === "" || rest.length > 0) {
    throw new Error(`to import an uptime alert use "check_id,alert_id", not "${id}"`);
  }
  return { checkId, alertId };
}
