/** Hosts communicate in their own VPC, and the internet cannot reach databases. */
import { describeState, dropletType } from "../../evidence/host";
import { rolesOfDroplet } from "../../evidence/roles";
import { definePolicy, type JudgmentContext } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { valueOr } from "../../frame/value";
import { describePorts, openingsIn } from "../../resources/firewall-rules";
import { DropletSelectors } from "../../resources/selectors";
import {
  clusterReplicaType,
  clusterType,
  firewallType,
  floatingIpAssignmentType,
  floatingIpType,
  kubernetesClusterType,
  loadBalancerType,
  ofType,
  reservedIpAssignmentType,
  reservedIpType,
  reservedIpv6AssignmentType,
  reservedIpv6Type,
  vpcType,
} from "../../resources/types";

const whyDefault =
  "the default VPC of a region contains everything in the account that was created without one, so any compromised resource in it can reach this one";
const whyPublic = "if a database has a public address, a single wrong rule opens it to the internet";

/** The input that sets the VPC, by type. */
const vpcInputs: ReadonlyMap<string, string> = new Map([
  [dropletType, "vpcUuid"],
  [loadBalancerType, "vpcUuid"],
  [clusterType, "privateNetworkUuid"],
  [clusterReplicaType, "privateNetworkUuid"],
  [kubernetesClusterType, "vpcUuid"],
]);

export const privateNetwork = definePolicy({
  name: "private-network",
  displayName: "Private network",
  category: "network",
  description:
    "Droplets, load balancers, Kubernetes clusters and managed databases are in their own VPC, and database hosts have no public interface or block it.",
  severity: "high",
  enforcement: mandatoryInProduction,
  tags: ["database"],
  types: [
    clusterReplicaType,
    clusterType,
    dropletType,
    floatingIpAssignmentType,
    floatingIpType,
    kubernetesClusterType,
    loadBalancerType,
    reservedIpAssignmentType,
    reservedIpType,
    reservedIpv6AssignmentType,
    reservedIpv6Type,
  ],
  remediationSteps:
    "Create a Vpc and set its id in vpcUuid (privateNetworkUuid of a managed database). Set publicNetworking to false on database hosts, or protect them with firewalls that open nothing to the internet.",
  configuration: {
    requirePrivateDatabases: {
      type: "boolean",
      default: false,
      description:
        "Require that database hosts have no public interface at all (they then need a NAT gateway for packages).",
    },
  },
  judgeResource(resource, context) {
    const input = vpcInputs.get(resource.type);
    if (input !== undefined && !isGlobal(resource)) judgeVpcInput(resource, input, context);
  },
  judgeStack(resources, context) {
    for (const resource of resources) {
      const input = vpcInputs.get(resource.type);
      if (input !== undefined && !isGlobal(resource)) judgeVpcReference(resource, input, context);
    }
    judgeDatabaseHosts(resources, context);
  },
});

/** A global load balancer is not in a region, so it is not in a VPC. */
function isGlobal(resource: JudgedResource): boolean {
  return (
    resource.type === loadBalancerType && valueOr(resource.inputs.text("type"), "").toUpperCase() === "GLOBAL"
  );
}

const vpcFix = (input: string) => `create a Vpc in the region and set ${input} to its id`;

function judgeVpcInput(resource: JudgedResource, input: string, context: JudgmentContext<unknown>): void {
  const vpc = resource.inputs.text(input);
  if (vpc.state === "unknown" || (vpc.state === "known" && vpc.value !== "")) return;
  const problem =
    vpc.state === "mistyped"
      ? `the value ${describeState(vpc)}`
      : `${input} is not set, so DigitalOcean uses the region's default VPC`;
  context.report(resource, { at: input, problem, why: whyDefault, fix: vpcFix(input) });
}

/** For the whole stack: the VPC is not one of DigitalOcean's default VPCs. */
function judgeVpcReference(resource: JudgedResource, input: string, context: JudgmentContext<unknown>): void {
  const vpcs = ofType(resource.references(input), vpcType);
  const isDefault = vpcs.find((vpc) => valueOr(vpc.outputs.flag("default"), false));
  if (isDefault !== undefined) {
    context.report(resource, {
      at: input,
      problem: `Vpc "${isDefault.name}" is the region's default VPC`,
      why: whyDefault,
      fix: vpcFix(input),
    });
  }
  if (vpcs.length > 0 || resource.inputs.text(input).state !== "unknown") return;
  context.report(resource, {
    at: input,
    problem: `${input} is unknown and does not come from a Vpc of the stack, so it may be the default one`,
    why: whyDefault,
    fix: `${vpcFix(input)}, or set the VPC's id as a literal`,
  });
}

