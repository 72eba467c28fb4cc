import { droplet } from "../../fixtures/texts";
import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const key = (grants: unknown): FixtureResource => ({
  type: "digitalocean:index/spacesKey:SpacesKey",
  properties: { name: "app", grants },
});
const fullAccess = [{ bucket: "", permission: "fullaccess" }];
const bucket: FixtureResource = {
  type: "digitalocean:index/spacesBucket:SpacesBucket",
  properties: { name: "uploads", region: "fra1" },
};

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    { path: /^grants(\[\d\])?$/, change: /removed|emptied/, reason: "a key without a grant has no access" },
    {
      path: /^grants\[\d\]\.bucket$/,
      change: /unknown/,
      reason: "the name of a bucket of the stack is unknown in a first preview",
    },
  ],
  valid: [
    {
      title: "a key that reads one bucket and writes another",
      resources: {
        app: key([
          { bucket: "releases", permission: "read" },
          { bucket: "uploads", permission: "readwrite" },
        ]),
      },
    },
    {
      title: "a key for a bucket of the stack, in a first preview",
      resources: {
        uploads: bucket,
        app: {
          ...key([{ bucket: unknownValue, permission: "read" }]),
          references: { grants: ["uploads"] },
        },
      },
      leftAlone: true,
    },
    {
      title: "a key without grants",
      resources: { app: { type: "digitalocean:index/spacesKey:SpacesKey", properties: { name: "app" } } },
      leftAlone: true,
    },
    {
      title: "the key with which the program creates its buckets, and reads them before it writes an object",
      stack: "prod",
      resources: {
        program: key(fullAccess),
        uploads: bucket,
        release: {
          type: "digitalocean:index/spacesBucketObject:SpacesBucketObject",
          properties: { bucket: "uploads", key: "release", region: "fra1", content: unknownValue },
          references: { content: ["program"] },
        },
      },
      leftAlone: true,
    },
    {
      title: "a key that has full access on purpose",
      configuration: { fullAccessKeys: ["app"] },
      resources: { app: key(fullAccess) },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a key with full access, in a stack without buckets",
      resources: { app: key(fullAccess) },
      violations: [
        { resource: "app", says: "it has full access, and the stack creates no bucket", at: "stack" },
      ],
    },
    {
      title: "a key with full access on a host",
      resources: {
        uploads: bucket,
        app: key(fullAccess),
        "web-1": {
          ...droplet("web-1", { userData: unknownValue }),
          references: { userData: ["app"] },
        },
      },
      violations: [{ resource: "app", says: 'it has full access, and "web-1" receives it', at: "stack" }],
    },
    {
      title: "a grant without a bucket",
      resources: { app: key([{ bucket: "", permission: "readwrite" }]) },
      violations: [{ resource: "app", says: "without the name of a bucket", at: "registration" }],
    },
    {
      title: "an unknown permission",
      resources: { app: key([{ bucket: "uploads", permission: unknownValue }]) },
      violations: [{ resource: "app", says: "the value of permission is unknown", at: "registration" }],
    },
    {
      title: "a permission that does not exist",
      resources: { app: key([{ bucket: "uploads", permission: "admin" }]) },
      violations: [
        { resource: "app", says: "permission is a value that is not allowed", at: "registration" },
      ],
    },
  ],
};
