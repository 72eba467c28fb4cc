/**
 * Uptime checks and triggered alerts, from the APIs of DigitalOcean and Datadog (or the sandbox's stand-ins for
 * both).
 */
import type { DatadogAccess } from "../datadog/access";
import { type ApiAccess, listAll, request } from "./apiClient";
import { askDatadog } from "./askDatadog";

export interface UptimeState {
  readonly name: string;
  readonly target: string;
  /** UP, DOWN or CHECKING, by region. */
  readonly regions: Readonly<Record<string, string>>;
  /** Start of this state. */
  readonly since: string;
}

/** One of Datadog's monitors. */
export interface MonitorState {
  readonly name: string;
  readonly state: string;
  /** Groups that are not OK, such as "host:dev-node-1". */
  readonly groups: readonly string[];
  readonly tags: readonly string[];
}

/** One of DigitalOcean's own alerts that is triggered. */
export interface TriggeredAlert {
  /** The name that its creator gave it. */
  readonly description: string;
  /** The name of the resource. */
  readonly on: string;
  readonly since: string;
  readonly value: number;
}

/** Uptime checks and their states; only those with one name if it is given. */
export async function uptimeStates(api: ApiAccess, wanted?: string): Promise<UptimeState[]> {
  const checks = await listAll(api, "/v2/uptime/checks", "checks");
  return Promise.all(
    checks
      .filter(({ name }) => wanted === undefined || name === wanted)
      .map(async ({ id, name, target }) => {
        const { body } = await request(api, "GET", `/v2/uptime/checks/${String(id)}/state`);
        const { state } = body as { state?: { regions?: Record<string, RegionState> } };
        const regions = Object.entries(state?.regions ?? {});
        return {
          name: String(name),
          target: String(target ?? ""),
          regions: Object.fromEntries(regions.map(([region, { status }]) => [region, status])),
          since: regions[0]?.[1].status_changed_at ?? "",
        };
      }),
  );
}

interface RegionState {
  readonly status: string;
  readonly status_changed_at?: string;
}

interface Triggered {
  readonly description: string;
  readonly entity: string;
  readonly since: number;
  readonly value: number;
}

/**
 * DigitalOcean's alerts that are triggered now. Undefined if the API does not report them: the real one only sends
 * mail, and the sandbox's has no observer if droplets are only records.
 */
export async function triggeredAlerts(api: ApiAccess): Promise<TriggeredAlert[] | undefined> {
  const { status, body } = await request(api, "GET", "/sandbox/alerts");
  const alerts = status === 200 ? (body as { alerts: Triggered[] | null }).alerts : null;
  if (alerts === null) return undefined;
  const names = alerts.length === 0 ? new Map<string, string>() : await entityNames(api);
  return alerts
    .map(({ description, entity, since, value }) => {
      const on = names.get(entity) ?? entity;
      return { description, on, since: new Date(since * 1000).toISOString(), value };
    })
    .sort((a, b) => (`${a.description} ${a.on}` < `${b.description} ${b.on}` ? -1 : 1));
}

async function entityNames(api: ApiAccess): Promise<Map<string, string>> {
  const kinds = [
    ["droplet", "/v2/droplets", "droplets"],
    ["balancer", "/v2/load_balancers", "load_balancers"],
    ["check", "/v2/uptime/checks", "checks"],
  ] as const;
  const lists = await Promise.all(
    kinds.map(async ([kind, path, key]) =>
      (await listAll(api, path, key)).map(({ id, name }) => [`${kind}:${id}`, String(name)] as const),
    ),
  );
  return new Map(lists.flat());
}

interface ShownMonitor {
  readonly name: string;
  readonly overall_state: string;
  readonly tags: readonly string[];
  readonly state?: { readonly groups?: Readonly<Record<string, { readonly status: string }>> };
}

/** The state of every monitor, by name. Throws if Datadog does not answer 200. */
export async function monitorStates(datadog: DatadogAccess): Promise<MonitorState[]> {
  const monitors = await askDatadog<ShownMonitor[]>(
    datadog,
    "/api/v1/monitor?group_states=alert,warn,no%20data",
  );
  return monitors
    .map(({ name, overall_state, tags, state }) => ({
      name,
      state: overall_state,
      groups: Object.entries(state?.groups ?? {})
        .filter(([, { status }]) => status !== "OK")
        .map(([group]) => group)
        .filter((group) => group !== ""),
      tags,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
