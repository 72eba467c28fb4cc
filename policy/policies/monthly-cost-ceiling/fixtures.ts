import { droplet, httpsRule, loadBalancer } from "../../fixtures/texts";
import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const volume: FixtureResource = {
  type: "digitalocean:index/volume:Volume",
  properties: { name: "data", region: "fra1", size: 100 },
};
const cluster: FixtureResource = {
  type: "digitalocean:index/databaseCluster:DatabaseCluster",
  properties: {
    name: "db",
    engine: "pg",
    version: "17",
    size: "db-s-1vcpu-2gb",
    region: "fra1",
    nodeCount: 2,
  },
};
const edge = loadBalancer([httpsRule], { sizeUnit: 2 });
const large = { size: "s-4vcpu-8gb" };

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^(engine|dropletTag|forwardingRules.*|redirectHttpToHttps|tlsCipherPolicy)$/,
      reason: "costs nothing",
    },
    { path: /^sizeUnit$/, change: /removed/, reason: "the default is one node" },
    { path: /^backups$/, change: /removed/, reason: "without backups it costs less" },
    { path: /^backupPolicy/, reason: "read as the more expensive plan, which the ceiling allows" },
  ],
  valid: [
    {
      title: "a stack below its ceiling",
      configuration: { ceilingUsd: 200, prices: ["db-s-1vcpu-2gb=30"] },
      resources: {
        "web-1": droplet("web-1", {
          size: "s-1vcpu-2gb",
          backups: true,
          backupPolicy: { plan: "daily", hour: 4 },
        }),
        data: volume,
        cluster,
        edge,
      },
    },
    {
      title: "a stack without a ceiling",
      resources: { "web-1": droplet("web-1", { size: "x-large" }) },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a stack above its ceiling",
      configuration: { ceilingUsd: 100 },
      resources: { "web-1": droplet("web-1", large), "web-2": droplet("web-2", large), edge },
      violations: [{ resource: "web-1", says: "the stack costs 120.00 USD a month", at: "stack" }],
    },
    {
      title: "backups that lift it above its ceiling",
      configuration: { ceilingUsd: 50 },
      resources: { "db-1": droplet("db-1", { ...large, backups: true }) },
      violations: [{ resource: "db-1", says: "the stack costs 57.60 USD a month", at: "stack" }],
    },
    {
      title: "a size without a price",
      configuration: { ceilingUsd: 100 },
      resources: { cluster },
      violations: [{ resource: "cluster", says: "size db-s-1vcpu-2gb has no price", at: "stack" }],
    },
    {
      title: "an unknown size",
      configuration: { ceilingUsd: 100 },
      resources: { "web-1": droplet("web-1", { size: unknownValue }) },
      violations: [{ resource: "web-1", says: "its price is unknown", at: "stack" }],
    },
    {
      title: "a type without a price",
      configuration: { ceilingUsd: 100 },
      resources: { shop: { type: "digitalocean:index/app:App", properties: { spec: { name: "shop" } } } },
      violations: [{ resource: "shop", says: "a resource of this type has no price", at: "stack" }],
    },
  ],
};
