import type { MetricCount, ReceivedSeries } from "../client/metrics";
import { table } from "./table";

/** One line for each metric. */
export function metricsText(metrics: readonly MetricCount[]): string {
  const rows = metrics.map(({ name, series, points }) => [name, String(series), String(points)]);
  return table(`${metrics.length} metrics`, [["NAME", "SERIES", "VALUES"], ...rows]);
}

/** One line for each series. */
export function seriesText(name: string, series: readonly ReceivedSeries[]): string {
  const rows = series.map(({ type, tags, last }) => [
    last === undefined ? "-" : round(last.value),
    last === undefined ? "-" : new Date(last.time * 1000).toISOString(),
    type,
    tags.join(" "),
  ]);
  return table(name, [["LAST VALUE", "AT", "TYPE", "TAGS"], ...rows]);
}

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(6);
}
