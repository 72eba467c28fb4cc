/** What `npm run status` shows, read off DigitalOcean's API and Datadog's (or the sandbox's stand-ins of both). */
import { type ApiAccess, listAll, request } from "../sandbox/apiClient";
import type { DatadogAccess } from "../sandbox/datadogAccess";

export interface Figure {
  readonly name: string;
  readonly unit: string;
  /** The newest whole value, undefined where nothing was received. */
  readonly value: number | undefined;
  readonly hosts: readonly { readonly host: string; readonly value: number }[];
}

export interface AlertStatus {
  readonly name: string;
  readonly state: string;
  /** Groups that are not well, as "host:dev-node-1". */
  readonly groups: readonly string[];
}

export interface Status {
  readonly stack: string;
  readonly at: string;
  readonly droplets: readonly { readonly name: string; readonly status: string }[];
  readonly loadBalancers: readonly { readonly name: string; readonly ip: string; readonly status: string }[];
  /** Undefined where there is no Datadog to ask. */
  readonly figures: readonly Figure[] | undefined;
  /** Datadog's; undefined where there is none to ask. */
  readonly alerts: readonly AlertStatus[] | undefined;
  /** DigitalOcean's uptime checks by region. */
  readonly uptime: readonly { readonly name: string; readonly regions: Readonly<Record<string, string>> }[];
  /** What could not be asked, and why. */
  readonly problems: readonly string[];
}

export interface Sources {
  readonly stack: string;
  readonly api: ApiAccess;
  readonly datadog: DatadogAccess | undefined;
}

/** By their own names, as docs/monitoring.md explains them. */
const figures = [
  { name: "Web QPS", unit: "/s", aggregate: "sum", metric: "nginx.net.request_per_s" },
  { name: "Database QPS", unit: "/s", aggregate: "sum", metric: "mysql.performance.questions" },
  { name: "Answer time, p95", unit: " s", aggregate: "max", metric: "secured_web.http.seconds.95percentile" },
  { name: "Requests of visitors", unit: "", aggregate: "sum", metric: "secured_web.http.requests" },
  { name: "5xx answers", unit: "", aggregate: "sum", metric: "secured_web.http.errors" },
  { name: "Writers", unit: "", aggregate: "min", metric: "secured_web.group.writers" },
  { name: "Memory left", unit: "", aggregate: "min", metric: "system.mem.pct_usable" },
  { name: "Disk in use", unit: "", aggregate: "max", metric: "system.disk.in_use" },
] as const;
/** Long enough for an agent's fifteen seconds and the way to Datadog. */
const lookBackSeconds = 120;

/** Reads everything once. What cannot be had is told in `problems`; nothing is thrown for it. */
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
  const { stack, api, datadog } = sources;
  const tag = `secured-web-${stack}`;
  const [droplets, loadBalancers, uptime, found, alerts] = await Promise.all([
    attempt("droplets", () => listAll(api, `/v2/droplets?tag_name=${tag}`, "droplets"), []),
    attempt("load balancers", () => listAll(api, "/v2/load_balancers", "load_balancers"), []),
    attempt("uptime checks", () => uptimeOf(api, tag), []),
    datadog && attempt("Datadog's figures", () => figuresOf(datadog, stack), undefined),
    datadog && attempt("Datadog's monitors", () => alertsOf(datadog, stack), undefined),
  ]);
  return {
    stack,
    at: new Date().toISOString(),
    droplets: droplets.map(({ name, status }) => ({ name: String(name), status: String(status) })),
    loadBalancers: loadBalancers
      .filter(({ name }) => String(name).includes(tag) || String(name).startsWith(`${stack}-`))
      .map(({ name, ip, status }) => ({ name: String(name), ip: String(ip), status: String(status) })),
    figures: found,
    alerts,
    uptime,
    problems,
  };
}

async function uptimeOf(api: ApiAccess, tag: string): Promise<Status["uptime"]> {
  const checks = (await listAll(api, "/v2/uptime/checks", "checks")).filter(({ name }) => name === tag);
  return Promise.all(
    checks.map(async ({ id, name }) => {
      const { body } = await request(api, "GET", `/v2/uptime/checks/${String(id)}/state`);
      const { state } = body as { state?: { regions?: Record<string, { status: string }> } };
      const regions = Object.entries(state?.regions ?? {}).map(([region, { status }]) => [region, status]);
      return { name: String(name), regions: Object.fromEntries(regions) as Record<string, string> };
    }),
  );
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
    figures.map(async ({ name, unit, aggregate, metric }) => {
      const query = `${aggregate}:${metric}{stack:${stack}}`;
      const [whole, hosts] = await Promise.all([ask(query), ask(`${query} by {host}`)]);
      return {
        name,
        unit,
        value: newest(whole[0]),
        hosts: hosts
          .flatMap((line) => {
            const value = newest(line);
            const host = line.tag_set.find((tag) => tag.startsWith("host:"))?.slice(5);
            return value === undefined || host === undefined ? [] : [{ host, value }];
          })
          .sort((a, b) => (a.host < b.host ? -1 : 1)),
      };
    }),
  );
}

/** The last bucket is still being filled: the one before it tells the truth. */
function newest(line: Line | undefined): number | undefined {
  return line?.pointlist.at(-2)?.[1] ?? line?.pointlist.at(-1)?.[1];
}

interface ShownMonitor {
  readonly name: string;
  readonly overall_state: string;
  readonly tags: readonly string[];
  readonly state?: { readonly groups?: Readonly<Record<string, { readonly status: string }>> };
}

async function alertsOf(datadog: DatadogAccess, stack: string): Promise<AlertStatus[]> {
  const monitors = await askDatadog<ShownMonitor[]>(
    datadog,
    "/api/v1/monitor?group_states=alert,warn,no%20data",
  );
  return monitors
    .filter(({ tags }) => tags.includes(`stack:${stack}`) && tags.includes("service:secured-web"))
    .map(({ name, overall_state, tags, state }) => ({
      name: tags.find((tag) => tag.startsWith("runbook:"))?.slice(8) ?? name,
      state: overall_state,
      groups: Object.entries(state?.groups ?? {})
        .filter(([, { status }]) => status !== "OK")
        .map(([group]) => group)
        .filter((group) => group !== ""),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function askDatadog<T>({ url, apiKey, appKey }: DatadogAccess, path: string): Promise<T> {
  const response = await fetch(`${url}${path}`, {
    headers: { "dd-api-key": apiKey, "dd-application-key": appKey },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`${path.split("?")[0]} answers ${response.status}`);
  return (await response.json()) as T;
}
