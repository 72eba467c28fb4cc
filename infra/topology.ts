/**
 * Topology: settings -> hosts. Pure: no cloud SDK, no randomness, no clock, so that the same settings give the same
 * hosts in a preview, an update, a test and the documentation.
 */

export type Role = "web" | "database";

/** converged: every host is web and database. separated: web hosts and database hosts. */
export type TopologyName = "converged" | "separated";

/** group: multi-primary Group Replication, every member writes. source-replica: one writer, development only. */
export type Replication = "group" | "source-replica";

/** One droplet of the infrastructure. */
export interface Host {
  /** Stable name, unique in the site ("node-1", "web-2", "db-3"); resource names derive from it. */
  readonly name: string;
  /** The droplet's name at DigitalOcean and its hostname: `<label>-<name>`. */
  readonly dropletName: string;
  /** Internal DNS name; resolves to the private address. Certificates and MySQL identify the host by it. */
  readonly fqdn: string;
  readonly roles: readonly Role[];
  /** MySQL's server_id, 1 to n; on database hosts alone. */
  readonly serverId?: number;
  /** Size slug of the droplet. */
  readonly size: string;
  /** DigitalOcean tags: one for the site, one per role. */
  readonly tags: readonly string[];
}

export interface Topology {
  readonly hosts: readonly Host[];
  /**
   * Zone of the internal names, below the managed domain. Names stand in user data instead of addresses because
   * DigitalOcean assigns a droplet's private address at creation (its API takes none), so no host could know its
   * peers' addresses; the records are made from the droplets' addresses.
   */
  readonly internalZone: string;
  /** Name that resolves to every database host; each database certificate carries it, so any member answers to it. */
  readonly databaseName: string;
  /** Name that resolves to every web host: database hosts learn their clients by it, not by a list that changes. */
  readonly webName: string;
}

/** What decides the topology; a subset of the settings. Counts are validated by the configuration. */
export interface TopologySettings {
  readonly topology: TopologyName;
  readonly domain: string;
  readonly web: { readonly count: number; readonly size: string };
  readonly database: { readonly count: number; readonly size: string };
}

/**
 * The tag that every droplet of a site carries, and the name of what a site has once: VPC, load balancer, project.
 *
 * @param label what the site is called; in this project's own program the stack's name
 */
export function siteTag(label: string): string {
  return `secured-web-${label}`;
}

/** The tag that all droplets of a site with a role carry; cloud firewalls and the load balancer select by it. */
export function roleTag(label: string, role: Role): string {
  return `${siteTag(label)}-${role}`;
}

/**
 * The hosts of a site, in a stable order.
 *
 * Adding a host never renames or changes another one.
 */
export function buildTopology(label: string, settings: TopologySettings): Topology {
  const internalZone = `internal.${settings.domain}`;
  const host = (name: string, roles: readonly Role[], size: string, serverId?: number): Host => ({
    name,
    dropletName: `${label}-${name}`,
    fqdn: `${name}.${internalZone}`,
    roles,
    size,
    tags: [siteTag(label), ...roles.map((role) => roleTag(label, role))],
    ...(serverId === undefined ? {} : { serverId }),
  });
  const numbers = (count: number) => Array.from({ length: count }, (_, i) => i + 1);
  const hosts =
    settings.topology === "converged"
      ? numbers(settings.database.count).map((n) =>
          host(`node-${n}`, ["web", "database"], settings.database.size, n),
        )
      : [
          ...numbers(settings.web.count).map((n) => host(`web-${n}`, ["web"], settings.web.size)),
          ...numbers(settings.database.count).map((n) =>
            host(`db-${n}`, ["database"], settings.database.size, n),
          ),
        ];
  return { hosts, internalZone, databaseName: `database.${internalZone}`, webName: `web.${internalZone}` };
}

/** The hosts that hold a role, in the topology's order. */
export function hostsWithRole(topology: Topology, role: Role): readonly Host[] {
  return topology.hosts.filter((host) => host.roles.includes(role));
}

/** The hosts that take writes: every member of a group, the first host (the source) otherwise. */
export function databaseWriters(topology: Topology, replication: Replication): readonly Host[] {
  const members = hostsWithRole(topology, "database");
  return replication === "group" ? members : members.slice(0, 1);
}
