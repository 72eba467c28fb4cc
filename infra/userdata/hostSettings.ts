import { siteName } from "../config/siteName";
import type { Config } from "../config/types";
import type { Topology } from "../topology";
import { groupName } from "./groupName";
import type { HostSettings } from "./types";

/** The settings in a host's user data. */
export function hostSettings(label: string, config: Config, topology: Topology): HostSettings {
  return {
    replication: config.replication,
    tls: config.tls,
    siteName: siteName(config),
    hstsMaxAgeSeconds: config.hsts.maxAgeSeconds,
    vpcIpRange: config.vpc.ipRange,
    operatorNetworks: config.operators.networks,
    operatorUsers: config.operators.users,
    groupName: groupName(label, topology.internalZone),
    database: {
      bufferPoolMib: config.database.bufferPoolMib,
      maxConnections: config.database.maxConnections,
      routing: config.database.routing,
      ...(config.database.storage === "volume" ? { volumeGib: config.database.volumeGib } : {}),
    },
    app: { connectionLimit: config.app.connectionLimit },
    drainSeconds: drainSeconds(config.loadBalancer),
    slices: {
      web: { weight: config.slices.web, memoryMaxPercent: config.slices.webMemoryPercent },
      app: { weight: config.slices.app, memoryMaxPercent: config.slices.appMemoryPercent },
      database: {
        weight: config.slices.database,
        memoryMaxPercent: config.slices.databaseMemoryPercent,
      },
      monitoring: {
        weight: config.slices.monitoring,
        memoryMaxPercent: config.slices.monitoringMemoryPercent,
      },
    },
    monitoring:
      config.monitoring === "datadog"
        ? { agent: "datadog", site: config.datadog.site }
        : { agent: config.monitoring },
    stack: label,
    environment: config.environment,
    releases: true,
  };
}

/** A host that stops does not wait longer for a load balancer that checks rarely. */
const longestDrainSeconds = 60;

/** The time in which the load balancer notices that a host's check fails, and sends it no more requests. */
function drainSeconds(checks: Config["loadBalancer"]): number {
  const noticed = checks.checkIntervalSeconds * checks.unhealthyThreshold + checks.checkTimeoutSeconds;
  return Math.min(noticed, longestDrainSeconds);
}
