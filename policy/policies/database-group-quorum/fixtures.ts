import { cloudConfig, droplet, groupMember, memberFiles, memberPath, tier } from "../../fixtures/texts";
import type { Fixture, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

type Resources = Fixture["resources"];

/** Members of one group with the same files. */
function members(
  count: number,
  files: Readonly<Record<string, string>> = memberFiles,
  rest: Readonly<Record<string, unknown>> = {},
): Resources {
  return Object.fromEntries(
    Array.from({ length: count }, (_, index) => {
      const name = `db-${index + 1}`;
      return [name, droplet(name, { userData: cloudConfig(files, rest) })];
    }),
  );
}

const bootstrapping = { [memberPath]: `${groupMember}loose-group_replication_bootstrap_group = ON\n` };
const evidence = Object.fromEntries(
  ["db-1", "db-2", "db-3"].map((name) => [name, { roles: ["database"], files: memberFiles }]),
);

export const fixtures: PolicyFixtures = {
  valid: [
    { title: "three members on three hosts", resources: members(3) },
    { title: "five members on five hosts", resources: members(5), leftAlone: true },
    {
      title: "a single server, which is not a group",
      resources: members(1, { [memberPath]: "[mysqld]\nrequire_secure_transport = ON\n" }),
      leftAlone: true,
    },
    {
      title: "evidence of three members, in a first preview",
      resources: {
        tier: tier(evidence),
        "db-1": droplet("db-1", { userData: unknownValue }),
        "db-2": droplet("db-2", { userData: unknownValue }),
        "db-3": droplet("db-3", { userData: unknownValue }),
      },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "an even number of members",
      resources: members(4),
      violations: [{ resource: "db-1", says: "its MySQL group has 4 members", at: "stack" }],
    },
    {
      title: "more members than a group can have",
      resources: members(11),
      violations: [{ resource: "db-1", says: "its MySQL group has 11 members", at: "stack" }],
    },
    {
      title: "an option that starts the group at every server start",
      resources: { ...members(3), ...members(1, bootstrapping) },
      violations: [
        { resource: "db-1", says: "group_replication_bootstrap_group is not OFF", at: "registration" },
      ],
    },
    {
      title: "statements that start the group at every server start",
      resources: {
        ...members(3),
        ...members(1, {
          [memberPath]: `${groupMember}init_file = /etc/mysql/start.sql\n`,
          "/etc/mysql/start.sql":
            "SET GLOBAL group_replication_bootstrap_group=ON;\nSTART GROUP_REPLICATION;\n",
        }),
      },
      violations: [
        { resource: "db-1", says: "the statements of init_file start the group", at: "registration" },
      ],
    },
    {
      title: "a command that starts the group at first boot",
      resources: {
        ...members(3),
        ...members(1, memberFiles, {
          runcmd: ["mysql -e 'SET GLOBAL group_replication_bootstrap_group=ON; START GROUP_REPLICATION'"],
        }),
      },
      violations: [
        { resource: "db-1", says: "a command in the user data starts the group", at: "registration" },
      ],
    },
    {
      title: "three members on one host",
      resources: members(1, {
        "/srv/a.cnf": groupMember,
        "/srv/b.cnf": groupMember,
        "/srv/c.cnf": groupMember,
      }),
      violations: [{ resource: "db-1", says: "the host runs 3 members of a group", at: "registration" }],
    },
    {
      title: "three containers on one host",
      resources: members(1, {
        "/srv/compose.yaml":
          "services:\n  a: {image: 'mysql:8.4'}\n  b: {image: 'mysql:8.4'}\n  c: {image: 'mysql:8.4'}\n",
      }),
      violations: [
        { resource: "db-1", says: "the host runs 3 containers with a MySQL server", at: "registration" },
      ],
    },
    {
      title: "seeds that are all on one host",
      resources: {
        ...members(3),
        ...members(1, {
          [memberPath]: `${groupMember}loose-group_replication_group_seeds = "127.0.0.1:33061,127.0.0.1:33062"\n`,
        }),
      },
      violations: [
        {
          resource: "db-1",
          says: "the 2 seeds of group_replication_group_seeds are all on one host",
          at: "registration",
        },
      ],
    },
    {
      title: "a host that cannot be read, in addition to a group",
      resources: { ...members(3), "host-1": droplet("host-1", { userData: unknownValue }) },
      violations: [{ resource: "host-1", says: "it may be another member", at: "stack" }],
    },
  ],
};
