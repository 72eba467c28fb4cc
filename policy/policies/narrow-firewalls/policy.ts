/** Cloud firewalls open what is meant to be open, and nothing else. */
import { dropletType } from "../../evidence/host";
import { definePolicy, type JudgmentContext } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { type PortRange, parsePortRange } from "../../parsers/network";
import { balancersByDroplet, keepsClientAddresses, targetPorts } from "../../resources/balancers";
import {
  describePorts,
  isWideRange,
  type Opening,
  openingsIn,
  openingsOut,
} from "../../resources/firewall-rules";
import { DropletSelectors } from "../../resources/selectors";
import { firewallType, ofType } from "../../resources/types";

/** Ports by which hosts are administered, and what listens there (IANA's registry, and the products' manuals). */
const adminServices: ReadonlyMap<number, string> = new Map([
  [22, "SSH"],
  [23, "Telnet"],
  [111, "rpcbind"],
  [139, "SMB"],
  [161, "SNMP"],
  [445, "SMB"],
  [2049, "NFS"],
  [2375, "Docker"],
  [2376, "Docker"],
  [2379, "etcd"],
  [2380, "etcd"],
  [3389, "RDP"],
  [4646, "Nomad"],
  [5900, "VNC"],
  [5985, "WinRM"],
  [5986, "WinRM"],
  [6443, "Kubernetes"],
  [8200, "Vault"],
  [8500, "Consul"],
  [9090, "Cockpit or Prometheus"],
  [10250, "kubelet"],
  [15672, "RabbitMQ's management"],
]);

const whyAdmin =
  "whoever reaches an administrator's port can try every password and every flaw of the service behind it";
const whyWide = "an open range opens whatever will listen there one day, and nobody will notice";

interface Configuration {
  readonly openPorts: readonly string[];
  readonly allowOpenOutbound: boolean;
}

export const narrowFirewalls = definePolicy({
  name: "narrow-firewalls",
  displayName: "Narrow firewalls",
  category: "network",
  description:
    "No firewall opens an administrator's port or a wide range of ports to the internet, lets everything out, or lets the internet past a load balancer.",
  severity: "high",
  enforcement: alwaysMandatory,
  tags: [],
  remediationSteps:
    "Name the operators' networks as the sources of SSH, the load balancer as the source of the web port, and the ports that may go out.",
  configuration: {
    openPorts: {
      type: "array",
      items: { type: "string" },
      default: [],
      description:
        "Ports or ranges of ports that the stack means to open to the internet, such as 22 of a bastion host.",
    },
    allowOpenOutbound: {
      type: "boolean",
      default: false,
      description: "Whether firewalls may let everything out.",
    },
  },
  judgeResource(resource, context) {
    if (resource.type !== firewallType) return;
    judgeInbound(resource, context);
    if (!context.configuration.allowOpenOutbound) judgeOutbound(resource, context);
  },
  judgeStack: judgeWebPorts,
});

function judgeInbound(firewall: JudgedResource, context: JudgmentContext<Configuration>): void {
  const meant = context.configuration.openPorts.flatMap((text) =>
    // An empty text or a word would be read as all ports.
    /^\s*\d/.test(text) ? (parsePortRange(text) ?? []) : [],
  );
  const isMeant = ({ first, last }: PortRange) =>
    meant.some((range) => range.first <= first && last <= range.last);
  for (const { at, ports, protocol, problem } of openingsIn(firewall)) {
    if (protocol === "icmp" || isMeant(ports)) continue;
    if (isWideRange(ports)) {
      context.report(firewall, {
        at,
        problem: `it opens ${describePorts(ports)}, and ${problem}`,
        why: whyWide,
        fix: "open single ports, and name their sources: sourceTags, sourceDropletIds, sourceLoadBalancerUids or narrow networks",
      });
      continue;
    }
    const services = servicesIn(ports).filter((port) => !isMeant({ first: port, last: port }));
    if (services.length === 0) continue;
    const named = services.map((port) => `${port} (${adminServices.get(port)})`).join(", ");
    context.report(firewall, {
      at,
      problem: `it opens port ${named}, and ${problem}`,
      why: whyAdmin,
      fix: "name the operators' networks as sources, or remove the rule and use DigitalOcean's console",
    });
  }
}

function servicesIn({ first, last }: PortRange): readonly number[] {
  return [...adminServices.keys()].filter((port) => first <= port && port <= last);
}

function judgeOutbound(firewall: JudgedResource, context: JudgmentContext<Configuration>): void {
  for (const { at, ports, protocol, problem } of openingsOut(firewall)) {
    if (protocol === "icmp" || !isWideRange(ports)) continue;
    context.report(firewall, {
      at,
      problem: `it lets ${describePorts(ports)} out, and ${problem}`,
      why: "a host that is taken over can send what it holds anywhere, and join attacks on others",
      fix: "name the ports that hosts need (53, 80, 123, 443 and those of your services)",
    });
  }
}

/** The droplets behind a load balancer take the load balancer's port from it alone. */
function judgeWebPorts(resources: readonly JudgedResource[], context: JudgmentContext<Configuration>): void {
  const firewalls = new DropletSelectors(ofType(resources, firewallType));
  const behind = balancersByDroplet(resources);
  const told = new Set<string>();
  for (const droplet of ofType(resources, dropletType)) {
    for (const { balancer } of behind.get(droplet.urn) ?? []) {
      if (keepsClientAddresses(balancer)) continue;
      const ports = targetPorts(balancer);
      const { certain, possible } = firewalls.of(droplet);
      for (const firewall of [...certain, ...possible]) {
        for (const opening of openingsIn(firewall)) {
          const key = `${firewall.urn} ${opening.at} ${balancer.urn}`;
          const port = ports.find((number) => holds(opening, number));
          if (port === undefined || told.has(key)) continue;
          told.add(key);
          context.report(firewall, {
            at: opening.at,
            problem: `it opens port ${port} of "${droplet.name}", which stands behind LoadBalancer "${balancer.name}", and ${opening.problem}`,
            why: "clients that reach the droplet itself pass by the load balancer's TLS, its allow and deny lists and its logs",
            fix: "take the port from the load balancer alone: sourceLoadBalancerUids with its id",
          });
        }
      }
    }
  }
}

function holds({ ports, protocol }: Opening, port: number): boolean {
  return protocol !== "icmp" && ports.first <= port && port <= ports.last;
}
