/**
 * Proofs on the dev stack: three hosts with both roles. `npm test` has the same proofs on separated hosts
 * (separated.test.ts); these are run by themselves:
 *
 *     SECURED_WEB_LONG_TESTS=1 npm test -- test/hosts/proofs/converged.test.ts
 */
import { longDescribe } from "../../longTests";
import { useWorld } from "../world/useWorld";
import { type Expected, firewallProof } from "./firewalls/proof";
import { hardeningProof } from "./hardening";

/** Nobody has configured an operators' network here. */
const outward = {
  "53": ["host"],
  "53/udp": ["host"],
  "80": ["host"],
  "443": ["host"],
};
const firewalls: Expected = {
  both: {
    "node-1 private": { "443": ["balancer"], "3306": ["host"] },
    internet: outward,
  },
  cloudAlone: {
    "node-1 private": { "443": ["balancer"], "3306": ["host"] },
    // A tag and a load balancer are all of their addresses at DigitalOcean; hosts know private addresses alone.
    "node-1 public": { "443": ["balancer"], "3306": ["host"] },
    internet: outward,
  },
  hostsAlone: {
    // A host cannot know which address of the VPC is the load balancer's.
    "node-1 private": { "443": ["balancer", "host", "neighbour"], "3306": ["host"] },
    internet: outward,
  },
};

longDescribe("proofs: a converged stack", function () {
  this.timeout(180_000);
  const world = useWorld();

  describe("what a host keeps to itself", () => {
    hardeningProof(world);
  });

  describe("the firewalls", () => {
    firewallProof(world, { targets: ["node-1"], asking: { host: "node-2" } }, firewalls);
  });
});
