import type { DatadogAccess } from "../datadog/access";

/** One GET of Datadog's API, whatever it answers. Throws where it does not answer. */
export function getDatadog({ url, apiKey, appKey }: DatadogAccess, path: string): Promise<Response> {
  return fetch(`${url}${path}`, {
    headers: { "dd-api-key": apiKey, "dd-application-key": appKey },
    signal: AbortSignal.timeout(10_000),
  });
}

/** The same. Throws where it does not answer 200. */
export async function askDatadog<T>(datadog: DatadogAccess, path: string): Promise<T> {
  const response = await getDatadog(datadog, path);
  if (!response.ok) throw new Error(`${path.split("?")[0]} answers ${response.status}`);
  return (await response.json()) as T;
}
