import { kubernetesCluster } from "../../fixtures/kubernetes";
import { cloudConfig, droplet, firewall, httpsRule, loadBalancer, memberFiles } from "../../fixtures/texts";
import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const vpcUuid = "1b6f3c5a-8f1e-4a53-9d2b-0a4f5f6f7a10";
const vpc: FixtureResource = {
  type: "digitalocean:index/vpc:Vpc",
  properties: { name: "shop", region: "fra1", ipRange: "10.20.0.0/20" },
};

/** A droplet in the fixture's own VPC, as a first preview shows it. */
function inVpc(name: string, properties: Readonly<Record<string, unknown>> = {}): FixtureResource {
  return { ...droplet(name, { vpcUuid: unknownValue, ...properties }), references: { vpcUuid: ["vpc"] } };
}

const databaseData = { userData: cloudConfig(memberFiles), tags: ["database"] };
const guard = firewall([{ protocol: "tcp", portRange: "3306", sourceTags: ["web"] }]);
const openGuard = firewall([{ protocol: "tcp", portRange: "443", sourceAddresses: ["0.0.0.0/0"] }]);
const managed = (properties: Readonly<Record<string, unknown>> = {}): FixtureResource => ({
  type: "digitalocean:index/databaseCluster:DatabaseCluster",
  properties: {
    name: "db",
    engine: "pg",
    version: "17",
    size: "db-s-1vcpu-1gb",
    region: "fra1",
    nodeCount: 2,
    ...properties,
  },
});

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^(ipRange|engine|dropletTag|forwardingRules.*|redirectHttpToHttps|tlsCipherPolicy)$/,
      reason: "not related to the network",
    },
    {
      path: /^(vpcUuid|privateNetworkUuid)$/,
      change: /unknown/,
      resource: /^(web-1|db-1|edge|managed)$/,
      reason: "the reference shows the VPC",
    },
    {
      path: /^userData$/,
      reason: "a possible database host is checked like one; a host without user data is not one",
    },
    {
      path: /^tags/,
      resource: /^(web-1|private-db)$/,
      reason: "the host has no public interface that a firewall must block",
    },
    {
      path: /^inboundRules(\[\d+\])?$/,
      change: /removed|emptied|mistyped/,
      reason: "without a rule, or without its sources, nothing is open",
    },
    { path: /^inboundRules\[0\]\.(protocol|portRange|sourceTags.*)$/, reason: "tags are never the internet" },
  ],
  valid: [
    {
      title: "a web host, a load balancer and a managed database in the stack's own VPC",
      resources: {
        vpc,
        "web-1": inVpc("web-1"),
        edge: { ...loadBalancer([httpsRule], { vpcUuid: unknownValue }), references: { vpcUuid: ["vpc"] } },
        managed: {
          ...managed({ privateNetworkUuid: unknownValue }),
          references: { privateNetworkUuid: ["vpc"] },
        },
      },
    },
    {
      title: "a database host whose public interface a firewall blocks",
      resources: { vpc, guard, "db-1": inVpc("db-1", databaseData) },
    },
    {
      title: "a database host without a public interface",
      configuration: { requirePrivateDatabases: true },
      resources: {
        "private-db": droplet("private-db", { vpcUuid, ...databaseData, publicNetworking: false }),
      },
    },
    {
      title: "a public interface behind a firewall that denies what would open it",
      resources: {
        "db-1": droplet("db-1", { vpcUuid, ...databaseData }),
        guard: firewall([
          { protocol: "tcp", portRange: "3306", sourceTags: ["web"] },
          { protocol: "tcp", portRange: "443", sourceAddresses: ["0.0.0.0/0"], action: "deny" },
        ]),
      },
      leftAlone: true,
    },
    {
      title: "a Kubernetes cluster in the stack's own VPC",
      resources: {
        vpc,
        shop: { ...kubernetesCluster({ vpcUuid: unknownValue }), references: { vpcUuid: ["vpc"] } },
      },
      leftAlone: true,
    },
    {
      title: "a global load balancer, which is not in a VPC",
      resources: { edge: loadBalancer([], { type: "GLOBAL" }) },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a droplet in the default VPC",
      resources: { "web-1": droplet("web-1") },
      violations: [{ resource: "web-1", says: "vpcUuid is not set", at: "registration" }],
    },
    {
      title: "a Kubernetes cluster in the default VPC",
      resources: { shop: kubernetesCluster() },
      violations: [{ resource: "shop", says: "vpcUuid is not set", at: "registration" }],
    },
    {
      title: "a managed database in the default VPC",
      resources: { managed: managed() },
      violations: [{ resource: "managed", says: "privateNetworkUuid is not set", at: "registration" }],
    },
    {
      title: "an unknown VPC that is not in the stack",
      resources: { "web-1": droplet("web-1", { vpcUuid: unknownValue }) },
      violations: [{ resource: "web-1", says: "may be the default one", at: "stack" }],
    },
    {
      title: "a VPC that DigitalOcean marks as the default one",
      resources: { vpc: { ...vpc, outputs: { default: true } }, "web-1": inVpc("web-1") },
      violations: [{ resource: "web-1", says: 'Vpc "vpc" is the region\'s default VPC', at: "stack" }],
    },
    {
      title: "a database host that no firewall blocks",
      resources: { "db-1": droplet("db-1", { vpcUuid, ...databaseData }) },
      violations: [{ resource: "db-1", says: "no firewall closes it", at: "stack" }],
    },
    {
      title: "a database host that a firewall opens",
      resources: { guard: openGuard, "db-1": droplet("db-1", { vpcUuid, ...databaseData }) },
      violations: [{ resource: "db-1", says: 'Firewall "guard" opens port 443', at: "stack" }],
    },
    {
      title: "a database host with a public interface, if the configuration forbids it",
      configuration: { requirePrivateDatabases: true },
      resources: { guard, "db-1": droplet("db-1", { vpcUuid, ...databaseData }) },
      violations: [{ resource: "db-1", says: "this database host has a public interface", at: "stack" }],
    },
    {
      title: "a reserved address for a database host",
      resources: {
        guard,
        "db-1": droplet("db-1", { vpcUuid, ...databaseData }),
        address: {
          type: "digitalocean:index/reservedIp:ReservedIp",
          properties: { region: "fra1", dropletId: unknownValue },
          references: { dropletId: ["db-1"] },
        },
      },
      violations: [{ resource: "address", says: 'the database host "db-1" an address', at: "stack" }],
    },
    {
      title: "a reserved IPv6 address for a database host",
      resources: {
        guard,
        "db-1": droplet("db-1", { vpcUuid, ...databaseData }),
        address: {
          type: "digitalocean:index/reservedIpv6:ReservedIpv6",
          properties: { regionSlug: "fra1", dropletId: unknownValue },
          references: { dropletId: ["db-1"] },
        },
      },
      violations: [{ resource: "address", says: 'the database host "db-1" an address', at: "stack" }],
    },
    {
      title: "a host with unknown user data that no firewall blocks",
      resources: { "host-1": droplet("host-1", { vpcUuid, userData: unknownValue }) },
      violations: [
        { resource: "host-1", says: "a possible database host has a public interface", at: "stack" },
      ],
    },
  ],
};
