/**
 * Reads the data of `npm run status` from the APIs of DigitalOcean and Datadog (or the sandbox's stand-ins for both).
 */
import {
  type ApiAccess,
  askDatadog,
  type DatadogAccess,
  listAll,
  type UptimeState,
  uptimeStates,
} from "../../sandbox/index";
import { type AlertStatus, monitorsOf, type TriggeredAlert, triggeredAlerts } from "./alerts";
import { type BackendStatus, backendsOf } from "./backends";
import type { HostRelease } from "./releases";

export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** The newest complete value; undefined if no data was received. */
  readonly value: number | undefined;
  readonly hosts: readonly { readonly host: string; readonly value: number }[];
}

export interface Status {
  readonly stack: string;
  readonly at: string;
  readonly droplets: readonly { readonly name: string; readonly status: string }[];
  readonly loadBalancers: readonly { readonly name: string; readonly ip: string; readonly status: string }[];
  /** The releases that the hosts run; undefined if the stack's hosts do not report. */
  readonly releases: readonly HostRelease[] | undefined;
  /** The hosts behind the load balancers, as the load balancers see them. */
  readonly backends: readonly BackendStatus[];
  /** Undefined if there is no Datadog to ask. */
  readonly figures: readonly Figure[] | undefined;
  /** Datadog's monitors; undefined if there is no Datadog to ask. */
  readonly alerts: readonly AlertStatus[] | undefined;
  /** DigitalOcean's uptime checks by region. */
  readonly uptime: readonly UptimeState[];
  /**
   * DigitalOcean's own alerts that are triggered; undefined if the API does not report them (the real one only sends
   * mail).
   */
  readonly triggered: readonly TriggeredAlert[] | undefined;
  /** Data that is unavailable, with the reason. */
  readonly problems: readonly string[];
}

export interface Sources {
  readonly stack: string;
  readonly api: ApiAccess;
  readonly datadog: DatadogAccess | undefined;
  /** Reads the hosts' reports; undefined if they do not report. */
  readonly readReleases?: () => Promise<readonly HostRelease[] | undefined>;
  /** True if the API is the sandbox's own, which reports triggered alerts. */
  readonly isSandbox?: boolean;
}

/** With their own names, as docs/monitoring.md explains them. */
const figures: readonly {
  readonly name: string;
  readonly unit: string;
  readonly aggregate: "sum" | "min" | "max";
  readonly metric: string;
  /** The tag that groups the metric, and how the groups are combined; default: hosts and `aggregate`. */
  readonly by?: "member";
  readonly whole?: "sum";
}[] = [
  { name: "Web QPS", unit: "/s", aggregate: "sum", metric: "nginx.net.request_per_s" },
  { name: "Database QPS", unit: "/s", aggregate: "sum", metric: "mysql.performance.questions" },
  { name: "Answer time, p95", unit: " s", aggregate: "max", metric: "secured_web.http.seconds.95percentile" },
  { name: "Requests of visitors", unit: "", aggregate: "sum", metric: "secured_web.http.requests" },
  { name: "5xx answers", unit: "", aggregate: "sum", metric: "secured_web.http.errors" },
  {
    name: "Members ONLINE",
    unit: "",
    aggregate: "min",
    metric: "secured_web.group.member_online",
    by: "member",
    whole: "sum",
  },
  { name: "Writers", unit: "", aggregate: "min", metric: "secured_web.group.writers" },
  { name: "Memory left", unit: "", aggregate: "min", metric: "system.mem.pct_usable" },
  { name: "Disk in use", unit: "", aggregate: "max", metric: "system.disk.in_use" },
];
const aggregates = {
  sum: (values: readonly number[]) => values.reduce((total, value) => total + value, 0),
  min: (values: readonly number[]) => Math.min(...values),
  max: (values: readonly number[]) => Math.max(...values),
};
/** Long enough for an agent's fifteen seconds and the way to Datadog. */
const lookBackSeconds = 120;

/** Reads everything once. Unavailable data is listed in `problems`; nothing is thrown for it. */
export async function readStatus(sources: Sources): Promise<Status> {
  const problems: string[] = [];
  const attempt = async <T>(what: string, work: () => Promise<T>, without: T): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return without;
    }
  };
  const { stack, api, datadog, isSandbox = false } = sources;
  const tag = `secured-web-${stack}`;
  const [droplets, loadBalancers, uptime, triggered, found, alerts, releases] = await Promise.all([
    attempt("droplets", () => listAll(api, `/v2/droplets?tag_name=${tag}`, "droplets"), []),
    attempt("load balancers", () => listAll(api, "/v2/load_balancers", "load_balancers"), []),
    attempt("uptime checks", () => uptimeStates(api, tag), []),
    isSandbox ? attempt("alerts", () => triggeredAlerts(api), undefined) : undefined,
    datadog && attempt("Datadog's metrics", () => figuresOf(datadog, stack), undefined),
    datadog && attempt("Datadog's monitors", () => monitorsOf(datadog, stack), undefined),
    sources.readReleases && attempt("reports of the hosts", sources.readReleases, undefined),
  ]);
  const own = loadBalancers
    .map(({ id, name, ip, status }) => ({
      id: String(id),
      name: String(name),
      ip: String(ip),
      status: String(status),
    }))
    .filter(({ name }) => name.includes(tag) || name.startsWith(`${stack}-`));
  const backends = await attempt(
    "backends",
    async () => (await Promise.all(own.map((one) => backendsOf(api, one)))).flat(),
    [],
  );
  return {
    stack,
    at: new Date().toISOString(),
    droplets: droplets
      .map(({ name, status }) => ({ name: String(name), status: String(status) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    loadBalancers: own.map(({ name, ip, status }) => ({ name, ip, status })),
    releases,
    backends,
    figures: found,
    alerts,
    uptime,
    triggered,
    problems,
  };
}

interface Line {
  readonly tag_set: readonly string[];
  readonly pointlist: readonly (readonly [number, number])[];
}

async function figuresOf(datadog: DatadogAccess, stack: string): Promise<Figure[]> {
  const to = Math.floor(Date.now() / 1000);
  const ask = async (query: string): Promise<readonly Line[]> => {
    const parameters = new URLSearchParams({ from: String(to - lookBackSeconds), to: String(to), query });
    return (await askDatadog<{ series?: Line[] }>(datadog, `/api/v1/query?${parameters}`)).series ?? [];
  };
  return Promise.all(
    figures.map(async ({ name, unit, aggregate, metric, by = "host", whole = aggregate }) => {
      const hosts = eachOf(await ask(`${aggregate}:${metric}{stack:${stack}} by {${by}}`), by);
      // The total of the values that are shown: hosts send at different seconds, so one bucket can lack a host.
      const values = hosts.map(({ value }) => value);
      return { name, unit, value: values.length === 0 ? undefined : aggregates[whole](values), hosts };
    }),
  );
}

function eachOf(lines: readonly Line[], tag: string): Figure["hosts"] {
  return lines
    .flatMap((line) => {
      const value = newest(line);
      const host = line.tag_set.find((one) => one.startsWith(`${tag}:`))?.slice(tag.length + 1);
      return value === undefined || host === undefined ? [] : [{ host, value }];
    })
    .sort((a, b) => (a.host < b.host ? -1 : 1));
}

/** The last bucket is incomplete, so the one before it is used. */
function newest(line: Line | undefined): number | undefined {
  return line?.pointlist.at(-2)?.[1] ?? line?.pointlist.at(-1)?.[1];
}
