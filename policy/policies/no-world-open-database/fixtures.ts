import { cloudConfig, droplet, firewall, memberFiles, tier } from "../../fixtures/texts";
import type { FixtureResource, InvalidFixture, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const fromWeb = { protocol: "tcp", portRange: "3306", sourceTags: ["web"] };
const from = (sourceAddresses: unknown, portRange: unknown = "3306") => ({
  protocol: "tcp",
  portRange,
  sourceAddresses,
});
const world = ["0.0.0.0/0", "::/0"];

const database = droplet("db-1", { tags: ["database"], userData: cloudConfig(memberFiles) });
const cluster: FixtureResource = {
  type: "digitalocean:index/databaseCluster:DatabaseCluster",
  properties: {
    name: "db",
    engine: "mysql",
    version: "8",
    size: "db-s-1vcpu-1gb",
    region: "fra1",
    nodeCount: 1,
  },
};
const clusterFirewall = (rules: unknown): FixtureResource => ({
  type: "digitalocean:index/databaseFirewall:DatabaseFirewall",
  properties: { clusterId: unknownValue, rules },
  references: { clusterId: ["cluster"] },
});

type At = "registration" | "stack";

const openRule = (title: string, rule: unknown, says: string, at: At = "registration"): InvalidFixture => ({
  title,
  resources: { guard: firewall([rule]), "db-1": database },
  violations: [{ resource: "guard", says, at }],
});

const openCluster = (
  title: string,
  rules: unknown,
  says: string,
  at: At = "registration",
): InvalidFixture => ({
  title,
  resources: { cluster, guard: clusterFirewall(rules) },
  violations: [{ resource: "guard", says, at }],
});

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^userData$/,
      change: /unknown|mistyped/,
      reason: "a possible database host is behind the firewall too",
    },
    { path: /^inboundRules(\[\d+\])?$/, change: /removed|emptied/, reason: "without a rule nothing is open" },
    {
      path: /^inboundRules\[\d+\]$/,
      change: /mistyped/,
      reason: "an object without sources allows no traffic",
    },
    { path: /\.(protocol|portRange)$/, reason: "read as all, which matters only with an open source" },
    {
      path: /\.(sourceTags|sourceLoadBalancerUids)(\[\d+\])?$/,
      reason: "tags and load balancers are never the internet",
    },
    {
      path: /\.sourceAddresses(\[\d+\])?$/,
      change: /removed|emptied/,
      reason: "without a source no traffic is allowed",
    },
    {
      path: /^(tags|dropletIds)(\[\d+\])?$/,
      reason: "another part selects the host, or the reference still shows it",
    },
    { path: /^clusterId$/, change: /unknown/, reason: "the reference shows the cluster" },
    { path: /^engine$/, reason: "all managed databases are checked in the same way" },
    { path: /^rules\[\d+\]$/, change: /removed/, reason: "one source less" },
    { path: /^rules\[0\]\.value$/, reason: "a tag is never the internet" },
  ],
  valid: [
    {
      title: "a database host accepts connections from the web hosts' tag",
      resources: { guard: firewall([fromWeb]), "db-1": database },
    },
    {
      title: "a database host accepts connections from private and narrow public networks",
      resources: { guard: firewall([from(["10.0.0.0/8", "203.0.113.0/24"])]), "db-1": database },
    },
    {
      title: "a firewall lists its droplets, in a preview that does not know their ids",
      resources: {
        "db-1": database,
        guard: {
          ...firewall([{ ...fromWeb, sourceLoadBalancerUids: [unknownValue] }], {
            dropletIds: [unknownValue],
          }),
          references: { dropletIds: ["db-1"] },
        },
      },
    },
    {
      title: "a firewall lists a new tag, whose outputs are unknown in a preview",
      resources: {
        tag: { type: "digitalocean:index/tag:Tag", properties: { name: "database" } },
        "db-1": {
          ...droplet("db-1", { tags: [unknownValue], userData: cloudConfig(memberFiles) }),
          references: { tags: ["tag"] },
        },
        guard: { ...firewall([fromWeb], { tags: [unknownValue] }), references: { tags: ["tag"] } },
      },
    },
    {
      title: "a database port that is denied to the whole internet",
      leftAlone: true,
      resources: {
        guard: firewall([fromWeb, { ...from(world), action: "deny" }]),
        "db-1": database,
      },
    },
    {
      title: "a web host that is open to the world",
      leftAlone: true,
      resources: {
        guard: firewall([from(world, "1-65535")], { tags: ["web"] }),
        "web-1": droplet("web-1", { tags: ["web"] }),
        closed: firewall([fromWeb]),
        "db-1": database,
      },
    },
    {
      title: "a managed database that restricts its sources",
      resources: {
        cluster,
        guard: clusterFirewall([
          { type: "tag", value: "web" },
          { type: "ip_addr", value: "203.0.113.7" },
        ]),
      },
    },
    {
      title: "a first preview: the clients are addresses of the stack's own host and network",
      resources: {
        "web-1": droplet("web-1", { tags: ["web"] }),
        vpc: { type: "digitalocean:index/vpc:Vpc", properties: { name: "shop", region: "fra1" } },
        guard: {
          ...firewall([from([unknownValue]), from(["10.0.0.0/8", unknownValue], "33060")]),
          references: { inboundRules: ["web-1", "vpc"] },
        },
        "db-1": database,
        cluster,
        "cluster-guard": {
          ...clusterFirewall([{ type: "ip_addr", value: unknownValue }]),
          references: { clusterId: ["cluster"], rules: ["web-1"] },
        },
      },
      leftAlone: true,
    },
  ],
  invalid: [
    openRule(
      "MySQL's port is open to the whole internet",
      from(world),
      "opens database port 3306, and a source is 0.0.0.0/0",
    ),
    openRule("the whole IPv6 internet is a source", from(["10.0.0.0/8", "::/0"]), "a source is ::/0"),
    openRule("half of the internet is a source", from(["128.0.0.0/1"]), "a public network as wide as /1"),
    openRule(
      "the X protocol's port is open to the whole internet",
      from(world, "33060"),
      "opens database port 33060",
    ),
    openRule(
      "all ports of a database host are open",
      from(world, "all"),
      'opens all database ports of the database host "db-1"',
    ),
    openRule("the sources are unknown", from(unknownValue), "its sources are unknown", "stack"),
    openRule("a source is not a network", from(["everyone"]), "a source is neither an address nor a network"),
    openRule("the ports are unknown", from(world, unknownValue), "its portRange is unknown"),
    {
      title: "the firewall's rules are unknown",
      resources: { guard: firewall(unknownValue), "db-1": database },
      violations: [
        { resource: "guard", says: "its inbound rules: the value is unknown", at: "registration" },
      ],
    },
    {
      title: "a firewall that is open to the world and may apply to a database host",
      resources: {
        guard: firewall([fromWeb]),
        open: firewall([from(world, "1-65535")], { tags: [unknownValue] }),
        "db-1": database,
      },
      violations: [
        {
          resource: "open",
          says: "it may open (its tags or droplets are unknown) all database ports",
          at: "stack",
        },
      ],
    },
    {
      title: "a managed database's source is of a type that DigitalOcean does not have",
      resources: { cluster, guard: clusterFirewall([{ type: "everyone", value: "all" }]) },
      violations: [
        { resource: "guard", says: "its type does not exist at DigitalOcean", at: "registration" },
      ],
    },
    {
      title: "a database host behind no firewall",
      resources: { guard: firewall([fromWeb], { tags: ["web"] }), "db-1": database },
      violations: [{ resource: "db-1", says: "this database host is not behind a firewall", at: "stack" }],
    },
    {
      title: "a firewall with unknown tags",
      resources: { guard: firewall([fromWeb], { tags: unknownValue }), "db-1": database },
      violations: [{ resource: "db-1", says: "may not be behind a firewall", at: "stack" }],
    },
    {
      title: "a database host according to its evidence, behind no firewall",
      resources: {
        tier: tier({ "db-1": { roles: ["database"], files: memberFiles } }),
        "db-1": droplet("db-1", { userData: unknownValue }),
      },
      violations: [{ resource: "db-1", says: "this database host is not behind a firewall", at: "stack" }],
    },
    {
      title: "a possible database host, behind no firewall",
      resources: { "host-1": droplet("host-1", { userData: unknownValue }) },
      violations: [
        { resource: "host-1", says: "may be a database host, is not behind a firewall", at: "stack" },
      ],
    },
    openCluster(
      "a managed database is open to the whole internet",
      [{ type: "ip_addr", value: "0.0.0.0/0" }],
      "a source is 0.0.0.0/0",
    ),
    openCluster("a managed database's firewall has no rules", [], "it has no rules"),
    openCluster(
      "a managed database's source is unknown",
      [{ type: "ip_addr", value: unknownValue }],
      "a source is unknown",
      "stack",
    ),
    {
      title: "a managed database without a firewall",
      resources: { cluster },
      violations: [
        { resource: "cluster", says: "no DatabaseFirewall restricts this database's sources", at: "stack" },
      ],
    },
  ],
};
