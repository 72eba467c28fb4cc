/**
 * Computes the hosts from the settings. Pure: no cloud SDK, no randomness, no clock, so that the same settings result
 * in the same hosts in a preview, an update, a test and the documentation.
 */

export type Role = "web" | "database";

/** converged: every host is a web and database host. separated: separate web hosts and database hosts. */
export type TopologyName = "converged" | "separated";

/**
 * group: multi-primary Group Replication, every member accepts writes. source-replica: one writer, for development
 * only.
 */
export type Replication = "group" | "source-replica";

/** One droplet of the infrastructure. */
export interface Host {
  /** Stable name, unique in the site ("node-1", "web-2", "db-3"). Resource names derive from it. */
  readonly name: string;
  /** The droplet's name at DigitalOcean and its hostname: `<label>-<name>`. */
  readonly dropletName: string;
  /** Internal DNS name; resolves to the private address. Certificates and MySQL identify the host by it. */
  readonly fqdn: string;
  readonly roles: readonly Role[];
  /** MySQL's server_id, starting at 1; only on database hosts. */
  readonly serverId?: number;
  /** Size slug of the droplet. */
  readonly size: string;
  /** DigitalOcean tags: one for the site, one for each role. */
  readonly tags: readonly string[];
}

export interface Topology {
  readonly hosts: readonly Host[];
  /**
   * Zone of the internal names, in the managed domain. User data contains names, not addresses: DigitalOcean assigns
   * a droplet's private address at creation (its API does not accept one), so no host could know the addresses of the
   * others. The DNS records are created from the droplets' addresses.
   */
  readonly internalZone: string;
  /**
   * Name that resolves to every database host. Each database certificate contains it, so every member can answer to
   * it.
   */
  readonly databaseName: string;
  /**
   * Name that resolves to every web host. Database hosts identify their clients by it instead of a list that changes.
   */
  readonly webName: string;
}

/** The subset of the settings that determines the topology. The configuration validates counts. */
export interface TopologySettings {
  readonly topology: TopologyName;
  readonly domain: string;
  readonly web: { readonly count: number; readonly size: string };
  readonly database: { readonly count: number; readonly size: string };
}

/**
 * The tag of every droplet of a site, and the name of the site's single resources: VPC, load balancer, project.
 *
 * @param label the site's name; in this project's own program the stack's name
 */
export function siteTag(label: string): string {
  return `secured-web-${label}`;
}

/** The tag of all droplets of a site with a role. Cloud firewalls and the load balancer select by it. */
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

/** The hosts with a role, in the topology's order. */
export function hostsWithRole(topology: Topology, role: Role): readonly Host[] {
  return topology.hosts.filter((host) => host.roles.includes(role));
}

/** The name of the volume with a database host's data. DigitalOcean requires small letters, a letter first, at most 64. */
export function volumeNameOf(host: Host): string {
  return `data-${host.dropletName.toLowerCase()}`;
}

/** The hosts that accept writes: every member of a group, otherwise the first host (the source). */
export function databaseWriters(topology: Topology, replication: Replication): readonly Host[] {
  const members = hostsWithRole(topology, "database");
  return replication === "group" ? members : members.slice(0, 1);
}

/** The value of a host. Throws if there is none. */
export function ofHost<T>(values: ReadonlyMap<string, T>, hostName: string): T {
  const value = values.get(hostName);
  if (value === undefined) throw new Error(`the topology has no host ${hostName}`);
  return value;
}
