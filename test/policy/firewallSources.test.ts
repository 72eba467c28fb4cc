/** Firewall sources that a first preview does not know yet, by the resources that they come from. */
import assert from "node:assert/strict";
import { droplet, firewall } from "../../policy/fixtures/texts";
import type { FixtureResource } from "../../policy/frame/fixture";
import { unknownValue } from "../../policy/frame/value";
import { narrowFirewalls } from "../../policy/policies/narrow-firewalls/policy";
import { noWorldOpenDatabase } from "../../policy/policies/no-world-open-database/policy";
import { judgeFixture } from "./harness";

const other = (type: string): FixtureResource => ({ type, properties: { name: "other" } });
const own = (module: string, name: string) => other(`digitalocean:index/${module}:${name}`);

/** The messages about a firewall that opens SSH and MySQL to an unknown address from these resources. */
function messages(sources: Readonly<Record<string, FixtureResource>>, sourceAddresses: unknown) {
  const rules = ["22", "3306"].map((portRange) => ({ protocol: "tcp", portRange, sourceAddresses }));
  const guard = {
    ...firewall(rules, { tags: ["database"] }),
    references: { inboundRules: Object.keys(sources) },
  };
  const resources = { ...sources, guard, "db-1": droplet("db-1", { tags: ["database"] }) };
  return [narrowFirewalls, noWorldOpenDatabase].flatMap((definition) =>
    judgeFixture(definition, { title: "sources", resources }).filter(({ resource }) => resource === "guard"),
  );
}

describe("unknown sources of a firewall", () => {
  const narrow: readonly (readonly [string, FixtureResource])[] = [
    ["a droplet's address", droplet("bastion")],
    ["a VPC's range", own("vpc", "Vpc")],
    ["a reserved address", own("reservedIp", "ReservedIp")],
    ["a load balancer's address", own("loadBalancer", "LoadBalancer")],
    ["a cluster's subnet", own("kubernetesCluster", "KubernetesCluster")],
    ["a NAT gateway's address", own("vpcNatGateway", "VpcNatGateway")],
  ];
  for (const [what, source] of narrow) {
    it(`pass as ${what}`, () => {
      assert.deepEqual(messages({ source }, [unknownValue]), []);
      assert.deepEqual(messages({ source }, unknownValue), []);
      assert.deepEqual(messages({ source }, ["10.0.0.0/8", unknownValue]), []);
    });
  }

  const unclear: readonly (readonly [string, Readonly<Record<string, FixtureResource>>])[] = [
    ["no resource", {}],
    ["another stack", { source: other("pulumi:pulumi:StackReference") }],
    ["a command", { source: other("command:local:Command") }],
    [
      "a droplet or another stack",
      { source: droplet("bastion"), two: other("pulumi:pulumi:StackReference") },
    ],
    ["a random value", { source: other("random:index/randomString:RandomString") }],
  ];
  for (const [what, sources] of unclear) {
    it(`are refused from ${what}, with a remedy that names tags and ids`, () => {
      const seen = messages(sources, [unknownValue]);
      assert.equal(seen.length, 2, JSON.stringify(seen));
      for (const { message, at } of seen) {
        assert.match(message, /sourceTags or sourceDropletIds/);
        assert.equal(at, "stack");
      }
    });
  }

  it("do not hide a known source that is the whole internet", () => {
    const seen = messages({ source: droplet("bastion") }, [unknownValue, "0.0.0.0/0"]);
    assert.ok(seen.filter(({ at }) => at === "registration").length === 2, JSON.stringify(seen));
  });
});
