import type { DatadogAccess } from "../../sandbox/index";

/** The real Datadog, from the variables that Datadog's own tools read; undefined if a key is missing. */
export function cloudDatadog(env: NodeJS.ProcessEnv = process.env): DatadogAccess | undefined {
  const apiKey = env.DD_API_KEY || env.DATADOG_API_KEY;
  const appKey = env.DD_APP_KEY || env.DATADOG_APP_KEY;
  if (!apiKey || !appKey) return undefined;
  const url = env.DATADOG_HOST || env.DD_HOST || `https://api.${env.DD_SITE || "datadoghq.com"}`;
  return { url: url.replace(/\/+$/, ""), apiKey, appKey };
}
