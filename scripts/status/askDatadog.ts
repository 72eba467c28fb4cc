import type { DatadogAccess } from "../sandbox/datadogAccess";

/** One GET of Datadog's API. Throws where it does not answer 200. */
export async function askDatadog<T>({ url, apiKey, appKey }: DatadogAccess, path: string): Promise<T> {
  const response = await fetch(`${url}${path}`, {
    headers: { "dd-api-key": apiKey, "dd-application-key": appKey },
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new Error(`${path.split("?")[0]} answers ${response.status}`);
  return (await response.json()) as T;
}
