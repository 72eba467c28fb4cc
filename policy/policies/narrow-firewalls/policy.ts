/** Cloud firewalls open only the ports that must be open. */
import { dropletType } from "../../evidence/host";
import type { TextForm } from "../../frame/configuration";
import { definePolicy, type JudgmentContext } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { valueOr } from "../../frame/value";
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

/** Administration ports, and the services on them (IANA's registry, and the products' manuals). */
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
  "anyone who can reach an administration port can try passwords and exploit vulnerabilities of the service behind it";
const whyWide = "a wide range also opens services that start on these ports later, without anyone noticing";

/** Ports by the names that people write instead. */
const namedPorts: ReadonlyMap<string, string> = new Map([
  ...[...adminServices].map(([port, name]) => [name.toLowerCase(), String(port)] as const).reverse(),
  ["http", "80"],
  ["https", "443"],
  ["dns", "53"],
  ["smtp", "25"],
  ["mysql", "3306"],
  ["postgres", "5432"],
  ["postgresql", "5432"],
  ["redis", "6379"],
  ["prometheus", "9090"],
]);

const portForm: TextForm = {
  expected: 'a port or a range of ports, such as "22" or "8000-8010"',
  // An empty text or a word would be parsed as all ports.
  fits: (text) => /^\s*[1-9]/.test(text) && parsePortRange(text) !== undefined,
  meant: (text) =>
    namedPorts.get(
      text
        .trim()
        .toLowerCase()
        .replace(/\/(?:tcp|udp)$/, ""),
    ),
};

interface Configuration {
  readonly openPorts: readonly string[];
  readonly allowOpenOutbound: boolean;
  readonly outboundPorts: readonly string[];
}

export const narrowFirewalls = definePolicy({
  name: "narrow-firewalls",
  displayName: "Narrow firewalls",
  category: "network",
  description:
    "No firewall opens an administration port or a wide range of ports to the internet, allows all outbound traffic, or lets the internet bypass a load balancer.",
  severity: "high",
  enforcement: alwaysMandatory,
  tags: [],
  types: [firewallType],
  remediationSteps:
    "Set the operators' networks as the sources of SSH, the load balancer as the source of the web port, and list the outbound ports.",
  configuration: {
    openPorts: {
      type: "array",
      items: { type: "string" },
      form: portForm,
      default: [],
      description:
        "Ports or ranges of ports that the stack opens to the internet on purpose, such as 22 of a bastion host.",
    },
    allowOpenOutbound: {
      type: "boolean",
      default: false,
      description: "Allow firewalls to allow all outbound traffic.",
    },
    outboundPorts: {
      type: "array",
      items: { type: "string" },
      form: portForm,
      default: [],
      description:
        "Administration ports that hosts reach everywhere on purpose, such as 22 of a host that clones repositories over SSH.",
    },
  },
  judgeResource(resource, context) {
    if (resource.type !== firewallType) return;
    judgeProtocols(resource, context);
    judgeInbound(resource, context);
    if (!context.configuration.allowOpenOutbound) judgeOutbound(resource, context);
  },
  judgeStack(resources, context) {
    // The references of unknown sources are known now.
    for (const firewall of ofType(resources, firewallType)) judgeInbound(firewall, context);
    judgeWebPorts(resources, context);
  },
});

function judgeInbound(firewall: JudgedResource, context: JudgmentContext<Configuration>): void {
  const meant = context.configuration.openPorts.flatMap((text) => parsePortRange(text) ?? []);
  const isMeant = ({ first, last }: PortRange) =>
    meant.some((range) => range.first <= first && last <= range.last);
  for (const { at, ports, protocol, problem, fix } of openingsIn(firewall)) {
    if (protocol === "icmp" || isMeant(ports)) continue;
    if (isWideRange(ports)) {
      context.report(firewall, {
        at,
        problem: `it opens ${describePorts(ports)}, and ${problem}`,
        why: whyWide,
        fix:
          fix ??
          "open single ports, and set their sources: sourceTags, sourceDropletIds, sourceLoadBalancerUids or narrow networks",
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
      fix: fix ?? "set the operators' networks as sources, or remove the rule and use DigitalOcean's console",
    });
  }
}

function servicesIn({ first, last }: PortRange): readonly number[] {
  return [...adminServices.keys()].filter((port) => first <= port && port <= last);
}

const whyOut = "a compromised host can send its data anywhere, and attack other systems";

function judgeOutbound(firewall: JudgedResource, context: JudgmentContext<Configuration>): void {
  const meant = context.configuration.outboundPorts.flatMap((text) => parsePortRange(text) ?? []);
  for (const { at, ports, protocol, problem } of openingsOut(firewall)) {
    if (protocol === "icmp") continue;
    if (isWideRange(ports)) {
      context.report(firewall, {
        at,
        problem: `it lets ${describePorts(ports)} out, and ${problem}`,
        why: whyOut,
        fix: "list the ports that hosts need (53, 80, 123, 443 and those of your services)",
      });
      continue;
    }
    const services = servicesIn(ports).filter(
      (port) => loginPorts.has(port) && !meant.some(({ first, last }) => first <= port && port <= last),
    );
    if (services.length === 0) continue;
    const named = services.map((port) => `${port} (${adminServices.get(port)})`).join(", ");
    context.report(firewall, {
      at,
      problem: `it lets port ${named} out, and ${problem}`,
      why: whyOut,
      fix: "set the networks of the hosts that are administered as destinations, or list the port in this policy's outboundPorts",
    });
  }
}

/** Ports by which a host logs in to others. */
const loginPorts: ReadonlySet<number> = new Set([22, 23, 3389, 5900, 5985, 5986]);

const protocols = ["tcp", "udp", "icmp"];

/** DigitalOcean refuses other protocols, but only in the update. */
function judgeProtocols(firewall: JudgedResource, context: JudgmentContext<Configuration>): void {
  for (const direction of ["inboundRules", "outboundRules"]) {
    for (const [index, rule] of valueOr(firewall.inputs.objects(direction), []).entries()) {
      const protocol = rule.state === "known" ? rule.value.text("protocol") : undefined;
      if (protocol?.state !== "known" || protocols.includes(protocol.value.toLowerCase())) continue;
      context.report(firewall, {
        at: `${direction}[${index}].protocol`,
        problem: "the protocol is not tcp, udp or icmp",
        why: "DigitalOcean refuses the rule, so the update fails after it has changed other resources",
        fix: "set protocol to tcp, udp or icmp",
      });
    }
  }
}

/** The droplets behind a load balancer accept the load balancer's port only from the load balancer. */
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
            problem: `it opens port ${port} of "${droplet.name}", which is behind LoadBalancer "${balancer.name}", and ${opening.problem}`,
            why: "clients that reach the droplet directly bypass the load balancer's TLS, its allow and deny lists and its logs",
            fix: "allow the port only from the load balancer: sourceLoadBalancerUids with its id",
          });
        }
      }
    }
  }
}

function holds({ ports, protocol }: Opening, port: number): boolean {
  return protocol !== "icmp" && ports.first <= port && port <= ports.last;
}
