/** What the sandbox's stand-in of Datadog has received: `npm run sandbox -- metrics [NAME]`. */
import { Failure } from "../failure";
import { section } from "../hosts/statusText";
import { getDatadog } from "../status/askDatadog";
import type { DatadogAccess } from "./datadogAccess";

export interface MetricCount {
  readonly name: string;
  /** Combinations of tags, and all their values of the last two hours. */
  readonly series: number;
  readonly points: number;
}

export interface ReceivedSeries {
  /** gauge, count or rate. */
  readonly type: string;
  /** As "host:dev-node-1". */
  readonly tags: readonly string[];
  readonly points: number;
  /** `time` in seconds since the epoch. */
  readonly last?: { readonly time: number; readonly value: number };
}

/** Every metric that has been received, by name. Throws a Failure where the stand-in does not answer. */
export async function receivedMetrics(access: DatadogAccess): Promise<readonly MetricCount[]> {
  return (await ask<{ counts: MetricCount[] }>(access, "/sandbox/metrics")).counts;
}

/** One metric's series; none where nothing of that name has been received. Throws as `receivedMetrics`. */
export async function receivedSeries(
  access: DatadogAccess,
  name: string,
): Promise<readonly ReceivedSeries[]> {
  const path = `/sandbox/metrics?name=${encodeURIComponent(name)}`;
  const { series } = await ask<{ series: ReceivedSeries[] }>(access, path);
  return series;
}

/** A line for each metric. */
export function metricsText(metrics: readonly MetricCount[]): string {
  const rows = metrics.map(({ name, series, points }) => [name, String(series), String(points)]);
  return section(`${metrics.length} metrics`, [["NAME", "SERIES", "VALUES"], ...rows]);
}

/** A line for each series. */
export function seriesText(name: string, series: readonly ReceivedSeries[]): string {
  const rows = series.map(({ type, tags, last }) => [
    last === undefined ? "-" : round(last.value),
    last === undefined ? "-" : new Date(last.time * 1000).toISOString(),
    type,
    tags.join(" "),
  ]);
  return section(name, [["LAST VALUE", "AT", "TYPE", "TAGS"], ...rows]);
}

async function ask<T>(access: DatadogAccess, path: string): Promise<T> {
  const response = await getDatadog(access, path).catch(() => {
    throw new Failure(`The sandbox's stand-in of Datadog does not answer at ${access.url}`, {
      remedy: "npm start brings it up.",
    });
  });
  if (!response.ok) throw new Failure(`The stand-in of Datadog at ${access.url} answers ${response.status}`);
  return (await response.json()) as T;
}

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(6);
}
