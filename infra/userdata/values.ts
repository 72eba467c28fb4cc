/** The values in a host's templates, by the tree that uses them. */
import {
  type FirewallRule,
  type FirewallRules,
  firewallRules,
  operatorRules,
  type Peer,
} from "../firewallMatrix";
import { databaseWriters, hostsWithRole, volumeNameOf } from "../topology";
import { operatorKeyFolder, operatorsGroup } from "./operators";
import type { TemplateItem, TemplateValues } from "./template";
import type { HostContext, HostSettings } from "./types";

/**
 * Loopback port on which secured-web-health answers for the first database host. The other hosts use the following
 * ports.
 */
const firstHealthPort = 33061;
/** Hour (UTC) of the first host's security upgrades. Each further host of a role uses the next hour. */
const firstUpgradeHour = 2;

/** Values of the trees on every host. */
export function commonValues({ host, topology, settings }: HostContext): TemplateValues {
  return {
    fqdn: host.fqdn,
    zone: managedZone(topology.internalZone),
    databaseName: topology.databaseName,
    webName: topology.webName,
    vpcIpRange: settings.vpcIpRange,
    databaseHosts: hostsWithRole(topology, "database").map(({ fqdn }) => ({ fqdn })),
    upgradeHour: String(upgradeHour({ host, topology, settings })).padStart(2, "0"),
    ...sshValues(settings),
    ...firewallValues({ host, topology, settings }),
  };
}

/** Values of the trees on a web host. */
export function webValues(context: HostContext): TemplateValues {
  const { topology, settings } = context;
  const members = hostsWithRole(topology, "database").map(({ name, fqdn }, index) => ({
    name,
    fqdn,
    healthPort: firstHealthPort + index,
    option: routeOption(context, name),
  }));
  return {
    siteName: settings.siteName,
    hstsMaxAgeSeconds: settings.hstsMaxAgeSeconds,
    vpcIpRange: settings.vpcIpRange,
    listen: settings.tls === "passthrough" ? "443 ssl proxy_protocol" : "443 ssl",
    realIpHeader: settings.tls === "passthrough" ? "proxy_protocol" : "X-Forwarded-For",
    databaseName: topology.databaseName,
    databaseHosts: members,
    spread: settings.database.routing === "spread" ? [{ option: "allbackups" }] : [],
    memberPorts: members.map(({ fqdn, healthPort }) => `${fqdn}=${healthPort}`).join(","),
    replication: settings.replication,
    connectionLimit: settings.app.connectionLimit,
    metrics: metricsSockets[settings.monitoring.agent],
    drainSeconds: settings.drainSeconds,
    ...sliceValues("web", settings.slices.web),
    ...sliceValues("app", settings.slices.app),
  };
}

/** Values of the trees on a database host. */
export function databaseValues({ host, topology, settings }: HostContext): TemplateValues {
  const members = hostsWithRole(topology, "database");
  const isSource = databaseWriters(topology, settings.replication).some(({ name }) => name === host.name);
  return {
    fqdn: host.fqdn,
    serverId: serverIdOf(host.name, host.serverId),
    maxConnections: settings.database.maxConnections,
    bufferPoolMib: settings.database.bufferPoolMib,
    ...sliceValues("database", settings.slices.database),
    ...(settings.replication === "group"
      ? {
          groupName: settings.groupName,
          groupSeeds: members.map(({ fqdn }) => `${fqdn}:3306`).join(","),
          databaseHosts: members.map(({ fqdn }) => ({ fqdn })),
        }
      : { superReadOnly: isSource ? "OFF" : "ON" }),
  };
}

/** Values of the tree on a database host whose data is on a volume. */
export function volumeValues({ host, settings }: HostContext): TemplateValues {
  return { volumeName: volumeNameOf(host), volumeGib: settings.database.volumeGib ?? 0 };
}

/** The agents' sockets for the metrics of the application. */
const metricsSockets = {
  none: [],
  datadog: [{ socket: "/run/datadog/dsd-stream.socket" }],
  sumologic: [{ socket: "/run/telegraf/dsd-stream.socket" }],
};

