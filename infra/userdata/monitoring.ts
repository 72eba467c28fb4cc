/** The monitoring agent's files on a host. Pure. */
import type { PayloadTree, Rendering } from "./payload";
import type { HostContext } from "./types";
import { sliceValues } from "./values";

const webProcesses = [
  { name: "nginx", search: "nginx", exact: "true" },
  { name: "haproxy", search: "haproxy", exact: "true" },
  { name: "app", search: "app/main.js serve", exact: "false" },
];
const databaseProcesses = [{ name: "mysqld", search: "mysqld", exact: "true" }];
const webJournals = ["secured-web-app.service", "secured-web-health.service"];
const groupJournals = ["secured-web-group.service"];

/** The units that a host needs to do its work. */
function unitsOf({ host, settings }: HostContext): string[] {
  return [
    "nftables.service",
    "secured-web-peers.service",
    ...(host.roles.includes("web")
      ? ["nginx.service", "haproxy.service", "secured-web-app.service", "secured-web-health.service"]
      : []),
    ...(host.roles.includes("database") ? ["mysql.service"] : []),
    ...(host.roles.includes("database") && settings.replication === "group"
      ? ["secured-web-group.service"]
      : []),
  ];
}

/**
 * The trees of the chosen agent, with their values; none without an agent.
 *
 * @param version value of the tag `version`
 */
export function monitoringFiles(context: HostContext, version: string): readonly Rendering[] {
  const { host, settings } = context;
  const { agent } = settings.monitoring;
  if (agent === "none") return [];
  const slice: Rendering = {
    trees: ["monitoring"],
    values: { ...sliceValues("monitoring", settings.slices.monitoring) },
  };
  const names = {
    dropletName: host.dropletName,
    environment: settings.environment,
    stack: settings.stack,
    version,
  };
  const isWeb = host.roles.includes("web");
  const isDatabase = host.roles.includes("database");
  if (agent === "sumologic") {
    const trees: PayloadTree[] = ["sumologic"];
    if (isWeb) trees.push("sumologic-web");
    if (isDatabase) trees.push("sumologic-database");
    return [slice, { trees, values: { ...names, roleNames: host.roles.join(",") } }];
  }
  const trees: PayloadTree[] = ["datadog"];
  if (isWeb) trees.push("datadog-web");
  if (isDatabase) trees.push("datadog-database");
  return [
    slice,
    {
      trees,
      values: {
        ...names,
        site: settings.monitoring.site,
        roles: host.roles.map((name) => ({ name })),
        units: unitsOf(context).map((name) => ({ name })),
        processes: [...(isWeb ? webProcesses : []), ...(isDatabase ? databaseProcesses : [])],
        journals: [
          ...(isWeb ? webJournals : []),
          ...(isDatabase && settings.replication === "group" ? groupJournals : []),
          "secured-web-peers.service",
        ].map((unit) => ({ unit })),
        ...(isDatabase ? { fqdn: host.fqdn } : {}),
      },
    },
  ];
}
