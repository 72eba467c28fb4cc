import { droplet, firewall } from "../../fixtures/texts";
import type { PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const httpsIn = [{ protocol: "tcp", portRange: "443", sourceAddresses: ["203.0.113.0/24"] }];
const guard = (selection: Readonly<Record<string, unknown>>) => firewall(httpsIn, selection);

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^inboundRules/,
      reason: "a firewall without rules closes every port; another policy reads the rules",
    },
    {
      path: /^dropletIds(\[\d+\])?$/,
      change: /unknown|mistyped/,
      reason: "the reference still shows the droplets",
    },
    {
      path: /^dropletIds\[\d+\]$/,
      change: /removed|emptied/,
      reason: "the reference still shows the droplet",
    },
    { path: /^name$/, reason: "names select nothing" },
  ],
  valid: [
    {
      title: "a firewall that selects by tag",
      resources: { guard: guard({ tags: ["web"] }), "web-1": droplet("web-1", { tags: ["web"] }) },
    },
    {
      title: "a firewall that selects droplets with unknown ids",
      resources: {
        "web-1": droplet("web-1"),
        guard: { ...guard({ dropletIds: [unknownValue] }), references: { dropletIds: ["web-1"] } },
      },
    },
    {
      title: "a firewall outside the stack, by a tag in the configuration",
      configuration: { firewalledTags: ["company-default"] },
      resources: { "web-1": droplet("web-1", { tags: ["company-default"] }) },
    },
  ],
  invalid: [
    {
      title: "a droplet without a firewall",
      resources: { "web-1": droplet("web-1", { tags: ["web"] }) },
      violations: [{ resource: "web-1", says: "no firewall selects this droplet", at: "stack" }],
    },
    {
      title: "a firewall for another tag",
      resources: { guard: guard({ tags: ["database"] }), "web-1": droplet("web-1", { tags: ["web"] }) },
      violations: [{ resource: "web-1", says: "no firewall selects this droplet", at: "stack" }],
    },
    {
      title: "a firewall with unknown tags",
      resources: { guard: guard({ tags: [unknownValue] }), "web-1": droplet("web-1", { tags: ["web"] }) },
      violations: [{ resource: "web-1", says: "it is unknown whether a firewall protects it", at: "stack" }],
    },
    {
      title: "a firewall for one of two droplets",
      resources: {
        "web-1": droplet("web-1"),
        "web-2": droplet("web-2"),
        guard: { ...guard({ dropletIds: [unknownValue] }), references: { dropletIds: ["web-1"] } },
      },
      violations: [{ resource: "web-2", says: "no firewall selects this droplet", at: "stack" }],
    },
  ],
};
