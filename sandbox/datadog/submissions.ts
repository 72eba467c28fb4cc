/**
 * The data that agents and other clients send, in the formats of Datadog's API. Source: API reference, Metrics and
 * Logs.
 */
import { z } from "zod";
import type { SeriesType, Submission } from "./series";

const tags = z.array(z.string()).nullish();
const v1 = z.object({
  series: z.array(
    z.object({
      metric: z.string().min(1),
      points: z.array(z.tuple([z.coerce.number(), z.number()])),
      type: z.string().nullish(),
      interval: z.number().nullish(),
      host: z.string().nullish(),
      device: z.string().nullish(),
      tags,
    }),
  ),
});
const v2 = z.object({
  series: z.array(
    z.object({
      metric: z.string().min(1),
      points: z.array(z.object({ timestamp: z.number(), value: z.number() })),
      /** 0 unspecified, 1 count, 2 rate, 3 gauge. */
      type: z.number().nullish(),
      interval: z.number().nullish(),
      resources: z.array(z.object({ type: z.string(), name: z.string() })).nullish(),
      tags,
    }),
  ),
});
const log = z.object({
  message: z.string(),
  hostname: z.string().nullish(),
  service: z.string().nullish(),
  ddsource: z.string().nullish(),
  ddtags: z.string().nullish(),
});
const logs = z.union([z.array(log), log.transform((one) => [one])]);
const check = z.object({
  check: z.string().min(1),
  host_name: z.string().nullish(),
  /** 0 OK, 1 warning, 2 critical, 3 unknown. */
  status: z.number().int().min(0).max(3),
  tags,
});
const checks = z.union([z.array(check), check.transform((one) => [one])]);

export interface Log {
  readonly message: string;
  readonly hostname: string;
  readonly service: string;
  readonly source: string;
  readonly tags: readonly string[];
}

const types: Readonly<Record<string, SeriesType>> = { count: "count", rate: "rate" };
const numberedTypes: readonly SeriesType[] = ["gauge", "count", "rate", "gauge"];

/** `/api/v1/series`. Throws a ZodError if it is invalid. */
export function seriesV1(body: unknown): Submission[] {
  return v1.parse(body).series.map(({ metric, points, type, interval, host, device, tags: given }) => ({
    metric,
    type: types[type ?? ""] ?? "gauge",
    interval: interval ?? 0,
    host: host ?? "",
    tags: withoutHost([...(given ?? []), ...(device ? [`device:${device}`] : [])], host ?? ""),
    points: points.map(([time, value]) => ({ time, value })),
  }));
}

/** `/api/v2/series` in its JSON form. Throws a ZodError if it is invalid. */
export function seriesV2(body: unknown): Submission[] {
  return v2.parse(body).series.map(({ metric, points, type, interval, resources, tags: given }) => {
    const host = resources?.find((resource) => resource.type === "host")?.name ?? "";
    return {
      metric,
      type: numberedTypes[type ?? 0] ?? "gauge",
      interval: interval ?? 0,
      host,
      tags: withoutHost(given ?? [], host),
      points: points.map(({ timestamp, value }) => ({ time: timestamp, value })),
    };
  });
}

/** `/api/v2/logs`. Throws a ZodError if it is invalid. */
export function logsV2(body: unknown): Log[] {
  return logs.parse(body).map(({ message, hostname, service, ddsource, ddtags }) => ({
    message,
    hostname: hostname ?? "",
    service: service ?? "",
    source: ddsource ?? "",
    tags: (ddtags ?? "").split(",").filter((tag) => tag !== ""),
  }));
}

/** `/api/v1/check_run`, stored as the gauge of its status. Throws a ZodError if it is invalid. */
export function checkRuns(body: unknown, now: number): Submission[] {
  return checks.parse(body).map(({ check: name, host_name, status, tags: given }) => ({
    metric: name,
    type: "gauge",
    interval: 0,
    host: host_name ?? "",
    tags: withoutHost(given ?? [], host_name ?? ""),
    points: [{ time: now, value: status }],
  }));
}

/** A collector can send the host twice. */
function withoutHost(given: readonly string[], host: string): string[] {
  return given.filter((tag) => tag !== `host:${host}`);
}
