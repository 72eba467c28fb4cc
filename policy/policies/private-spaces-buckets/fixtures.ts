import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const bucket = (properties: Readonly<Record<string, unknown>> = {}): FixtureResource => ({
  type: "digitalocean:index/spacesBucket:SpacesBucket",
  properties: { name: "uploads", region: "fra1", ...properties },
});
const bucketPolicy = (policy: unknown): FixtureResource => ({
  type: "digitalocean:index/spacesBucketPolicy:SpacesBucketPolicy",
  properties: { region: "fra1", bucket: "uploads", policy },
});
const statement = (more: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Action: "s3:GetObject", Resource: "arn:aws:s3:::uploads/*", ...more }],
  });
const cors = (allowedOrigins: unknown, allowedMethods: unknown) => ({
  corsRules: [{ allowedOrigins, allowedMethods, allowedHeaders: ["*"], maxAgeSeconds: 3000 }],
});

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    { path: /^acl$/, change: /removed/, reason: "the default is private" },
    { path: /^bucket$/, reason: "all buckets are checked in the same way" },
    {
      path: /^corsRules(\[0\])?$/,
      change: /removed|emptied/,
      reason: "without a rule, no page can reach the bucket",
    },
    { path: /^corsRules\[0\]$/, change: /mistyped/, reason: "an object without origins allows no page" },
    {
      path: /^corsRules\[0\]\.(allowedHeaders.*|maxAgeSeconds)$/,
      reason: "headers and times do not give access",
    },
    {
      path: /^corsRules\[0\]\.allowedOrigins(\[0\])?$/,
      change: /removed|emptied/,
      reason: "without an origin, no page is allowed",
    },
    { path: /^corsRules\[0\]\.allowedMethods(\[\d\])?$/, reason: "the origin is listed, so it is allowed" },
    {
      path: /^policy$/,
      change: /unknown/,
      reason: "it comes from a bucket of the stack, and the update checks it",
    },
  ],
  valid: [
    {
      title: "a private bucket to which one site uploads",
      resources: { uploads: bucket({ acl: "private", ...cors(["https://www.foobar.com"], ["GET", "PUT"]) }) },
    },
    {
      title: "a bucket policy for one network",
      resources: {
        uploads: bucket(),
        policy: {
          ...bucketPolicy(
            statement({ Principal: "*", Condition: { IpAddress: { "aws:SourceIp": "203.0.113.0/24" } } }),
          ),
          references: { policy: ["uploads"] },
        },
      },
    },
    {
      title: "a bucket that is public on purpose",
      configuration: { publicBuckets: ["uploads"] },
      resources: {
        uploads: bucket({ acl: "public-read" }),
        policy: bucketPolicy(statement({ Principal: "*" })),
      },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a bucket that everyone can read",
      resources: { uploads: bucket({ acl: "public-read" }) },
      violations: [{ resource: "uploads", says: 'acl is "public-read"', at: "registration" }],
    },
    {
      title: "an object with unknown access",
      resources: {
        image: {
          type: "digitalocean:index/spacesBucketObject:SpacesBucketObject",
          properties: { region: "fra1", bucket: "uploads", key: "logo.svg", acl: unknownValue },
        },
      },
      violations: [{ resource: "image", says: "acl: the value is unknown", at: "registration" }],
    },
    {
      title: "a bucket policy for everyone",
      resources: { policy: bucketPolicy(statement({ Principal: { AWS: ["*"] } })) },
      violations: [{ resource: "policy", says: "it allows everyone", at: "registration" }],
    },
    {
      title: "a condition that is true for everyone",
      resources: {
        policy: bucketPolicy(
          statement({ Principal: "*", Condition: { IpAddress: { "aws:SourceIp": ["0.0.0.0/0"] } } }),
        ),
      },
      violations: [{ resource: "policy", says: "it allows everyone", at: "registration" }],
    },
    {
      title: "a bucket policy that is not JSON",
      resources: { policy: bucketPolicy("Allow everybody") },
      violations: [{ resource: "policy", says: "is not a bucket policy in JSON", at: "registration" }],
    },
    {
      title: "a bucket policy that is unknown and does not come from a resource",
      resources: { policy: bucketPolicy(unknownValue) },
      violations: [{ resource: "policy", says: "policy: the value is unknown", at: "stack" }],
    },
    {
      title: "uploads from every site",
      resources: { uploads: bucket(cors(["*"], ["GET", "PUT"])) },
      violations: [{ resource: "uploads", says: "every origin can send requests", at: "registration" }],
    },
  ],
};
