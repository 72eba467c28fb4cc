/** The metrics that the sandbox's Datadog stand-in has received. */
import type { DatadogAccess } from "../datadog/access";
import { Failure } from "../failure";
import { getDatadog } from "./askDatadog";

export interface MetricCount {
  readonly name: string;
  /** Combinations of tags, with all values of the last two hours. */
  readonly series: number;
  readonly points: number;
}

export interface ReceivedSeries {
  /** gauge, count or rate. */
  readonly type: string;
  /** Such as "host:dev-node-1". */
  readonly tags: readonly string[];
  readonly points: number;
  /** `time` in seconds since the epoch. */
  readonly last?: { readonly time: number; readonly value: number };
}

/** Every metric that was received, by name. Throws a Failure if the stand-in does not answer. */
export async function receivedMetrics(access: DatadogAccess): Promise<readonly MetricCount[]> {
  return (await ask<{ counts: MetricCount[] }>(access, "/sandbox/metrics")).counts;
}

/** The series of one metric; none if no metric with that name was received. Throws like `receivedMetrics`. */
export async function receivedSeries(
  access: DatadogAccess,
  name: string,
): Promise<readonly ReceivedSeries[]> {
  const path = `/sandbox/metrics?name=${encodeURIComponent(name)}`;
  const { series } = await ask<{ series: ReceivedSeries[] }>(access, path);
  return series;
}

async function ask<T>(access: DatadogAccess, path: string): Promise<T> {
  const response = await getDatadog(access, path).catch(() => {
    throw new Failure(`The sandbox's Datadog stand-in does not answer at ${access.url}`, {
      remedy: "It runs next to the sandbox's API. Start the API.",
    });
  });
  if (!response.ok)
    throw new Failure(`The Datadog stand-in at ${access.url}: expected status 200, got ${response.status}`);
  return (await response.json()) as T;
}
