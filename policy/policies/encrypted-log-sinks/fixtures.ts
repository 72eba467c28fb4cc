import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const clusterId = "245bcfd0-7f31-4ce6-a2bc-475a116cca97";
const resource = (
  name: string,
  properties: Readonly<Record<string, unknown>>,
): Readonly<Record<string, FixtureResource>> => ({
  logs: {
    type: `digitalocean:index/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`,
    properties: { clusterId, ...properties },
  },
});
const rsyslog = (tls?: unknown) =>
  resource("DatabaseLogsinkRsyslog", {
    name: "logs",
    server: "logs.example.com",
    port: 6514,
    ...(tls === undefined ? {} : { tls }),
  });
const opensearch = (endpoint: unknown) =>
  resource("DatabaseLogsinkOpensearch", { name: "logs", endpoint, indexPrefix: "db" });
const migration = (more: Readonly<Record<string, unknown>>) =>
  resource("DatabaseOnlineMigration", { source: { host: "old.example.com", port: 3306 }, ...more });

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    { path: /^(clusterId|server|port|indexPrefix|source.*)$/, reason: "TLS does not depend on it" },
    { path: /^endpoint$/, change: /unknown/, reason: "the update checks it" },
    { path: /^disableSsl$/, change: /removed/, reason: "the default is false" },
  ],
  valid: [
    { title: "rsyslog over TLS", resources: rsyslog(true) },
    { title: "OpenSearch over HTTPS", resources: opensearch("https://search.example.com:9200") },
    { title: "a migration over TLS", resources: migration({ disableSsl: false }) },
    { title: "a migration that says nothing", resources: migration({}), leftAlone: true },
  ],
  invalid: [
    {
      title: "rsyslog in plain text",
      resources: rsyslog(),
      violations: [{ resource: "logs", says: "tls is not set", at: "registration" }],
    },
    {
      title: "rsyslog with an unknown setting",
      resources: rsyslog(unknownValue),
      violations: [{ resource: "logs", says: "the value of tls is unknown", at: "registration" }],
    },
    {
      title: "OpenSearch over HTTP",
      resources: opensearch("http://search.example.com:9200"),
      violations: [{ resource: "logs", says: "the address is not https://", at: "registration" }],
    },
    {
      title: "a migration without TLS",
      resources: migration({ disableSsl: true }),
      violations: [{ resource: "logs", says: "disableSsl is true", at: "registration" }],
    },
  ],
};
