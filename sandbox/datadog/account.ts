/** Monitors, objectives and dashboards of the stand-in's account, stored in a file. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { z } from "zod";
import type { Objective } from "./monitors";
import { parseExpression, parseMonitorQuery, QueryError } from "./query";

/** A request that Datadog would answer with 400. */
export class Refused extends Error {}

const limit = z.number().nullish();
const monitorBody = z.object({
  name: z.string().min(1),
  type: z.enum(["metric alert", "query alert", "slo alert"]),
  query: z.string().min(1),
  message: z.string(),
  tags: z.array(z.string()).default([]),
  priority: z.number().int().min(1).max(5).nullish(),
  options: z
    .object({
      thresholds: z
        .object({ critical: limit, warning: limit, critical_recovery: limit, warning_recovery: limit })
        .default({}),
      notify_no_data: z.boolean().default(false),
      no_data_timeframe: z.number().int().min(1).nullish(),
      require_full_window: z.boolean().default(true),
      include_tags: z.boolean().default(true),
    })
    .prefault({}),
});
const objectiveBody = z.object({
  name: z.string().min(1),
  type: z.literal("metric"),
  description: z.string().nullish(),
  query: z.object({ numerator: z.string().min(1), denominator: z.string().min(1) }),
  thresholds: z
    .array(
      z.object({
        timeframe: z.enum(["7d", "30d", "90d"]),
        target: z.number().gt(0).lt(100),
        warning: z.number().nullish(),
      }),
    )
    .min(1),
  tags: z.array(z.string()).default([]),
});
const dashboardBody = z.looseObject({
  title: z.string().min(1),
  layout_type: z.enum(["ordered", "free"]),
  widgets: z.array(z.looseObject({ definition: z.looseObject({ type: z.string() }) })),
});

type StoredMonitor = z.output<typeof monitorBody> & { readonly id: number };
type StoredObjective = Objective & z.output<typeof objectiveBody>;
type StoredDashboard = z.output<typeof dashboardBody> & { readonly id: string };

interface State {
  lastId: number;
  monitors: StoredMonitor[];
  objectives: StoredObjective[];
  dashboards: StoredDashboard[];
}

export class Account {
  readonly #state: State;

  /** @param file the file of the account; if undefined, it is only kept while this process runs */
  constructor(private readonly file: string | undefined) {
    this.#state = { lastId: 1000, monitors: [], objectives: [], dashboards: [], ...read(file) };
  }

  get monitors(): readonly StoredMonitor[] {
    return this.#state.monitors;
  }
  get objectives(): readonly StoredObjective[] {
    return this.#state.objectives;
  }
  get dashboards(): readonly StoredDashboard[] {
    return this.#state.dashboards;
  }

  /** The monitor in a request's body. Throws Refused, as Datadog refuses it. */
  checkMonitor(body: unknown): Omit<StoredMonitor, "id"> {
    const given = parse(monitorBody, body);
    const query = asked(() => parseMonitorQuery(given.query));
    const critical = given.options.thresholds.critical;
    if (critical !== undefined && critical !== null && critical !== query.threshold) {
      throw new Refused(
        `Alert threshold (${critical}) does not match that used in the query (${query.threshold})`,
      );
    }
    if ((query.kind === "burn-rate") !== (given.type === "slo alert")) {
      throw new Refused(`this query does not match the type "${given.type}"`);
    }
    if (
      query.kind === "burn-rate" &&
      query.objectiveId !== "" &&
      !this.objectives.some(({ id }) => id === query.objectiveId)
    ) {
      throw new Refused(`there is no objective ${query.objectiveId}`);
    }
    return given;
  }

  putMonitor(id: number | undefined, body: unknown): StoredMonitor {
    const monitor = { ...this.checkMonitor(body), id: id ?? ++this.#state.lastId };
    return this.#put(this.#state.monitors, monitor);
  }

  putObjective(id: string | undefined, body: unknown): StoredObjective {
    const given = parse(objectiveBody, body);
    for (const query of [given.query.numerator, given.query.denominator]) asked(() => parseExpression(query));
    return this.#put(this.#state.objectives, { ...given, id: id ?? randomUUID().replaceAll("-", "") });
  }

  putDashboard(id: string | undefined, body: unknown): StoredDashboard {
    const given = parse(dashboardBody, body);
    const made = id ?? randomUUID().slice(0, 11);
    return this.#put(this.#state.dashboards, { ...given, id: made, url: `/dashboard/${made}` });
  }

  /** True if it existed. */
  remove(kind: "monitors" | "objectives" | "dashboards", id: number | string): boolean {
    const list: { id: number | string }[] = this.#state[kind];
    const index = list.findIndex((item) => item.id === id);
    if (index < 0) return false;
    list.splice(index, 1);
    this.#save();
    return true;
  }

  #put<T extends { id: number | string }>(list: T[], item: T): T {
    const index = list.findIndex(({ id }) => id === item.id);
    if (index < 0) list.push(item);
    else list[index] = item;
    this.#save();
    return item;
  }

  #save(): void {
    if (this.file === undefined) return;
    mkdirSync(dirname(this.file), { recursive: true, mode: 0o700 });
    writeFileSync(`${this.file}.new`, JSON.stringify(this.#state), { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }
}

function read(file: string | undefined): Partial<State> {
  if (file === undefined) return {};
  try {
    return JSON.parse(readFileSync(file, "utf8")) as State;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw error;
  }
}

function parse<S extends z.ZodType>(schema: S, body: unknown): z.output<S> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Refused(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "is invalid"}`);
}

function asked<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof QueryError)) throw error;
    throw new Refused(`The value provided for parameter 'query' is invalid: ${error.message}`);
  }
}
