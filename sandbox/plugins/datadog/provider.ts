/** The stand-in for the datadog plugin, with the resource types that the sandbox can evaluate. */
import { optional, string } from "../provider/fields";
import type { Provider } from "../provider/resource";
import type { PropertyMap } from "../provider/values";
import { Client } from "./client";
import { dashboardJson } from "./dashboard";
import { monitor } from "./monitor";
import { serviceLevelObjective } from "./objective";

const publicApi = "https://api.datadoghq.com/";

export const datadog: Provider<Client> = {
  name: "datadog",
  config: {
    apiKey: optional(string, { secret: true }),
    appKey: optional(string, { secret: true }),
    apiUrl: optional(string),
    validate: optional(string),
  },
  // The same names as in the official provider (Terraform's, provider.go).
  configFromEnv: {
    apiKey: ["DD_API_KEY", "DATADOG_API_KEY"],
    appKey: ["DD_APP_KEY", "DATADOG_APP_KEY"],
    apiUrl: ["DD_HOST", "DATADOG_HOST"],
  },
  configure: (config, signal) =>
    new Client({
      endpoint: given(config, "apiUrl", publicApi).replace(/\/+$/, ""),
      apiKey: given(config, "apiKey"),
      appKey: given(config, "appKey"),
      signal,
    }),
  resources: [dashboardJson, monitor, serviceLevelObjective],
  functions: [],
};

function given(config: PropertyMap, key: string, fallback?: string): string {
  const value = config[key];
  if (typeof value === "string" && value !== "") return value;
  if (fallback !== undefined) return fallback;
  throw new Error(
    `datadog:${key} is not set: run \`pulumi config set --secret datadog:${key} KEY\`, or set DD_API_KEY and DD_APP_KEY`,
  );
}
