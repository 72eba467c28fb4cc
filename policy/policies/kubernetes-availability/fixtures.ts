import { kubernetesCluster } from "../../fixtures/kubernetes";
import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const pool = (nodePool: unknown) => kubernetesCluster({ ha: true, nodePool });
const oneNode = { name: "default", size: "s-2vcpu-4gb", nodeCount: 1 };
const secondPool: FixtureResource = {
  type: "digitalocean:index/kubernetesNodePool:KubernetesNodePool",
  properties: { clusterId: unknownValue, name: "jobs", size: "c-2", nodeCount: 2 },
  references: { clusterId: ["shop"] },
};

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    { path: /^nodePool\.(name|size|maxNodes)$/, reason: "names, sizes and maxima do not make nodes fewer" },
    { path: /^ha$/, change: /removed/, reason: "from 1.36, the default is true" },
    { path: /^destroyAllAssociatedResources$/, change: /removed/, reason: "the default is false" },
  ],
  valid: [
    {
      title: "a highly available control plane and three nodes",
      stack: "prod",
      resources: { shop: kubernetesCluster({ ha: true, destroyAllAssociatedResources: false }) },
    },
    {
      title: "a pool that scales from two nodes",
      stack: "prod",
      resources: {
        shop: pool({ name: "default", size: "s-2vcpu-4gb", autoScale: true, minNodes: 2, maxNodes: 6 }),
      },
    },
    {
      title: "a small default pool and a second one",
      stack: "prod",
      resources: { shop: pool(oneNode), jobs: secondPool },
      leftAlone: true,
    },
    {
      title: "one node outside production",
      resources: { shop: kubernetesCluster({ ha: false, nodePool: oneNode }) },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a single control plane",
      stack: "prod",
      resources: { shop: kubernetesCluster({ ha: false }) },
      violations: [{ resource: "shop", says: "ha is false", at: "registration" }],
    },
    {
      title: "a release whose control plane is single by default",
      stack: "prod",
      resources: { shop: kubernetesCluster({ version: "1.35.1-do.0" }) },
      violations: [{ resource: "shop", says: "ha is not set, and the default is false", at: "registration" }],
    },
    {
      title: "one node",
      stack: "prod",
      resources: { shop: pool(oneNode) },
      violations: [{ resource: "shop", says: "the cluster can have a single node", at: "stack" }],
    },
    {
      title: "a deletion that takes the volumes along",
      stack: "prod",
      resources: { shop: kubernetesCluster({ ha: true, destroyAllAssociatedResources: true }) },
      violations: [{ resource: "shop", says: "destroyAllAssociatedResources is true", at: "registration" }],
    },
  ],
};
