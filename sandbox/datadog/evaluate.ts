/** Evaluates queries over the metrics received. */
import type { Aggregate, Expression, MetricQuery } from "./query";
import type { Series, SeriesStore } from "./series";

/** Values by group, such as "host:dev-node-1,device:/"; "" is the group of a query without groups. */
export type Groups = ReadonlyMap<string, number>;
/** One value for each time bucket (its start, in seconds), by group. */
export type Timeline = ReadonlyMap<string, ReadonlyMap<number, number>>;

export interface Window {
  /** Seconds since the epoch: from this, and before `to`. */
  readonly from: number;
  readonly to: number;
  /** Width of a bucket in seconds; not shorter than the collectors' interval. */
  readonly bucket: number;
}

/** The expression over a window, one value per bucket: a graph. */
export function timeline(store: SeriesStore, expression: Expression, window: Window): Timeline {
  if (expression.kind === "number") return new Map([["", new Map([[Number.NaN, expression.value]])]]);
  if (expression.kind === "metric") return metricTimeline(store, expression, window);
  const left = timeline(store, expression.left, window);
  const right = timeline(store, expression.right, window);
  const result = new Map<string, Map<number, number>>();
  for (const [group, a, b] of pairs(left, right)) {
    const values = new Map<number, number>();
    for (const time of new Set([...a.keys(), ...b.keys()])) {
      // A number has a value at every time.
      const one = a.get(time) ?? a.get(Number.NaN);
      const other = b.get(time) ?? b.get(Number.NaN);
      if (one === undefined || other === undefined || Number.isNaN(time)) continue;
      const value = apply(expression.operator, one, other);
      if (Number.isFinite(value)) values.set(time, value);
    }
    result.set(group, values);
  }
  return result;
}

/** The expression over a window, one value per group. */
export function reduce(
  store: SeriesStore,
  expression: Expression,
  aggregate: Aggregate,
  window: Window,
): Groups {
  // Counts are added up before the arithmetic: 1 error of 2 requests and 0 of 98 is 1 percent.
  if (aggregate === "sum" && expression.kind === "operation") {
    return combine(
      expression.operator,
      reduce(store, expression.left, aggregate, window),
      reduce(store, expression.right, aggregate, window),
    );
  }
  if (expression.kind === "number") return new Map([["", expression.value]]);
  const result = new Map<string, number>();
  for (const [group, values] of timeline(store, expression, window)) {
    if (values.size > 0) result.set(group, aggregated(aggregate, [...values.values()]));
  }
  return result;
}

function combine(operator: "+" | "-" | "*" | "/", left: Groups, right: Groups): Groups {
  const result = new Map<string, number>();
  for (const [group, a, b] of pairs(left, right)) {
    const value = apply(operator, a, b);
    if (Number.isFinite(value)) result.set(group, value);
  }
  return result;
}

/** The groups of both sides. A side without groups combines with every group of the other. */
function* pairs<T>(left: ReadonlyMap<string, T>, right: ReadonlyMap<string, T>): Generator<[string, T, T]> {
  for (const group of new Set([...left.keys(), ...right.keys()])) {
    const a = left.get(group) ?? left.get("");
    const b = right.get(group) ?? right.get("");
    if (a !== undefined && b !== undefined && (group !== "" || left.has("") === right.has(""))) {
      yield [group, a, b];
    }
  }
}

function apply(operator: "+" | "-" | "*" | "/", a: number, b: number): number {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
  }
}

function metricTimeline(store: SeriesStore, query: MetricQuery, window: Window): Timeline {
  const result = new Map<string, Map<number, number[]>>();
  for (const series of store.of(query.metric)) {
    if (!inScope(series, query)) continue;
    const values = buckets(series, query, window);
    if (values.size === 0) continue;
    for (const group of groupsOf(series, query.by)) {
      const found = result.get(group) ?? new Map<number, number[]>();
      for (const [time, value] of values) found.set(time, [...(found.get(time) ?? []), value]);
      result.set(group, found);
    }
  }
  return new Map(
    [...result].map(([group, times]) => [
      group,
      new Map([...times].map(([time, values]) => [time, aggregated(query.aggregate, values)])),
    ]),
  );
}

function inScope(series: Series, { scope }: MetricQuery): boolean {
  return scope.every(({ key, value, not }) => (series.tags.get(key) ?? []).includes(value) !== not);
}

/** The groups of a series; none if it lacks one of the group tags. */
function groupsOf(series: Series, by: readonly string[]): string[] {
  return by.reduce<string[]>(
    (groups, key) =>
      groups.flatMap((group) =>
        (series.tags.get(key) ?? []).map((value) => `${group === "" ? "" : `${group},`}${key}:${value}`),
      ),
    [""],
  );
}

/** One series within the window: the mean of each bucket, or the sum of its counts. */
function buckets(series: Series, { asCount }: MetricQuery, window: Window): Map<number, number> {
  const found = new Map<number, number[]>();
  for (const { time, value } of series.points) {
    if (time < window.from || time >= window.to) continue;
    const bucket = Math.floor(time / window.bucket) * window.bucket;
    const counted = asCount && series.type === "rate" ? value * (series.interval || 1) : value;
    const rate =
      !asCount && series.type === "count" && series.interval > 0 ? value / series.interval : counted;
    found.set(bucket, [...(found.get(bucket) ?? []), rate]);
  }
  return new Map([...found].map(([time, values]) => [time, aggregated(asCount ? "sum" : "avg", values)]));
}

function aggregated(aggregate: Aggregate, values: readonly number[]): number {
  switch (aggregate) {
    case "sum":
      return values.reduce((total, value) => total + value, 0);
    case "avg":
      return values.reduce((total, value) => total + value, 0) / values.length;
    case "min":
      return Math.min(...values);
    case "max":
      return Math.max(...values);
  }
}
