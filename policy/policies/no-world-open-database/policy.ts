/** No database can be reached from the whole internet. */
import { contentOf, describeState, dropletType, type EvidenceEntry, knowHost } from "../../evidence/host";
import { runsMysql } from "../../evidence/mysql";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import type { JudgedResource } from "../../frame/resource";
import { type Field, type Inputs, valueOr } from "../../frame/value";
import { isWideOpen, type PortRange, parsePortRange, parsePrefix } from "../../parsers/network";
import { firewallCovers } from "../../resources/tags";

const firewallType = "digitalocean:index/firewall:Firewall";
const clusterType = "digitalocean:index/databaseCluster:DatabaseCluster";
const replicaType = "digitalocean:index/databaseReplica:DatabaseReplica";
const clusterFirewallType = "digitalocean:index/databaseFirewall:DatabaseFirewall";

/** MySQL's ports: classic protocol, X protocol, and the group's own (XCom). */
const databasePorts = [3306, 33060, 33061];

const why =
  "a database that the whole internet can reach is attacked by the whole internet: one password or one flaw is enough";
const closeFix =
  "name the sources: sourceTags or sourceDropletIds of the hosts that use the database, or narrow networks";

export const noWorldOpenDatabase: PolicyDefinition = {
  name: "no-world-open-database",
  displayName: "No database open to the world",
  description:
    "No firewall opens a database port to the internet, every database host stands behind a firewall, and every managed database names its sources.",
  severity: "critical",
  tags: ["network", "database"],
  remediationSteps:
    "Put every database droplet behind a Firewall (by tag or id) that opens 3306 to the tags of its clients alone, and give every DatabaseCluster a DatabaseFirewall with narrow rules.",
  judgeResource(resource, context) {
    if (resource.type === clusterFirewallType) judgeClusterFirewall(resource, context);
    if (resource.type !== firewallType && resource.type !== dropletType) return;
    if (resource.type === firewallType) judgeNamedPorts(resource, context);
    // What is open by a firewall and a droplet together is told with the later of the two, before it is created.
    judgePairs(context.resources, context, resource);
  },
  judgeStack(resources, context) {
    judgePairs(resources, context, undefined);
    judgeUnguarded(resources, context);
    judgeClusters(resources, context);
  },
};

interface Opening {
  readonly at: string;
  readonly ports: PortRange;
  readonly problem: string;
}

/** Ports and sources that are open to the internet, or not known to be closed to it. */
function openings(firewall: JudgedResource): readonly Opening[] {
  const rules = firewall.inputs.objects("inboundRules");
  if (rules.state === "absent") return [];
  const everyPort = { first: 1, last: 65535 };
  if (rules.state !== "known") {
    return [
      {
        at: "inboundRules",
        ports: everyPort,
        problem: `its inbound rules: the value ${describeState(rules)}`,
      },
    ];
  }
  return rules.value.flatMap((rule, index) => {
    const at = `inboundRules[${index}]`;
    if (rule.state !== "known") return [{ at, ports: everyPort, problem: `the rule ${describeState(rule)}` }];
    const protocol = rule.value.text("protocol");
    if (protocol.state === "known" && ["udp", "icmp"].includes(protocol.value.toLowerCase())) return [];
    const { ports, portProblem } = portsOf(rule.value);
    const source = openSource(rule.value);
    if (source === undefined) return [];
    const problems = [portProblem, source.problem].filter((problem) => problem !== undefined);
    return [{ at: `${at}.${source.at}`, ports, problem: problems.join(", and ") }];
  });
}

function portsOf(rule: Inputs): { ports: PortRange; portProblem?: string } {
  const everyPort = { first: 1, last: 65535 };
  const field = rule.text("portRange");
  if (field.state === "absent") return { ports: everyPort };
  const ports = field.state === "known" ? parsePortRange(field.value) : undefined;
  if (ports !== undefined) return { ports };
  const state = field.state === "known" ? "is not a port or a range of ports" : describeState(field);
  return { ports: everyPort, portProblem: `its portRange ${state}` };
}

/** The first source that is the internet, or cannot be told from it. */
function openSource(rule: Inputs): { at: string; problem: string } | undefined {
  const list = rule.texts("sourceAddresses");
  if (list.state === "absent") return undefined;
  if (list.state !== "known") {
    return {
      at: "sourceAddresses",
      problem: `its sources cannot be known: the value ${describeState(list)}`,
    };
  }
  for (const [index, address] of list.value.entries()) {
    const at = `sourceAddresses[${index}]`;
    const problem = openAddress(address);
    if (problem !== undefined) return { at, problem };
  }
  return undefined;
}

function openAddress(address: Field<string>): string | undefined {
  if (address.state !== "known") return `a source cannot be known: the value ${describeState(address)}`;
  const prefix = parsePrefix(address.value);
  if (prefix === undefined) return "a source is neither an address nor a network";
  if (!isWideOpen(prefix)) return undefined;
  return prefix.length === 0
    ? `a source is ${address.value.trim()}, the whole internet`
    : `a source is a public network as wide as /${prefix.length}`;
}

function databasePortsIn({ first, last }: PortRange): readonly number[] {
  return databasePorts.filter((port) => first <= port && port <= last);
}

/** A range of at most this many ports that holds a database port is meant for the database. */
const narrowRange = 1_000;

/** A rule that names a database port is wrong whatever droplets its firewall guards. */
function judgeNamedPorts(firewall: JudgedResource, context: JudgmentContext): void {
  for (const { at, ports, problem } of openings(firewall)) {
    const opened = databasePortsIn(ports);
    if (opened.length === 0 || ports.last - ports.first > narrowRange) continue;
    context.report(firewall, {
      at,
      problem: `it opens database port ${opened.join(", ")}, and ${problem}`,
      why,
      fix: closeFix,
    });
  }
}

