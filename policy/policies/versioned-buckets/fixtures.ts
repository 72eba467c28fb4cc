import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const bucket = (properties: Readonly<Record<string, unknown>> = {}): FixtureResource => ({
  type: "digitalocean:index/spacesBucket:SpacesBucket",
  properties: { name: "uploads", region: "fra1", ...properties },
});
const rule = {
  enabled: true,
  noncurrentVersionExpiration: { days: 30 },
};

export const fixtures: PolicyFixtures = {
  harmlessMutants: [{ path: /^lifecycleRules/, reason: "without a rule, former versions are never deleted" }],
  valid: [
    {
      title: "a bucket that keeps former versions for a month",
      stack: "prod",
      resources: { uploads: bucket({ versioning: { enabled: true }, lifecycleRules: [rule] }) },
    },
    {
      title: "a bucket with the program's own objects",
      stack: "prod",
      resources: {
        uploads: bucket(),
        page: {
          type: "digitalocean:index/spacesBucketObject:SpacesBucketObject",
          properties: { region: "fra1", bucket: "uploads", key: "index.html", content: "<p>hello" },
        },
      },
      leftAlone: true,
    },
    {
      title: "a bucket that the configuration lists",
      stack: "prod",
      configuration: { unversionedBuckets: ["uploads"] },
      resources: { uploads: bucket() },
      leftAlone: true,
    },
    { title: "a bucket outside production", resources: { uploads: bucket() }, leftAlone: true },
  ],
  invalid: [
    {
      title: "a bucket without versioning",
      stack: "prod",
      resources: { uploads: bucket() },
      violations: [{ resource: "uploads", says: "versioning is not set", at: "stack" }],
    },
    {
      title: "versioning that is switched off",
      stack: "prod",
      resources: { uploads: bucket({ versioning: { enabled: false } }) },
      violations: [{ resource: "uploads", says: "enabled is false", at: "stack" }],
    },
    {
      title: "an unknown value",
      stack: "prod",
      resources: { uploads: bucket({ versioning: unknownValue }) },
      violations: [{ resource: "uploads", says: "versioning: the value is unknown", at: "stack" }],
    },
  ],
};
