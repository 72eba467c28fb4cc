import type { DatadogAccess } from "../datadog/access";

/** One GET request to Datadog's API, with any status. Throws if there is no answer. */
export function getDatadog({ url, apiKey, appKey }: DatadogAccess, path: string): Promise<Response> {
  return fetch(`${url}${path}`, {
    headers: { "dd-api-key": apiKey, "dd-application-key": appKey },
    signal: AbortSignal.timeout(10_000),
  });
}

/** The same. Throws if the status is not 200. */
export async function askDatadog<T>(datadog: DatadogAccess, path: string): Promise<T> {
  const response = await getDatadog(datadog, path);
  if (!response.ok) throw new Error(`GET ${path.split("?")[0]}: expected status 200, got ${response.status}`);
  return (await response.json()) as T;
}
