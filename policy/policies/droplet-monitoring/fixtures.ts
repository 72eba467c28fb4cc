import { droplet } from "../../fixtures/texts";
import type { PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

export const fixtures: PolicyFixtures = {
  valid: [
    { title: "a droplet with monitoring", resources: { "web-1": droplet("web-1", { monitoring: true }) } },
  ],
  invalid: [
    {
      title: "a droplet that does not set monitoring",
      resources: { "web-1": droplet("web-1") },
      violations: [{ resource: "web-1", says: "monitoring is not set", at: "registration" }],
    },
    {
      title: "a droplet without monitoring",
      resources: { "web-1": droplet("web-1", { monitoring: false }) },
      violations: [{ resource: "web-1", says: "monitoring is false", at: "registration" }],
    },
    {
      title: "an unknown value",
      resources: { "web-1": droplet("web-1", { monitoring: unknownValue }) },
      violations: [{ resource: "web-1", says: "monitoring: the value is unknown", at: "registration" }],
    },
  ],
};
