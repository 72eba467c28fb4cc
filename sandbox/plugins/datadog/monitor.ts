import { boolean, integer, object, optional, required, set, string } from "../provider/fields";
import type { ResourceType } from "../provider/resource";
import { notEmpty, oneOf } from "../provider/validators";
import type { PropertyMap } from "../provider/values";
import type { Client } from "./client";

/** The monitor types that the sandbox evaluates; Datadog has more. */
const monitorTypes = ["metric alert", "query alert", "slo alert"] as const;

const thresholds = ["critical", "criticalRecovery", "warning", "warningRecovery"] as const;
const apiThreshold = (key: string) => key.replace(/R/, "_r");

interface ApiMonitor {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly query: string;
  readonly message: string;
  readonly tags?: readonly string[];
  readonly priority?: number | null;
  readonly options?: {
    readonly thresholds?: Readonly<Record<string, number | null>>;
    readonly notify_no_data?: boolean;
    readonly no_data_timeframe?: number | null;
    readonly require_full_window?: boolean;
    readonly include_tags?: boolean;
  };
}

export const monitor: ResourceType<Client> = {
  name: "Monitor",
  fields: {
    name: required(string, { validate: [notEmpty] }),
    type: required(string, { validate: [oneOf(...monitorTypes)], replaces: true }),
    query: required(string, { validate: [notEmpty] }),
    message: required(string),
    monitorThresholds: optional(
      object(
        "MonitorMonitorThresholds",
        Object.fromEntries(thresholds.map((key) => [key, optional(string)])),
      ),
    ),
    notifyNoData: optional(boolean, { default: false }),
    noDataTimeframe: optional(integer),
    requireFullWindow: optional(boolean, { default: true }),
    includeTags: optional(boolean, { default: true }),
    priority: optional(string, { validate: [oneOf("1", "2", "3", "4", "5")] }),
    tags: optional(set(string)),
  },

  async create({ client }, inputs) {
    // Like the official provider, validate the query before creating the monitor.
    await client.requireAnswer("POST", "/api/v1/monitor/validate", body(inputs));
    const { id } = await client.requireAnswer<ApiMonitor>("POST", "/api/v1/monitor", body(inputs));
    return { id: String(id) };
  },

  async read({ client }, id) {
    const found = await client.request<ApiMonitor>("GET", `/api/v1/monitor/${id}`);
    return found && { state: stateOf(found) };
  },

  async update({ client }, id, inputs) {
    await client.requireAnswer("POST", "/api/v1/monitor/validate", body(inputs));
    await client.requireAnswer("PUT", `/api/v1/monitor/${id}`, body(inputs));
  },

  async delete({ client }, id) {
    await client.request("DELETE", `/api/v1/monitor/${id}`);
  },
};

function body(inputs: PropertyMap): object {
  const given = (inputs.monitorThresholds ?? {}) as PropertyMap;
  return {
    name: inputs.name,
    type: inputs.type,
    query: inputs.query,
    message: inputs.message,
    tags: inputs.tags ?? [],
    priority: inputs.priority === undefined ? null : Number(inputs.priority),
    options: {
      thresholds: Object.fromEntries(
        thresholds.flatMap((key) =>
          given[key] === undefined ? [] : [[apiThreshold(key), Number(given[key])]],
        ),
      ),
      notify_no_data: inputs.notifyNoData === true,
      no_data_timeframe: inputs.noDataTimeframe ?? null,
      require_full_window: inputs.requireFullWindow === true,
      include_tags: inputs.includeTags === true,
    },
  };
}

function stateOf({ name, type, query, message, tags = [], priority, options = {} }: ApiMonitor): PropertyMap {
  const found = options.thresholds ?? {};
  return {
    name,
    type,
    query,
    message,
    tags: [...tags],
    notifyNoData: options.notify_no_data ?? false,
    requireFullWindow: options.require_full_window ?? true,
    includeTags: options.include_tags ?? true,
    ...(options.no_data_timeframe ? { noDataTimeframe: options.no_data_timeframe } : {}),
    ...(priority ? { priority: String(priority) } : {}),
    monitorThresholds: Object.fromEntries(
      thresholds.flatMap((key) => {
        const value = found[apiThreshold(key)];
        return value === undefined || value === null ? [] : [[key, String(value)]];
      }),
    ),
  };
}
