import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gunzipSync, inflateSync, unzipSync } from "node:zlib";
import { Account, Refused } from "./account";
import { timeline } from "./evaluate";
import { Evaluator, type MonitorState, type Transition } from "./monitors";
import { parseExpression, QueryError } from "./query";
import { type Series, SeriesStore } from "./series";
import { checkRuns, type Log, logsV2, seriesV1, seriesV2 } from "./submissions";

export interface DatadogOptions {
  /** 0 uses any free port of the loopback address. */
  readonly port: number;
  /** The accepted keys; undefined accepts any well-formed key. */
  readonly apiKeys?: () => readonly string[];
  readonly appKey?: string;
  /** The file of monitors, objectives and dashboards; without it they are only kept while the process runs. */
  readonly stateFile?: string;
  /** See EvaluatorOptions; 1 and 10 s by default. */
  readonly timeScale?: number;
  readonly bucketSeconds?: number;
  /** Interval between two evaluations of the monitors; default 5 s. */
  readonly evaluateMs?: number;
}

/** A stand-in for Datadog's intake and API. */
export interface RunningDatadog {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  readonly port: number;
  readonly store: SeriesStore;
  readonly logs: readonly Log[];
  readonly account: Account;
  readonly evaluator: Evaluator;
  readonly transitions: readonly Transition[];
  close(): Promise<void>;
}

const keptLogs = 50_000;
const mostBodyBytes = 8 * 1024 * 1024;

