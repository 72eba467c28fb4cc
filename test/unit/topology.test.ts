import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  buildTopology,
  databaseWriters,
  hostsWithRole,
  type TopologyName,
  type TopologySettings,
} from "../../infra/topology";
import { groupName } from "../../infra/userdata/groupName";

const settings = fc.record({
  topology: fc.constantFrom<TopologyName>("converged", "separated"),
  domain: fc.constantFrom("foobar.com", "dev.foobar.com"),
  web: fc.record({ count: fc.integer({ min: 2, max: 10 }), size: fc.constant("s-1vcpu-1gb") }),
  database: fc.record({ count: fc.constantFrom(3, 5, 7, 9), size: fc.constant("s-2vcpu-4gb") }),
});
const stack = fc.constantFrom("dev", "prod");

/** The settings with another number of web hosts. */
const withWeb = (base: TopologySettings, count: number): TopologySettings => ({
  ...base,
  web: { ...base.web, count },
});

describe("topology", () => {
  it("converged: as many hosts as database members, each with both roles", () => {
    fc.assert(
      fc.property(stack, settings, (name, given) => {
        const { hosts } = buildTopology(name, { ...given, topology: "converged" });
        assert.equal(hosts.length, given.database.count);
        for (const { roles } of hosts) assert.deepEqual(roles, ["web", "database"]);
      }),
    );
  });

  it("separated: no host has two roles", () => {
    fc.assert(
      fc.property(stack, settings, (name, given) => {
        const topology = buildTopology(name, { ...given, topology: "separated" });
        assert.equal(hostsWithRole(topology, "web").length, given.web.count);
        assert.equal(hostsWithRole(topology, "database").length, given.database.count);
        for (const { roles } of topology.hosts) assert.equal(roles.length, 1);
      }),
    );
  });

  it("names, droplet names, internal names and server ids are unique", () => {
    fc.assert(
      fc.property(stack, settings, (name, given) => {
        const { hosts } = buildTopology(name, given);
        for (const key of ["name", "dropletName", "fqdn"] as const) {
          assert.equal(new Set(hosts.map((host) => host[key])).size, hosts.length, key);
        }
        const ids = hosts.flatMap(({ serverId }) => (serverId === undefined ? [] : [serverId]));
        assert.deepEqual(
          ids,
          Array.from({ length: given.database.count }, (_, i) => i + 1),
        );
      }),
    );
  });

  it("adding a host changes no other host", () => {
    fc.assert(
      fc.property(stack, settings, fc.integer({ min: 1, max: 3 }), (name, given, more) => {
        const before = buildTopology(name, given);
        const after = buildTopology(name, withWeb(given, given.web.count + more));
        for (const host of before.hosts)
          assert.deepEqual(
            after.hosts.find((other) => other.name === host.name),
            host,
          );
      }),
    );
  });

  it("every host carries the stack's tag and one per role, and no other stack's", () => {
    fc.assert(
      fc.property(settings, (given) => {
        for (const host of buildTopology("dev", given).hosts) {
          assert.deepEqual(host.tags, [
            "secured-web-dev",
            ...host.roles.map((role) => `secured-web-dev-${role}`),
          ]);
        }
      }),
    );
  });

  it("every member of a group writes, and the source alone otherwise", () => {
    fc.assert(
      fc.property(stack, settings, (name, given) => {
        const topology = buildTopology(name, given);
        assert.equal(databaseWriters(topology, "group").length, given.database.count);
        assert.deepEqual(
          databaseWriters(topology, "source-replica").map(({ serverId }) => serverId),
          [1],
        );
      }),
    );
  });
});

describe("group name", () => {
  it("is a UUID of version 5, the same for the same stack and another for another", () => {
    const name = groupName("dev", "internal.dev.foobar.com");
    assert.match(name, /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal(groupName("dev", "internal.dev.foobar.com"), name);
    assert.notEqual(groupName("prod", "internal.dev.foobar.com"), name);
  });

  it("follows RFC 9562's own example", () => {
    // Appendix A.4: version 5 of "www.example.com" in the DNS namespace.
    assert.equal(groupName("www", "example.com"), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
  });
});