/** Whether a droplet is, or may be, a database host. */
function databaseHost(droplet: JudgedResource, evidence: readonly EvidenceEntry[]): "yes" | "maybe" | "no" {
  const host = knowHost(droplet, evidence);
  const roles = host.evidence.flatMap((entry) => entry.roles);
  if (roles.includes("database")) return "yes";
  if (host.knowledge.state === "uncovered") return "maybe";
  const image = valueOr(droplet.inputs.text("image"), "");
  if (/^(mysql|mariadb|percona)/i.test(image)) return "yes";
  const content = contentOf(host);
  return content !== undefined && runsMysql(content) ? "yes" : "no";
}

/** Wide rules (all ports, unknown ports) matter where their firewall guards a database host. */
function judgePairs(
  resources: readonly JudgedResource[],
  context: JudgmentContext,
  latest: JudgedResource | undefined,
): void {
  const firewalls = resources.filter(({ type }) => type === firewallType);
  const droplets = resources.filter(({ type }) => type === dropletType);
  const { evidence } = context;
  for (const firewall of firewalls) {
    const wide = openings(firewall).filter(
      ({ ports }) => ports.last - ports.first > narrowRange && databasePortsIn(ports).length > 0,
    );
    if (wide.length === 0) continue;
    for (const droplet of droplets) {
      if (latest !== undefined && latest.urn !== firewall.urn && latest.urn !== droplet.urn) continue;
      // Before the stack is whole, evidence and references may still come: only what is certain counts.
      const coverage = firewallCovers(firewall, droplet);
      const kind = databaseHost(droplet, evidence);
      const isCertain = coverage === "selected" && kind === "yes";
      if (coverage === "not selected" || kind === "no" || (latest !== undefined && !isCertain)) continue;
      const host = kind === "yes" ? "the database host" : "what may be a database host,";
      const opens = coverage === "selected" ? "opens" : "may open (its tags or droplets are not known)";
      for (const { at, problem } of wide) {
        context.report(firewall, {
          at,
          problem: `it ${opens} all database ports of ${host} "${droplet.name}", and ${problem}`,
          why,
          fix: closeFix,
        });
      }
    }
  }
}

/** With the whole stack seen: every database host stands behind a firewall. Without one, all its ports are open. */
function judgeUnguarded(resources: readonly JudgedResource[], context: JudgmentContext): void {
  const firewalls = resources.filter(({ type }) => type === firewallType);
  const { evidence } = context;
  for (const droplet of resources.filter(({ type }) => type === dropletType)) {
    const kind = databaseHost(droplet, evidence);
    if (kind === "no") continue;
    const coverage = firewalls.map((firewall) => firewallCovers(firewall, droplet));
    if (coverage.includes("selected")) continue;
    const subject =
      kind === "yes"
        ? "this database host"
        : "this droplet, whose userData cannot be known and which may be a database host,";
    const state = coverage.includes("unknown")
      ? "is not known to stand behind a firewall"
      : "stands behind no firewall";
    context.report(droplet, {
      at: "tags",
      problem: `${subject} ${state}`,
      why: "a droplet without a cloud firewall is open on all ports to the whole internet",
      fix: "give a Firewall one of the droplet's tags, or the droplet's id in dropletIds",
    });
  }
}

function judgeClusterFirewall(firewall: JudgedResource, context: JudgmentContext): void {
  const rules = firewall.inputs.objects("rules");
  const fix = "name the sources: rules of type tag, droplet, app or k8s, or narrow networks";
  if (rules.state !== "known" || rules.value.length === 0) {
    const problem =
      rules.state === "known" || rules.state === "absent"
        ? "it has no rules, and a cluster without rules takes connections from everywhere"
        : `its rules: the value ${describeState(rules)}`;
    context.report(firewall, { at: "rules", problem, why, fix });
    return;
  }
  for (const [index, rule] of rules.value.entries()) {
    const at = `rules[${index}]`;
    const problem =
      rule.state === "known" ? clusterRuleProblem(rule.value) : `the rule ${describeState(rule)}`;
    if (problem !== undefined) context.report(firewall, { at, problem, why, fix });
  }
}

/** Types of a DatabaseFirewall's rules in DigitalOcean's API. */
const clusterSources = new Set(["ip_addr", "droplet", "k8s", "tag", "app"]);

function clusterRuleProblem(rule: Inputs): string | undefined {
  const type = rule.text("type");
  if (type.state !== "known") return `its type ${describeState(type)}`;
  if (!clusterSources.has(type.value)) return "its type is none of DigitalOcean's";
  return type.value === "ip_addr" ? openAddress(rule.text("value")) : undefined;
}

/** With the whole stack seen: every managed database has a firewall. */
function judgeClusters(resources: readonly JudgedResource[], context: JudgmentContext): void {
  const firewalls = resources.filter(({ type }) => type === clusterFirewallType);
  for (const cluster of resources) {
    if (cluster.type !== clusterType && cluster.type !== replicaType) continue;
    if (firewalls.some((firewall) => guardsCluster(firewall, cluster))) continue;
    context.report(cluster, {
      problem: "no DatabaseFirewall names this database's sources",
      why,
      fix: "add a DatabaseFirewall with this database's id as clusterId and narrow rules",
    });
  }
}

function guardsCluster(firewall: JudgedResource, cluster: JudgedResource): boolean {
  const id = firewall.inputs.text("clusterId");
  if (id.state === "absent" || id.state === "mistyped" || (id.state === "known" && id.value === ""))
    return false;
  if (firewall.references("clusterId").some(({ urn }) => urn === cluster.urn)) return true;
  const own = cluster.outputs.text("id");
  return id.state === "known" && own.state === "known" && id.value === own.value;
}
