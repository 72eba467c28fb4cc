/** Public addresses of database hosts, by every type of resource that assigns one. */
import assert from "node:assert/strict";
import { cloudConfig, droplet, memberFiles, nginxFiles } from "../../policy/fixtures/texts";
import { unknownValue } from "../../policy/frame/value";
import { privateNetwork } from "../../policy/policies/private-network/policy";
import { judgeFixture } from "./harness";

const types = [
  "reservedIp:ReservedIp",
  "reservedIpAssignment:ReservedIpAssignment",
  "reservedIpv6:ReservedIpv6",
  "reservedIpv6Assignment:ReservedIpv6Assignment",
  "floatingIp:FloatingIp",
  "floatingIpAssignment:FloatingIpAssignment",
];

function messages(type: string, userData: string, dropletId: unknown) {
  const host = droplet("host-1", {
    vpcUuid: "c33931f2-a26a-4e61-b85c-4e95a2ec431b",
    publicNetworking: false,
    userData,
  });
  const resources = {
    "host-1": { ...host, outputs: { id: "42" } },
    address: {
      type: `digitalocean:index/${type}`,
      properties: { dropletId },
      references: dropletId === unknownValue ? { dropletId: ["host-1"] } : {},
    },
  };
  return judgeFixture(privateNetwork, { title: type, stack: "prod", resources }).filter(
    ({ resource }) => resource === "address",
  );
}

describe("a reserved address", () => {
  for (const type of types) {
    for (const [when, dropletId] of [
      ["in a preview", unknownValue],
      ["in an update", "42"],
    ] as const)
      it(`of a database host is refused ${when}: ${type}`, () => {
        const [seen] = messages(type, cloudConfig(memberFiles), dropletId);
        assert.match(seen?.message ?? "", /gives the database host "host-1" an address on the internet/);
      });
    it(`of a web host passes: ${type}`, () => {
      assert.deepEqual(messages(type, cloudConfig(nginxFiles), "42"), []);
    });
  }
});
