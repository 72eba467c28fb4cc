/** Proofs on a stack of its own with web hosts and database hosts apart; the last of them takes it to pieces. */
import { useOwnWorld } from "../world/useWorld";
import { encryptionProof } from "./encryption";
import { type Expected, firewallProof, OPERATORS_ADDRESS } from "./firewalls/proof";
import { hardeningProof } from "./hardening";
import { refusalProof } from "./refusals";
import { refusedMembersProof } from "./refusedMembers";
import { revokedProof } from "./revoked";
import { rolesProof } from "./roles";

const outward = {
  "53": ["database", "web"],
  "53/udp": ["database", "web"],
  "80": ["database", "web"],
  "443": ["database", "web"],
};
const operators = { "22": ["operators"] };
const firewalls: Expected = {
  both: {
    "web-1 private": { "443": ["balancer"] },
    "web-1 public": operators,
    "db-1 private": { "3306": ["database", "web"] },
    "db-1 public": operators,
    internet: outward,
  },
  cloudAlone: {
    "web-1 private": { "443": ["balancer"] },
    // A tag and a load balancer are all of their addresses at DigitalOcean; hosts know private addresses alone.
    "web-1 public": { ...operators, "443": ["balancer"] },
    "db-1 private": { "3306": ["database", "web"] },
    "db-1 public": { ...operators, "3306": ["database", "web"] },
    internet: outward,
  },
  hostsAlone: {
    // A host cannot know which address of the VPC is the load balancer's.
    "web-1 private": { "443": ["balancer", "database", "neighbour", "web"] },
    "web-1 public": operators,
    "db-1 private": { "3306": ["database", "web"] },
    "db-1 public": operators,
    internet: outward,
  },
};

describe("proofs: a separated stack", function () {
  this.timeout(240_000);
  const world = useOwnWorld({
    config: {
      topology: "separated",
      monitoring: "datadog",
      "operators.networks": JSON.stringify([`${OPERATORS_ADDRESS}/32`]),
    },
  });

  describe("what a host keeps to itself", () => {
    hardeningProof(world);
  });

  describe("the firewalls", () => {
    const asking = { web: "web-2", database: "db-2" };
    firewallProof(world, { targets: ["web-1", "db-1"], asking }, firewalls);
  });

  describe("the roles", () => {
    rolesProof(world);
  });

  describe("who is refused", () => {
    refusalProof(world);
  });

  describe("a revoked certificate", () => {
    revokedProof(world);
  });

  describe("who does not get into the group", () => {
    refusedMembersProof(world);
  });

  describe("encryption, measured on the wire", () => {
    encryptionProof(world);
  });
});
