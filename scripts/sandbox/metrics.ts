/** What the sandbox's stand-in of Datadog has received, as text: `npm run sandbox -- metrics [NAME]`. */
import { Failure } from "../failure";
import type { DatadogAccess } from "./datadogAccess";

interface ReceivedSeries {
  readonly metric: string;
  readonly type: string;
  readonly tags: readonly string[];
  readonly last?: { readonly time: number; readonly value: number };
}

/**
 * The names of all metrics, or of one metric every series with its last value, one a line.
 *
 * @throws Failure where the stand-in does not answer, or has received no such metric
 */
export async function receivedMetrics(access: DatadogAccess, name?: string): Promise<string> {
  if (name === undefined) {
    const { metrics } = await ask<{ metrics: string[] }>(access, "/sandbox/metrics");
    if (metrics.length > 0) return metrics.join("\n");
    throw new Failure("Nothing has been received yet", {
      remedy: "Is the stack up with --config secured-web:monitoring=datadog?",
    });
  }
  const path = `/sandbox/metrics?name=${encodeURIComponent(name)}`;
  const { series } = await ask<{ series: ReceivedSeries[] }>(access, path);
  if (series.length === 0) {
    throw new Failure(`No metric ${name} has been received`, {
      remedy: "npm run sandbox -- metrics lists those that have.",
    });
  }
  return series
    .map(({ tags, type, last }) => {
      const seen =
        last === undefined ? "-" : `${round(last.value)} at ${new Date(last.time * 1000).toISOString()}`;
      return `${name} ${type} ${seen}  ${tags.join(" ")}`;
    })
    .join("\n");
}

async function ask<T>({ url, apiKey, appKey }: DatadogAccess, path: string): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`${url}${path}`, {
      headers: { "dd-api-key": apiKey, "dd-application-key": appKey },
      signal: AbortSignal.timeout(10_000),
    });
  } catch {
    throw new Failure(`The sandbox's stand-in of Datadog does not answer at ${url}`, {
      remedy: "npm start brings it up.",
    });
  }
  if (!response.ok) throw new Failure(`The stand-in of Datadog at ${url} answers ${response.status}`);
  return (await response.json()) as T;
}

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(6);
}
