import {
  changed,
  cloudConfig,
  droplet,
  groupMember,
  memberFiles,
  memberPath,
  release,
  tier,
} from "../../fixtures/texts";
import type { Fixture, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const production = { "secured-web:environment": "production" };

/** Hosts with known user data, one options text for each. */
function hosts(...options: readonly string[]): Fixture["resources"] {
  return Object.fromEntries(
    options.map((text, index) => [
      `db-${index + 1}`,
      droplet(`db-${index + 1}`, { userData: cloudConfig({ [memberPath]: text }) }),
    ]),
  );
}

const alone = "[mysqld]\nrequire_secure_transport = ON\n";
const managed = (engine: unknown) => ({
  database: {
    type: "digitalocean:index/databaseCluster:DatabaseCluster",
    properties: { name: "db", engine, version: "8", size: "db-s-1vcpu-1gb", region: "fra1", nodeCount: 2 },
  },
});

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    { path: /^userData$/, change: /unknown|mistyped/, reason: "evidence covers the host" },
    { path: /\.roles(\[\d+\])?$/, change: /emptied|removed/, reason: "the options show that MySQL runs" },
  ],
  valid: [
    {
      title: "three members of a multi-primary group",
      config: production,
      resources: hosts(groupMember, groupMember, groupMember),
    },
    {
      title: "evidence of three members, in a first preview",
      stack: "prod",
      resources: {
        tier: tier({
          "db-1": { roles: ["database"], files: memberFiles },
          "db-2": { roles: ["database"], files: memberFiles },
          "db-3": { roles: ["database"], files: memberFiles },
        }),
        "db-1": droplet("db-1", { userData: unknownValue }),
        "db-2": droplet("db-2", { userData: unknownValue }),
        "db-3": droplet("db-3", { userData: unknownValue }),
      },
    },
    {
      title: "a single writer in development",
      leftAlone: true,
      config: { "secured-web:environment": "development" },
      resources: { ...hosts(alone), ...managed("mysql") },
    },
    {
      title: "production without a MySQL server",
      leftAlone: true,
      stack: "production-eu",
      resources: { web: droplet("web"), ...managed("pg") },
    },
    {
      title: "members with a maintenance server next to the real one",
      config: production,
      resources: Object.fromEntries(
        ["db-1", "db-2", "db-3"].map((name) => [
          name,
          droplet(name, {
            userData: cloudConfig({
              [memberPath]: "[mysqld]\nskip_networking = ON\n",
              "/etc/mysql/real.cnf": groupMember,
            }),
          }),
        ]),
      ),
    },
  ],
  invalid: [
    {
      title: "a database that only its own host can reach",
      config: production,
      resources: hosts("[mysqld]\nbind_address = 127.0.0.1\n"),
      violations: [
        { resource: "db-1", says: "its MySQL is not a member of a replication group", at: "registration" },
      ],
    },
    {
      title: "a release makes a group member a single primary",
      config: production,
      resources: {
        release: release("db-1", {
          [memberPath]: changed(groupMember, "single_primary_mode = OFF", "single_primary_mode = ON"),
        }),
      },
      violations: [
        { resource: "release", says: "group_replication_single_primary_mode", at: "registration" },
      ],
    },
    {
      title: "one database host",
      config: production,
      resources: hosts(groupMember),
      violations: [{ resource: "db-1", says: "it is the only host of its MySQL group", at: "stack" }],
    },
    {
      title: "an image of the marketplace with MySQL, without user data",
      stack: "prod",
      resources: { blog: droplet("blog", { image: "wordpress-20-04" }) },
      violations: [
        {
          resource: "blog",
          says: "image: its MySQL is not a member of a replication group",
          at: "registration",
        },
      ],
    },
    {
      title: "MariaDB as a service of a compose file",
      stack: "prod",
      resources: {
        cloud: droplet("cloud", {
          userData: cloudConfig({
            "/srv/cloud/compose.yaml":
              "services:\n  db: { image: docker.io/library/mariadb:11 }\n  web: { image: caddy }\n",
          }),
        }),
      },
      violations: [
        { resource: "cloud", says: "its MySQL is not a member of a replication group", at: "registration" },
      ],
    },
    {
      title: "a source with a replica, in a stack whose name contains the word prod",
      stack: "prod-eu",
      resources: hosts(alone, alone),
      violations: [
        { resource: "db-1", says: "its MySQL is not a member of a replication group", at: "registration" },
        { resource: "db-2", says: "its MySQL is not a member of a replication group", at: "registration" },
      ],
    },
    {
      title: "a group with a single primary",
      config: production,
      resources: hosts(
        changed(groupMember, "single_primary_mode = OFF", "single_primary_mode = ON"),
        changed(groupMember, "loose-group_replication_single_primary_mode = OFF\n", ""),
      ),
      violations: [
        { resource: "db-1", says: "group_replication_single_primary_mode is not OFF", at: "registration" },
        {
          resource: "db-2",
          says: "no option file sets group_replication_single_primary_mode",
          at: "registration",
        },
      ],
    },
    {
      title: "two hosts of two groups",
      config: production,
      resources: hosts(groupMember, changed(groupMember, "0f5ab2a8", "1f5ab2a8")),
      violations: [
        { resource: "db-1", says: "it is the only host of its MySQL group", at: "stack" },
        { resource: "db-2", says: "it is the only host of its MySQL group", at: "stack" },
      ],
    },
    {
      title: "managed MySQL",
      config: { "shop:environment": "production", "secured-web:environment": "production" },
      resources: managed("mysql"),
      violations: [
        { resource: "database", says: "managed MySQL has one node that accepts writes", at: "registration" },
      ],
    },
    {
      title: "a managed database with an unknown engine",
      config: production,
      resources: managed(unknownValue),
      violations: [{ resource: "database", says: "engine: the value is unknown", at: "registration" }],
    },
    {
      title: "evidence of a source, in a first preview",
      config: production,
      resources: {
        tier: tier({ "db-1": { roles: ["database"], files: { [memberPath]: alone } } }),
        "db-1": droplet("db-1", { userData: unknownValue }),
      },
      violations: [
        {
          resource: "tier",
          says: 'host "db-1": its MySQL is not a member of a replication group',
          at: "registration",
        },
      ],
    },
    {
      title: "a host whose user data is unknown and not covered by evidence",
      config: production,
      resources: { "host-1": droplet("host-1", { userData: unknownValue }) },
      violations: [{ resource: "host-1", says: "it may be a single writer", at: "stack" }],
    },
    {
      title: "options that cannot be read",
      config: production,
      resources: hosts("require_secure_transport = ON\n[mysqld]\n", groupMember, groupMember),
      violations: [{ resource: "db-1", says: "its MySQL options cannot be read", at: "registration" }],
    },
  ],
};