function judgeDatabaseHosts(
  resources: readonly JudgedResource[],
  context: JudgmentContext<{ readonly requirePrivateDatabases: boolean }>,
): void {
  const firewalls = new DropletSelectors(ofType(resources, firewallType));
  const reserved = reservedAddresses(resources);
  const { evidence } = context;
  for (const droplet of ofType(resources, dropletType)) {
    const { database } = rolesOfDroplet(droplet, evidence);
    if (database === "no") continue;
    const subject = database === "yes" ? "this database host" : "a possible database host";
    for (const address of reserved.get(droplet.urn) ?? []) {
      context.report(address, {
        at: "dropletId",
        problem: `it gives ${subject === "this database host" ? "the database host" : subject} "${droplet.name}" an address on the internet`,
        why: whyPublic,
        fix: "assign the address to a web host or a load balancer, and reach the database through its private address",
      });
    }
    const isPublic = droplet.inputs.flag("publicNetworking");
    if (isPublic.state === "known" && !isPublic.value) continue;
    if (context.configuration.requirePrivateDatabases) {
      const state = isPublic.state === "unknown" ? "may have" : "has";
      context.report(droplet, {
        at: "publicNetworking",
        problem: `${subject} ${state} a public interface`,
        why: whyPublic,
        fix: "set publicNetworking to false, and use a NAT gateway for packages",
      });
      continue;
    }
    judgePublicInterface(droplet, subject, firewalls, context);
  }
}

/** A public interface is blocked if a firewall certainly applies to it and none opens it. */
function judgePublicInterface(
  droplet: JudgedResource,
  subject: string,
  firewalls: DropletSelectors,
  context: JudgmentContext<unknown>,
): void {
  const { certain, possible } = firewalls.of(droplet);
  const fix =
    "set publicNetworking to false, or protect the host with firewalls that open nothing to the internet";
  if (certain.length === 0) {
    const state = possible.length > 0 ? "may not block" : "closes";
    context.report(droplet, {
      at: "publicNetworking",
      problem: `${subject} has a public interface, and ${possible.length > 0 ? "a" : "no"} firewall ${state} it`,
      why: whyPublic,
      fix,
    });
  }
  for (const firewall of [...certain, ...possible]) {
    const opening = openingsIn(firewall).find(({ protocol }) => protocol !== "icmp");
    if (opening === undefined) continue;
    context.report(droplet, {
      at: "publicNetworking",
      problem: `${subject} has a public interface, and Firewall "${firewall.name}" opens ${describePorts(opening.ports)} of it: ${opening.problem}`,
      why: whyPublic,
      fix,
    });
  }
}

/** The resources that assign a public address to a droplet, by the droplet's URN. */
function reservedAddresses(
  resources: readonly JudgedResource[],
): ReadonlyMap<string, readonly JudgedResource[]> {
  const types = new Set([
    reservedIpType,
    reservedIpAssignmentType,
    reservedIpv6Type,
    reservedIpv6AssignmentType,
    floatingIpType,
    floatingIpAssignmentType,
  ]);
  const addresses = resources.filter(({ type }) => types.has(type));
  const found = new Map<string, JudgedResource[]>();
  if (addresses.length === 0) return found;
  const byId = new Map(
    ofType(resources, dropletType).map((droplet) => [valueOr(droplet.outputs.text("id"), ""), droplet.urn]),
  );
  for (const address of addresses) {
    const id = address.inputs.text("dropletId");
    const own = id.state === "known" ? byId.get(id.value) : undefined;
    const urns = [
      ...address.references("dropletId").map(({ urn }) => urn),
      ...(own === undefined ? [] : [own]),
    ];
    for (const urn of new Set(urns)) found.set(urn, [...(found.get(urn) ?? []), address]);
  }
  return found;
}
