import { droplet, firewall, httpsRule, loadBalancer } from "../../fixtures/texts";
import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const everywhere = ["0.0.0.0/0", "::/0"];

const guard = (inboundRules: unknown, outboundRules: unknown = []): FixtureResource =>
  firewall(inboundRules, { tags: ["web"], outboundRules });

const fromBalancer = { protocol: "tcp", portRange: "443", sourceLoadBalancerUids: ["balancer-id"] };
const ssh = (sourceAddresses: unknown) => ({ protocol: "tcp", portRange: "22", sourceAddresses });
const out = (portRange: string, protocol = "tcp") => ({
  protocol,
  portRange,
  destinationAddresses: everywhere,
});
const web = { "web-1": droplet("web-1", { tags: ["web"] }), edge: loadBalancer([httpsRule]) };

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^(inbound|outbound)Rules(\[\d+\])?$/,
      change: /removed|emptied/,
      reason: "without a rule nothing is open",
    },
    {
      path: /^(inbound|outbound)Rules\[\d+\]$/,
      change: /mistyped/,
      reason: "an object without sources or destinations allows no traffic",
    },
    {
      path: /\.(sourceLoadBalancerUids|sourceTags)(\[\d+\])?$/,
      reason: "tags and load balancers are never the internet",
    },
    {
      path: /\.(sourceAddresses|destinationAddresses)(\[\d+\])?$/,
      change: /removed|emptied/,
      reason: "one address less; without any, no traffic is allowed",
    },
    {
      path: /^outboundRules\[\d+\]\.destinationAddresses(\[\d+\])?$/,
      reason: "a single port may allow outbound traffic to any destination, so it does not matter which",
    },
    {
      path: /^inboundRules\[[01]\]\.(protocol|portRange)$/,
      reason: "read as all ports, which matters only with an open source",
    },
    {
      path: /\.protocol$/,
      change: /removed|emptied|unknown|mistyped/,
      reason: "read as TCP; the port decides",
    },
    {
      path: /^(tags(\[\d+\])?|dropletTag|forwardingRules.*|redirectHttpToHttps|tlsCipherPolicy)$/,
      reason: "the selected droplets matter only if a source is open",
    },
    { path: /^name$/, reason: "names open nothing" },
  ],
  valid: [
    {
      title: "HTTPS from the load balancer, SSH from the operators, listed outbound ports",
      resources: {
        ...web,
        guard: guard(
          [fromBalancer, ssh(["203.0.113.0/24"])],
          [out("53", "udp"), out("443"), { protocol: "icmp", destinationAddresses: everywhere }],
        ),
      },
    },
    {
      title: "a first preview: the sources are addresses of the stack's own host and network",
      resources: {
        bastion: droplet("bastion", { tags: ["bastion"] }),
        vpc: { type: "digitalocean:index/vpc:Vpc", properties: { name: "shop", region: "fra1" } },
        guard: {
          ...guard([
            ssh([unknownValue]),
            { protocol: "tcp", portRange: "9090", sourceAddresses: [unknownValue] },
            { protocol: "tcp", portRange: "1-65535", sourceAddresses: ["10.0.0.0/8", unknownValue] },
          ]),
          references: { inboundRules: ["bastion", "vpc"] },
        },
      },
      leftAlone: true,
    },
    {
      title: "a web server that is open to the world, without a load balancer",
      resources: {
        "web-1": droplet("web-1", { tags: ["web"] }),
        guard: guard([{ protocol: "tcp", portRange: "443", sourceAddresses: everywhere }]),
      },
      leftAlone: true,
    },
    {
      title: "a bastion host, with SSH open in the configuration",
      configuration: { openPorts: ["22"] },
      resources: { guard: guard([ssh(everywhere)]) },
      leftAlone: true,
    },
    {
      title: "a host that clones repositories over SSH, as the configuration says",
      configuration: { outboundPorts: ["22"] },
      resources: { guard: guard([], [out("22"), out("443")]) },
      leftAlone: true,
    },
    {
      title: "SSH and all outbound traffic denied everywhere",
      resources: {
        guard: guard([{ ...ssh(everywhere), action: "deny" }], [{ ...out("1-65535"), action: "deny" }]),
      },
      leftAlone: true,
    },
    {
      title: "clients of a network load balancer, whose addresses reach the droplets",
      resources: {
        "web-1": droplet("web-1", { tags: ["web"] }),
        edge: loadBalancer([{ ...httpsRule, entryProtocol: "tcp", targetProtocol: "tcp" }], {
          type: "REGIONAL_NETWORK",
        }),
        guard: guard([{ protocol: "tcp", portRange: "443", sourceAddresses: everywhere }]),
      },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "SSH from everywhere",
      resources: { guard: guard([ssh(everywhere)]) },
      violations: [
        { resource: "guard", says: "it opens port 22 (SSH), and a source is 0.0.0.0/0", at: "registration" },
      ],
    },
    {
      title: "SSH from everywhere, with an action that allows",
      resources: { guard: guard([{ ...ssh(everywhere), action: "allow" }]) },
      violations: [{ resource: "guard", says: "it opens port 22 (SSH)", at: "registration" }],
    },
    {
      title: "SSH from everywhere, with an unknown action",
      resources: { guard: guard([{ ...ssh(everywhere), action: unknownValue }]) },
      violations: [{ resource: "guard", says: "it opens port 22 (SSH)", at: "registration" }],
    },
    {
      title: "SSH from an address that another stack or a command gives",
      resources: {
        other: { type: "pulumi:pulumi:StackReference", properties: { name: "acme/network/prod" } },
        bastion: droplet("bastion"),
        guard: { ...guard([ssh([unknownValue])]), references: { inboundRules: ["other", "bastion"] } },
      },
      violations: [
        {
          resource: "guard",
          says: "select hosts of the stack with sourceTags or sourceDropletIds instead of their addresses",
          at: "stack",
        },
      ],
    },
    {
      title: "SSH from unknown sources",
      resources: { guard: guard([ssh(unknownValue)]) },
      violations: [{ resource: "guard", says: "its sources are unknown", at: "stack" }],
    },
    {
      title: "all ports from half of the internet",
      resources: {
        guard: guard([{ protocol: "tcp", portRange: "1-65535", sourceAddresses: ["128.0.0.0/1"] }]),
      },
      violations: [
        {
          resource: "guard",
          says: "it opens ports 1 to 65535, and a source is a public network as wide as /1",
          at: "registration",
        },
      ],
    },
    {
      title: "an unknown port, from everywhere",
      resources: {
        guard: guard([{ protocol: "tcp", portRange: unknownValue, sourceAddresses: everywhere }]),
      },
      violations: [{ resource: "guard", says: "its portRange is unknown", at: "registration" }],
    },
    {
      title: "the web port bypasses the load balancer",
      resources: {
        ...web,
        guard: guard([{ protocol: "tcp", portRange: "443", sourceAddresses: everywhere }]),
      },
      violations: [
        {
          resource: "guard",
          says: 'it opens port 443 of "web-1", which is behind LoadBalancer "edge"',
          at: "stack",
        },
      ],
    },
    {
      title: "everything out",
      resources: { guard: guard([], [out("all"), out("1-65535", "udp")]) },
      violations: [
        { resource: "guard", says: "it lets ports 1 to 65535 out", at: "registration" },
        { resource: "guard", says: "outboundRules[1]", at: "registration" },
      ],
    },
    {
      title: "unknown rules",
      resources: { guard: guard(unknownValue) },
      violations: [
        { resource: "guard", says: "its inbound rules: the value is unknown", at: "registration" },
      ],
    },
    {
      title: "SSH to every host of the internet, and a protocol that DigitalOcean does not have",
      resources: { guard: guard([{ ...fromBalancer, protocol: "http" }], [out("22"), out("443")]) },
      violations: [
        { resource: "guard", says: "it lets port 22 (SSH) out", at: "registration" },
        {
          resource: "guard",
          says: "inboundRules[0].protocol: the protocol is not tcp, udp or icmp",
          at: "registration",
        },
      ],
    },
  ],
};