/** Starts the stand-in on the loopback address. Throws if the port is taken. */
export async function startDatadog(options: DatadogOptions): Promise<RunningDatadog> {
  const store = new SeriesStore();
  const logs: Log[] = [];
  const account = new Account(options.stateFile);
  const bucket = options.bucketSeconds ?? 10;
  const evaluator = new Evaluator(store, { timeScale: options.timeScale ?? 1, bucket });
  const intake = new Intake(options, { store, logs, account, evaluator, bucket });
  const server = createServer((request, response) => {
    intake.handle(request, response).catch((error: unknown) => {
      send(response, 500, { errors: [error instanceof Error ? error.message : String(error)] });
    });
  });
  const port = await listen(server, options.port);
  const timer = setInterval(
    () => evaluator.evaluate(account.monitors, account.objectives, Date.now() / 1000),
    options.evaluateMs ?? 5000,
  ).unref();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    store,
    logs,
    account,
    evaluator,
    transitions: evaluator.transitions,
    close: () => {
      clearInterval(timer);
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

interface Parts {
  readonly store: SeriesStore;
  readonly logs: Log[];
  readonly account: Account;
  readonly evaluator: Evaluator;
  readonly bucket: number;
}

type Answer = readonly [status: number, body: unknown];

const notFound: Answer = [404, { errors: ["Not found"] }];

class Intake {
  constructor(
    private readonly options: DatadogOptions,
    private readonly parts: Parts,
  ) {}

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", "http://localhost");
    const isIntake =
      request.method === "POST" && /^\/api\/v[12]\/(series|logs|check_run)$/.test(url.pathname);
    if (!this.#allowed(request, url, isIntake)) return send(response, 403, { errors: ["Forbidden"] });
    try {
      const body = request.method === "POST" || request.method === "PUT" ? await bodyOf(request) : undefined;
      const [status, answer] = isIntake
        ? this.#receive(url.pathname, body)
        : this.#answer(request, url, body);
      send(response, status, answer);
    } catch (error) {
      // An error in a parser is the sender's error.
      const isTheirs = error instanceof Refused || error instanceof QueryError || isZodError(error);
      if (!isTheirs && !(error instanceof SyntaxError)) throw error;
      send(response, 400, { errors: [error.message] });
    }
  }

  /** Agents send only the API key; the API also requires the application key. */
  #allowed(request: IncomingMessage, url: URL, isIntake: boolean): boolean {
    const apiKey = request.headers["dd-api-key"] ?? url.searchParams.get("api_key") ?? "";
    const appKey = request.headers["dd-application-key"] ?? url.searchParams.get("application_key") ?? "";
    const fits = (given: unknown, wanted: readonly string[] | undefined) =>
      typeof given === "string" && (wanted?.includes(given) ?? given !== "");
    const { apiKeys, appKey: wantedAppKey } = this.options;
    if (!fits(apiKey, apiKeys?.())) return false;
    if (isIntake || url.pathname === "/api/v1/validate") return true;
    return fits(appKey, wantedAppKey === undefined ? undefined : [wantedAppKey]);
  }

  #receive(path: string, body: unknown): Answer {
    const { store, logs } = this.parts;
    if (path === "/api/v2/logs") {
      logs.push(...logsV2(body));
      logs.splice(0, Math.max(0, logs.length - keptLogs));
      return [202, {}];
    }
    if (path === "/api/v1/series") for (const one of seriesV1(body)) store.add(one);
    else if (path === "/api/v2/series") for (const one of seriesV2(body)) store.add(one);
    else if (path === "/api/v1/check_run") for (const one of checkRuns(body, now())) store.add(one);
    else return notFound;
    return [202, path === "/api/v2/series" ? { errors: [] } : { status: "ok" }];
  }

  #answer({ method = "GET" }: IncomingMessage, url: URL, body: unknown): Answer {
    const [, version, kind, id] = /^\/(api\/v1|sandbox)\/([\w_]+)(?:\/([\w-]+))?$/.exec(url.pathname) ?? [];
    if (version === "sandbox") return this.#sandbox(kind ?? "", url);
    switch (kind) {
      case "validate":
        return [200, { valid: true }];
      case "query":
        return this.#query(url);
      case "monitor":
        return this.#monitor(method, id, body);
      case "slo":
        return this.#objective(method, id, body);
      case "dashboard":
        return this.#dashboard(method, id, body);
      default:
        return notFound;
    }
  }

  #monitor(method: string, id: string | undefined, body: unknown): Answer {
    const { account } = this.parts;
    const found = account.monitors.find((monitor) => String(monitor.id) === id);
    if (method === "POST" && id === "validate") {
      account.checkMonitor(body);
      return [200, {}];
    }
    if (method === "POST" && id === undefined) return [200, this.#shown(account.putMonitor(undefined, body))];
    if (method === "GET" && id === undefined)
      return [200, account.monitors.map((monitor) => this.#shown(monitor))];
    if (found === undefined) return [404, { errors: ["Monitor not found"] }];
    if (method === "GET") return [200, this.#shown(found)];
    if (method === "PUT") return [200, this.#shown(account.putMonitor(found.id, body))];
    account.remove("monitors", found.id);
    return [200, { deleted_monitor_id: found.id }];
  }

  #shown<M extends { readonly id: number }>(monitor: M): M & { overall_state: MonitorState; state: unknown } {
    const groups = [...this.parts.evaluator.states(monitor.id)].map(([name, state]) => [
      name,
      { name, status: state.state, last_triggered_ts: Math.floor(state.since), value: state.value ?? null },
    ]);
    return {
      ...monitor,
      overall_state: this.parts.evaluator.overall(monitor.id),
      state: { groups: Object.fromEntries(groups) },
    };
  }

  #objective(method: string, id: string | undefined, body: unknown): Answer {
    const { account } = this.parts;
    const found = account.objectives.find((objective) => objective.id === id);
    if (method === "POST") return [200, { data: [account.putObjective(undefined, body)] }];
    if (method === "GET" && id === undefined) return [200, { data: account.objectives }];
    if (found === undefined) return [404, { errors: [`SLO ${id} not found`] }];
    if (method === "GET") return [200, { data: found }];
    if (method === "PUT") return [200, { data: [account.putObjective(found.id, body)] }];
    account.remove("objectives", found.id);
    return [200, { data: [found.id] }];
  }

  #dashboard(method: string, id: string | undefined, body: unknown): Answer {
    const { account } = this.parts;
    const found = account.dashboards.find((dashboard) => dashboard.id === id);
    if (method === "POST") return [200, account.putDashboard(undefined, body)];
    if (method === "GET" && id === undefined) {
      return [200, { dashboards: account.dashboards.map(({ id: key, title }) => ({ id: key, title })) }];
    }
    if (found === undefined) return [404, { errors: [`Dashboard with ID ${id} not found`] }];
    if (method === "GET") return [200, found];
    if (method === "PUT") return [200, account.putDashboard(found.id, body)];
    account.remove("dashboards", found.id);
    return [200, { deleted_dashboard_id: found.id }];
  }

  /** `GET /api/v1/query`: the series of a graph. */
  #query({ searchParams }: URL): Answer {
    const [from, to] = ["from", "to"].map((name) => Number(searchParams.get(name)));
    const query = searchParams.get("query") ?? "";
    if (!from || !to || from >= to) throw new Refused("from and to must be seconds since the epoch");
    const lines = timeline(this.parts.store, parseExpression(query), { from, to, bucket: this.parts.bucket });
    return [
      200,
      {
        status: "ok",
        query,
        series: [...lines].map(([group, values]) => ({
          expression: query,
          scope: group === "" ? "*" : group,
          tag_set: group === "" ? [] : group.split(","),
          interval: this.parts.bucket,
          pointlist: [...values].sort(([a], [b]) => a - b).map(([time, value]) => [time * 1000, value]),
        })),
      },
    ];
  }

  /** Not part of Datadog's API: everything that was received, for inspection. */
  #sandbox(kind: string, { searchParams }: URL): Answer {
    const { store, logs, evaluator } = this.parts;
    const name = searchParams.get("name");
    if (kind === "metrics" && name === null) {
      return [200, { counts: store.metrics().map((one) => counted(store, one)) }];
    }
    if (kind === "metrics") return [200, { series: store.of(name ?? "").map(shownSeries) }];
    if (kind === "logs") return [200, { logs }];
    if (kind === "transitions") return [200, { transitions: evaluator.transitions }];
    return notFound;
  }
}

function counted(store: SeriesStore, name: string): object {
  const series = store.of(name);
  return { name, series: series.length, points: series.reduce((sum, { points }) => sum + points.length, 0) };
}

function shownSeries({ metric, type, interval, tags, points }: Series): object {
  const flat = [...tags].flatMap(([key, values]) => values.map((value) => `${key}:${value}`));
  return { metric, type, interval, tags: flat, last: points.at(-1), points: points.length };
}

const now = () => Math.floor(Date.now() / 1000);

function isZodError(error: unknown): error is Error {
  return error instanceof Error && (error.name === "ZodError" || error.name === "$ZodError");
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > mostBodyBytes) throw new Refused("the payload is too large");
    chunks.push(chunk);
  }
  const raw = Buffer.concat(chunks);
  return JSON.parse(decoded(raw, request.headers["content-encoding"]).toString("utf8"));
}

function decoded(raw: Buffer, encoding: string | undefined): Buffer {
  if (encoding === undefined || encoding === "identity" || raw.length === 0) return raw;
  const limits = { maxOutputLength: 8 * mostBodyBytes };
  if (encoding === "gzip") return gunzipSync(raw, limits);
  if (encoding === "deflate") return raw[0] === 0x78 ? inflateSync(raw, limits) : unzipSync(raw, limits);
  throw new Refused(`content-encoding ${encoding} is not supported`);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}
