/** What the sandbox's stand-in of Datadog has received. */
import type { DatadogAccess } from "../datadog/access";
import { Failure } from "../failure";
import { getDatadog } from "./askDatadog";

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

async function ask<T>(access: DatadogAccess, path: string): Promise<T> {
  const response = await getDatadog(access, path).catch(() => {
    throw new Failure(`The sandbox's stand-in of Datadog does not answer at ${access.url}`, {
      remedy: "It runs beside the sandbox's API: start that.",
    });
  });
  if (!response.ok) throw new Failure(`The stand-in of Datadog at ${access.url} answers ${response.status}`);
  return (await response.json()) as T;
}
