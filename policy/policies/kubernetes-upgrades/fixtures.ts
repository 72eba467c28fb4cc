import { kubernetesCluster } from "../../fixtures/kubernetes";
import type { PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const cluster = (properties: Readonly<Record<string, unknown>> = {}) => ({
  shop: kubernetesCluster({ autoUpgrade: true, ...properties }),
});

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^(nodePool|maintenancePolicy|registryIntegration)/,
      reason: "nodes have the version of their cluster",
    },
    { path: /^surgeUpgrade$/, change: /removed/, reason: "the default is true" },
  ],
  valid: [
    {
      title: "a release with support, and patches at night",
      today: "2026-11-30",
      resources: cluster({
        surgeUpgrade: true,
        maintenancePolicy: { day: "sunday", startTime: "04:00" },
      }),
    },
    {
      title: "a release that is newer than the policy's table",
      resources: cluster({ version: "1.61.0-do.0", registryIntegration: true }),
    },
    {
      title: "the version that a lookup returns",
      resources: cluster({ version: unknownValue }),
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a release whose support has ended",
      resources: cluster({ version: "1.29.1-do.0" }),
      violations: [
        {
          resource: "shop",
          says: "version: support for this release ended on 2025-02-28",
          at: "registration",
        },
      ],
    },
    {
      title: "a release that is older than the table",
      resources: cluster({ version: "1.14" }),
      violations: [{ resource: "shop", says: "support for this release ended", at: "registration" }],
    },
    {
      title: "the same release on the day after its end",
      today: "2027-03-01",
      resources: cluster({ version: "1.35.1-do.0" }),
      violations: [
        { resource: "shop", says: "support for this release ended on 2027-02-28", at: "registration" },
      ],
    },
    {
      title: "a release with less support than the configuration requires",
      today: "2026-11-30",
      configuration: { minimumDays: 120 },
      resources: cluster({ version: "1.35.1-do.0" }),
      violations: [
        { resource: "shop", says: "support for this release ends on 2027-02-28", at: "registration" },
      ],
    },
    {
      title: "a text that is not a version",
      resources: cluster({ version: "latest" }),
      violations: [{ resource: "shop", says: "is not a version of Kubernetes", at: "registration" }],
    },
    {
      title: "no automatic upgrades",
      resources: { shop: kubernetesCluster({ version: "1.61.0-do.0" }) },
      violations: [{ resource: "shop", says: "autoUpgrade is not set", at: "registration" }],
    },
    {
      title: "upgrades without surge nodes",
      resources: cluster({ version: "1.61.0-do.0", surgeUpgrade: false }),
      violations: [{ resource: "shop", says: "surgeUpgrade is false", at: "registration" }],
    },
  ],
};