/**
 * A member's options in a web host's HAProxy.
 *
 * spread: on a host with both roles, the application uses the local member, and the others only if that one is out. The
 * members share the load as the web hosts do, reads stay on the host, and the failure of a host affects only that
 * host.
 *
 * preferred: every web host uses the first member, or the first healthy one of the others in the same order. When the
 * first one returns, the connections to the others are closed.
 */
function routeOption({ host, topology, settings }: HostContext, member: string): string {
  if (settings.database.routing === "preferred") {
    const isFirst = hostsWithRole(topology, "database")[0]?.name === member;
    return isFirst ? " on-marked-up shutdown-backup-sessions" : " backup";
  }
  return isConverged(host.roles) && member !== host.name ? " backup" : "";
}

function isConverged(roles: readonly string[]): boolean {
  return roles.includes("web") && roles.includes("database");
}

/** The zone at DigitalOcean. The internal names are one label below it. */
function managedZone(internalZone: string): string {
  return internalZone.slice(internalZone.indexOf(".") + 1);
}

function upgradeHour({ host, topology }: HostContext): number {
  const role = host.roles.includes("database") ? "database" : "web";
  const position = hostsWithRole(topology, role).findIndex(({ name }) => name === host.name);
  return (firstUpgradeHour + position) % 24;
}

function serverIdOf(name: string, serverId: number | undefined): number {
  if (serverId === undefined) throw new Error(`${name}: a database host needs a server id`);
  return serverId;
}

/** The logins that SSH accepts: the operators' accounts, or root with the keys that its droplet was created with. */
function sshValues({ operatorUsers }: HostSettings): TemplateValues {
  return operatorUsers === undefined
    ? { rootLogin: "prohibit-password", loginGroup: "root", authorizedKeysFile: ".ssh/authorized_keys" }
    : { rootLogin: "no", loginGroup: operatorsGroup, authorizedKeysFile: `${operatorKeyFolder}/%u` };
}

export function sliceValues(
  slice: string,
  { weight, memoryMaxPercent }: { readonly weight: number; readonly memoryMaxPercent: number },
): TemplateValues {
  return { [`${slice}Weight`]: weight, [`${slice}MemoryMaxPercent`]: memoryMaxPercent };
}

/**
 * The firewall matrix as elements of nftables sets. No host knows the load balancer's address in the VPC, so its rule
 * allows the VPC's range. ICMP is in the template, because it is the same on every host.
 */
function firewallValues({ host, settings }: HostContext): TemplateValues {
  const all: FirewallRules[] = [
    ...host.roles.map((role) => firewallRules(role)),
    operatorRules(settings.operatorNetworks),
  ];
  const inbound = portRules(all.flatMap((rules) => rules.inbound));
  const outbound = portRules(all.flatMap((rules) => rules.outbound));
  const from = (matches: (peer: Peer) => boolean) => elements(inbound.filter(({ peer }) => matches(peer)));
  const to = (matches: (peer: Peer) => boolean) => elements(outbound.filter(({ peer }) => matches(peer)));
  return {
    fromNetworks: unique(
      inbound.flatMap(({ peer, protocol, port }) =>
        networksOf(peer, settings.vpcIpRange).map((network) => ({ network, protocol, port })),
      ),
    ),
    fromWeb: from((peer) => peer.kind === "role" && peer.role === "web"),
    fromDatabase: from((peer) => peer.kind === "role" && peer.role === "database"),
    toInternet: to((peer) => peer.kind === "internet"),
    toDatabase: to((peer) => peer.kind === "role" && peer.role === "database"),
  };
}

type PortRule = FirewallRule & { readonly port: number };

function portRules(rules: readonly FirewallRule[]): PortRule[] {
  return rules.filter((rule): rule is PortRule => rule.port !== undefined);
}

function networksOf(peer: Peer, vpcIpRange: string): readonly string[] {
  if (peer.kind === "load-balancer") return [vpcIpRange];
  // An IPv4 set: no droplet of this program has an IPv6 address.
  if (peer.kind === "networks") return peer.networks.filter((network) => !network.includes(":"));
  if (peer.kind === "internet") return ["0.0.0.0/0"];
  return [];
}

function elements(rules: readonly PortRule[]): TemplateItem[] {
  return unique(rules.map(({ protocol, port }) => ({ protocol, port })));
}

function unique(items: readonly TemplateItem[]): TemplateItem[] {
  return [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];
}
