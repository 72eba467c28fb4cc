import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const database = (engine: unknown, version?: unknown): Readonly<Record<string, FixtureResource>> => ({
  orders: {
    type: "digitalocean:index/databaseCluster:DatabaseCluster",
    properties: {
      name: "orders",
      engine,
      ...(version === undefined ? {} : { version }),
      size: "db-s-1vcpu-2gb",
      region: "fra1",
      nodeCount: 2,
    },
  },
});
const refused = (says: string) => [{ resource: "orders", says, at: "registration" as const }];

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    { path: /^version$/, change: /removed/, reason: "DigitalOcean then installs the newest version" },
  ],
  valid: [
    { title: "PostgreSQL with years of support", resources: database("pg", "18") },
    { title: "the major release of MySQL", resources: database("mysql", "8"), leftAlone: true },
    { title: "Kafka as DigitalOcean offers it", resources: database("kafka", "3.8"), leftAlone: true },
    { title: "a version that is newer than the table", resources: database("valkey", "23"), leftAlone: true },
    { title: "OpenSearch without a version", resources: database("opensearch"), leftAlone: true },
    {
      title: "an engine of the Advanced Edition",
      resources: database("advanced_mysql", "8.4"),
      leftAlone: true,
    },
    {
      title: "PostgreSQL 14 on its last day",
      today: "2026-11-12",
      resources: database("pg", "14"),
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "PostgreSQL whose support has ended",
      resources: database("pg", "12"),
      violations: refused("version: support for this release ended on 2024-11-21"),
    },
    {
      title: "PostgreSQL 14 on the day after its last one",
      today: "2026-11-13",
      resources: database("pg", "14"),
      violations: refused("support for this release ended on 2026-11-12"),
    },
    {
      title: "MongoDB whose support has ended",
      resources: database("mongodb", "6"),
      violations: refused("support for this release ended on 2025-07-31"),
    },
    {
      title: "an old minor release of Redis",
      resources: database("redis", "6.0"),
      violations: refused("support for this release ended on 2022-05-31"),
    },
    {
      title: "a version with less support than the configuration requires",
      today: "2026-11-30",
      configuration: { minimumDays: 400 },
      resources: database("pg", "15"),
      violations: refused("support for this release ends on 2027-11-11"),
    },
    {
      title: "an engine that does not exist",
      resources: database("postgres", "18"),
      violations: refused("DigitalOcean has no such engine"),
    },
    {
      title: "an unknown version",
      resources: database("pg", unknownValue),
      violations: refused("version: the value is unknown"),
    },
  ],
};
