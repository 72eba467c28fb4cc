import { cloudConfig, droplet, tier } from "../../fixtures/texts";
import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const host = (files: Readonly<Record<string, string>>) => ({
  "web-1": droplet("web-1", { userData: cloudConfig(files) }),
});
const environment = (text: string) => host({ "/etc/shop/app.env": `${text}\n` });
const config = (name: string, ssl: unknown): FixtureResource => ({
  type: `digitalocean:index/database${name}Config:Database${name}Config`,
  properties: { clusterId: "245bcfd0-7f31-4ce6-a2bc-475a116cca97", ssl },
});
const app = (key: string, value: string): FixtureResource => ({
  type: "digitalocean:index/app:App",
  properties: { spec: { name: "shop", services: [{ name: "api", envs: [{ key, value, type: "SECRET" }] }] } },
});
const server = "db-1.example.com:25060/shop";

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    { path: /^clusterId$/, reason: "all managed databases are checked in the same way" },
    { path: /^ssl$/, change: /removed/, reason: "the default is true" },
    {
      path: /^userData$/,
      reason: "other text is checked for its content; unknown text is checked in the update",
    },
    {
      path: /^spec/,
      reason: "an absent or unknown variable connects to nothing; the update checks it",
    },
  ],
  valid: [
    {
      title: "addresses that require TLS",
      resources: environment(
        [
          `DATABASE_URL=postgresql://shop:\${PASSWORD}@${server}?sslmode=verify-full`,
          `MYSQL_URL=mysql://shop:\${PASSWORD}@${server}?ssl-mode=REQUIRED`,
          "CACHE_URL=rediss://cache.example.com:25061",
          "SESSIONS_URL=redis://127.0.0.1:6379",
        ].join("\n"),
      ),
    },
    { title: "a managed Valkey that only serves TLS", resources: { cache: config("Valkey", true) } },
    {
      title: "a variable of an app",
      resources: { app: app("DATABASE_URL", `postgresql://shop@${server}?sslmode=require`) },
    },
  ],
  invalid: [
    {
      title: "an address without TLS",
      resources: environment(`DATABASE_URL=mysql://shop@${server}`),
      violations: [
        {
          resource: "web-1",
          says: "an address connects to a MySQL database without TLS",
          at: "registration",
        },
      ],
    },
    {
      title: "a command that switches off TLS",
      resources: {
        "web-1": droplet("web-1", {
          userData: "#cloud-config\nruncmd:\n  - mysql --ssl-mode=DISABLED -h db.example.com -e 'SELECT 1'\n",
        }),
      },
      violations: [{ resource: "web-1", says: "userData, a command: a client's TLS", at: "registration" }],
    },
    {
      title: "two files with an address without TLS",
      resources: host({
        "/opt/shop/app.env": "DATABASE_URL=mysql://shop@db.example.com/shop\n",
        "/opt/worker/app.env": "DATABASE_URL=mysql://shop@db.example.com/shop\n",
      }),
      violations: [
        { resource: "web-1", says: "userData, /opt/shop/app.env:1: an address connects", at: "registration" },
        {
          resource: "web-1",
          says: "userData, /opt/worker/app.env:1: an address connects",
          at: "registration",
        },
      ],
    },
    {
      title: "optional TLS",
      resources: environment(`DATABASE_URL=postgres://shop@${server}?sslmode=prefer`),
      violations: [
        { resource: "web-1", says: "a PostgreSQL database with optional TLS", at: "registration" },
      ],
    },
    {
      title: "Redis in plain text, in the evidence of a first preview",
      resources: {
        tier: tier({
          "web-1": { roles: ["web"], files: { "/etc/shop/app.env": "CACHE_URL=redis://10.0.0.9:6379\n" } },
        }),
        "web-1": droplet("web-1", { userData: unknownValue }),
      },
      violations: [{ resource: "tier", says: "a Redis or Valkey database without TLS", at: "registration" }],
    },
    {
      title: "a server without verification, if the configuration requires it",
      configuration: { requireVerifiedIdentity: true },
      resources: environment(`DATABASE_URL=postgres://shop@${server}?sslmode=require`),
      violations: [{ resource: "web-1", says: "without verifying the server", at: "registration" }],
    },
    {
      title: "settings that switch off TLS and its verification",
      resources: environment("PGSSLMODE=disable\nNODE_TLS_REJECT_UNAUTHORIZED=0"),
      violations: [
        { resource: "web-1", says: "a client's TLS mode is DISABLE", at: "registration" },
        { resource: "web-1", says: "NODE_TLS_REJECT_UNAUTHORIZED is 0", at: "registration" },
      ],
    },
    {
      title: "a variable of an app without TLS",
      resources: { app: app("DATABASE_URL", `mongodb://shop@${server}`) },
      violations: [{ resource: "app", says: "a MongoDB database without TLS", at: "registration" }],
    },
    {
      title: "a managed Redis that serves plain text",
      resources: { cache: config("Redis", false) },
      violations: [{ resource: "cache", says: "ssl is false", at: "registration" }],
    },
    {
      title: "a managed Redis with an unknown setting",
      resources: { cache: config("Redis", unknownValue) },
      violations: [{ resource: "cache", says: "ssl: the value is unknown", at: "registration" }],
    },
  ],
};
