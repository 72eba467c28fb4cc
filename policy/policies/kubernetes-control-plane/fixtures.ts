import { kubernetesCluster } from "../../fixtures/kubernetes";
import { droplet } from "../../fixtures/texts";
import type { PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const cluster = (allowedAddresses: unknown, enabled: unknown = true) =>
  kubernetesCluster({ controlPlaneFirewall: { enabled, allowedAddresses } });

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    { path: /^nodePool/, reason: "nodes do not open the control plane" },
    {
      path: /^controlPlaneFirewall\.allowedAddresses(\[0\])?$/,
      change: /removed|emptied/,
      reason: "the firewall then allows no address, or the update refuses an empty one",
    },
  ],
  valid: [
    {
      title: "a control plane that one network reaches",
      resources: { shop: cluster(["203.0.113.0/24"]) },
    },
    {
      title: "a control plane that a host of the stack reaches, in a first preview",
      resources: {
        bastion: droplet("bastion"),
        private: { ...cluster([unknownValue]), references: { controlPlaneFirewall: ["bastion"] } },
      },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a control plane without a firewall",
      resources: { shop: kubernetesCluster() },
      violations: [{ resource: "shop", says: "everyone can reach the Kubernetes API", at: "registration" }],
    },
    {
      title: "a firewall that is not enabled",
      resources: { shop: cluster(["203.0.113.0/24"], false) },
      violations: [{ resource: "shop", says: "enabled is false", at: "registration" }],
    },
    {
      title: "a firewall that allows the internet",
      resources: { shop: cluster(["203.0.113.0/24", "0.0.0.0/0"]) },
      violations: [
        { resource: "shop", says: "allowedAddresses[1]: a source is 0.0.0.0/0", at: "registration" },
      ],
    },
    {
      title: "an unknown address that does not come from a host or a network",
      resources: { shop: cluster([unknownValue]) },
      violations: [{ resource: "shop", says: "a source is unknown", at: "stack" }],
    },
  ],
};
