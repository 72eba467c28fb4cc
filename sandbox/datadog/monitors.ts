/** The states of monitors, evaluated over the data that the intake has received. */
import { type Groups, reduce, type Window } from "./evaluate";
import { type MonitorQuery, parseExpression, parseMonitorQuery } from "./query";
import type { SeriesStore } from "./series";

export type MonitorState = "OK" | "Warn" | "Alert" | "No Data";

/** As stored by the API. */
export interface Monitor {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly query: string;
  readonly message: string;
  readonly tags: readonly string[];
  readonly priority?: number | null | undefined;
  readonly options: {
    readonly thresholds?: {
      readonly critical?: number | null | undefined;
      readonly warning?: number | null | undefined;
    };
    readonly notify_no_data?: boolean;
    /** Minutes. */
    readonly no_data_timeframe?: number | null | undefined;
  };
}

export interface Objective {
  readonly id: string;
  readonly name: string;
  readonly query: { readonly numerator: string; readonly denominator: string };
  readonly thresholds: readonly { readonly timeframe: string; readonly target: number }[];
}

export interface GroupState {
  readonly state: MonitorState;
  /** Seconds since the epoch. */
  readonly since: number;
  readonly lastData: number;
  readonly value: number | undefined;
}

/** A group of a monitor that changed its state. */
export interface Transition {
  readonly monitorId: number;
  readonly name: string;
  readonly group: string;
  readonly from: MonitorState;
  readonly to: MonitorState;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly value: number | undefined;
}

export interface EvaluatorOptions {
  /** Speed-up of the queries' windows: with 60, last_5m is five seconds. For demonstrations and tests. */
  readonly timeScale: number;
  /** Seconds; see Window. */
  readonly bucket: number;
}

const keptTransitions = 10_000;

export class Evaluator {
  readonly #states = new Map<number, Map<string, GroupState>>();
  readonly #queries = new Map<string, MonitorQuery>();
  readonly transitions: Transition[] = [];

  constructor(
    private readonly store: SeriesStore,
    private readonly options: EvaluatorOptions,
  ) {}

  /** Evaluates every monitor once. */
  evaluate(monitors: readonly Monitor[], objectives: readonly Objective[], now: number): void {
    const known = new Set(monitors.map(({ id }) => id));
    for (const id of this.#states.keys()) if (!known.has(id)) this.#states.delete(id);
    for (const monitor of monitors) this.#evaluateOne(monitor, objectives, now);
  }

  states(monitorId: number): ReadonlyMap<string, GroupState> {
    return this.#states.get(monitorId) ?? new Map();
  }

  /** The worst state of its groups; "No Data" if it has none. */
  overall(monitorId: number): MonitorState {
    const found = [...this.states(monitorId).values()].map(({ state }) => state);
    return (["Alert", "No Data", "Warn", "OK"] as const).find((state) => found.includes(state)) ?? "No Data";
  }

  #evaluateOne(monitor: Monitor, objectives: readonly Objective[], now: number): void {
    const query = this.#parse(monitor.query);
    const values = this.#values(query, objectives, now);
    const states = this.#states.get(monitor.id) ?? new Map<string, GroupState>();
    this.#states.set(monitor.id, states);
    for (const [group, value] of values) {
      this.#put(monitor, states, group, stateOf(query, monitor, value), now, value);
    }
    if (!monitor.options.notify_no_data) return;
    const silence = ((monitor.options.no_data_timeframe ?? 10) * 60) / this.options.timeScale;
    for (const [group, { lastData }] of states) {
      if (!values.has(group) && now - lastData > silence) {
        this.#put(monitor, states, group, "No Data", now, undefined);
      }
    }
  }

  #put(
    monitor: Monitor,
    states: Map<string, GroupState>,
    group: string,
    state: MonitorState,
    now: number,
    value: number | undefined,
  ): void {
    const before = states.get(group);
    const lastData = value === undefined ? (before?.lastData ?? now) : now;
    const since = before?.state === state ? before.since : now;
    states.set(group, { state, since, lastData, value });
    const from = before?.state ?? "OK";
    if (from === state) return;
    const { id: monitorId, name } = monitor;
    this.transitions.push({ monitorId, name, group, from, to: state, at: now, value });
    if (this.transitions.length > keptTransitions) this.transitions.shift();
  }

  #values(query: MonitorQuery, objectives: readonly Objective[], now: number): Groups {
    switch (query.kind) {
      case "threshold":
        return reduce(this.store, query.expression, query.aggregate, this.#window(query.seconds, now));
      case "change":
        return this.#change(query, now);
      case "burn-rate":
        return this.#burnRate(query, objectives, now);
    }
  }

  #change(query: MonitorQuery & { readonly kind: "change" }, now: number): Groups {
    const { expression, aggregate } = query;
    const before = now - query.againstSeconds / this.options.timeScale;
    const new_ = reduce(this.store, expression, aggregate, this.#window(query.seconds, now));
    const old = reduce(this.store, expression, aggregate, this.#window(query.seconds, before));
    const result = new Map<string, number>();
    for (const [group, value] of new_) {
      const then = old.get(group);
      if (then === undefined) continue;
      const difference = value - then;
      const told = query.percent ? (difference / Math.abs(then)) * 100 : difference;
      if (!Number.isNaN(told)) result.set(group, told);
    }
    return result;
  }

  /** Both windows must burn at that rate, so the smaller of the two decides. */
  #burnRate(
    query: MonitorQuery & { readonly kind: "burn-rate" },
    objectives: readonly Objective[],
    now: number,
  ): Groups {
    const objective = objectives.find(({ id }) => id === query.objectiveId);
    const target = objective?.thresholds[0]?.target;
    if (objective === undefined || target === undefined) return new Map();
    const rates = [query.longSeconds, query.shortSeconds].map((seconds) => {
      const window = this.#window(seconds, now);
      const count = (text: string) => reduce(this.store, parseExpression(text), "sum", window).get("");
      const [good, all] = [count(objective.query.numerator), count(objective.query.denominator)];
      if (good === undefined || !all) return undefined;
      return (1 - good / all) / (1 - target / 100);
    });
    const [long, short] = rates;
    return long === undefined || short === undefined ? new Map() : new Map([["", Math.min(long, short)]]);
  }

  /** Only complete buckets: the current one lacks some hosts. */
  #window(seconds: number, now: number): Window {
    const { bucket, timeScale } = this.options;
    const to = (Math.floor(now / bucket) - 1) * bucket;
    const length = Math.max(bucket, Math.round(seconds / timeScale / bucket) * bucket);
    return { from: to - length, to, bucket };
  }

  #parse(text: string): MonitorQuery {
    const known = this.#queries.get(text);
    if (known) return known;
    const parsed = parseMonitorQuery(text);
    this.#queries.set(text, parsed);
    return parsed;
  }
}

function stateOf({ comparison, threshold }: MonitorQuery, { options }: Monitor, value: number): MonitorState {
  const passes = (limit: number) =>
    comparison === ">"
      ? value > limit
      : comparison === ">="
        ? value >= limit
        : comparison === "<"
          ? value < limit
          : value <= limit;
  if (passes(threshold)) return "Alert";
  const warning = options.thresholds?.warning;
  return warning !== undefined && warning !== null && passes(warning) ? "Warn" : "OK";
}
