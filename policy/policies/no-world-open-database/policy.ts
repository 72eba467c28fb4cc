/** The internet cannot reach any database. */
import { describeState, dropletType } from "../../evidence/host";
import { rolesOfDroplet } from "../../evidence/roles";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import type { Inputs } from "../../frame/value";
import type { PortRange } from "../../parsers/network";
import {
  isWideRange,
  type Opening,
  openAddress,
  openingsIn,
  takesNarrowAddress,
} from "../../resources/firewall-rules";
import { DropletSelectors } from "../../resources/selectors";
import { firewallCovers } from "../../resources/tags";
import {
  clusterFirewallType,
  clusterReplicaType,
  clusterType,
  firewallType,
  ofType,
} from "../../resources/types";

/**
 * Database ports: MySQL (classic, X protocol, XCom), PostgreSQL and PgBouncer, Redis and Valkey, MongoDB,
 * Elasticsearch and OpenSearch, SQL Server, Oracle, CouchDB, Cassandra, Memcached, and those of DigitalOcean's
 * managed databases.
 */
const databasePorts = [
  1433, 1521, 3306, 5432, 5984, 6379, 6432, 9042, 9200, 9300, 11211, 25060, 25061, 27017, 27018, 27019, 33060,
  33061,
];

const why =
  "a database that is open to the internet is attacked constantly, and one weak password or one vulnerability is enough";
const closeFix =
  "set the sources: sourceTags or sourceDropletIds of the hosts that use the database, or narrow networks";

export const noWorldOpenDatabase: PolicyDefinition = {
  name: "no-world-open-database",
  displayName: "No database open to the world",
  category: "network",
  description:
    "No firewall opens a database port to the internet, every database host is behind a firewall, and every managed database restricts its sources.",
  severity: "critical",
  enforcement: alwaysMandatory,
  tags: ["database"],
  types: [clusterFirewallType, clusterReplicaType, clusterType, dropletType, firewallType],
  remediationSteps:
    "Put every database droplet behind a Firewall (by tag or id) that opens 3306 only to the tags of its clients, and give every DatabaseCluster a DatabaseFirewall with narrow rules.",
  judgeResource(resource, context) {
    if (resource.type === clusterFirewallType) judgeClusterFirewall(resource, context);
    if (resource.type !== firewallType && resource.type !== dropletType) return;
    if (resource.type === firewallType) judgeNamedPorts(resource, context);
    // A port that is open through a firewall and a droplet together is reported with the later of the two, before it
    // is created.
    judgePairs(context.resources, context, resource);
  },
  judgeStack(resources, context) {
    // The references of unknown sources are known now.
    for (const firewall of ofType(resources, firewallType)) judgeNamedPorts(firewall, context);
    for (const firewall of ofType(resources, clusterFirewallType)) judgeClusterFirewall(firewall, context);
    judgePairs(resources, context, undefined);
    judgeUnguarded(resources, context);
    judgeClusters(resources, context);
  },
};

/** The TCP ports that a firewall opens to the internet. All databases use TCP. */
function openings(firewall: JudgedResource): readonly Opening[] {
  return openingsIn(firewall).filter(({ protocol }) => protocol === "tcp" || protocol === "unknown");
}

function databasePortsIn({ first, last }: PortRange): readonly number[] {
  return databasePorts.filter((port) => first <= port && port <= last);
}

/** A rule with a database port is wrong for any droplet. */
function judgeNamedPorts(firewall: JudgedResource, context: JudgmentContext): void {
  for (const { at, ports, problem, fix } of openings(firewall)) {
    const opened = databasePortsIn(ports);
    if (opened.length === 0 || isWideRange(ports)) continue;
    context.report(firewall, {
      at,
      problem: `it opens database port ${opened.join(", ")}, and ${problem}`,
      why,
      fix: fix ?? closeFix,
    });
  }
}

/** Wide rules (all ports, unknown ports) matter if their firewall applies to a database host. */
function judgePairs(
  resources: readonly JudgedResource[],
  context: JudgmentContext,
  latest: JudgedResource | undefined,
): void {
  const firewalls = latest?.type === firewallType ? [latest] : ofType(resources, firewallType);
  const droplets = latest?.type === dropletType ? [latest] : ofType(resources, dropletType);
  const { evidence } = context;
  for (const firewall of firewalls) {
    const wide = openings(firewall).filter(
      ({ ports }) => isWideRange(ports) && databasePortsIn(ports).length > 0,
    );
    if (wide.length === 0) continue;
    for (const droplet of droplets) {
      // Until the stack is complete, more evidence and references can arrive, so only certain findings count.
      const coverage = firewallCovers(firewall, droplet);
      const kind = rolesOfDroplet(droplet, evidence).database;
      const isCertain = coverage === "selected" && kind === "yes";
      if (coverage === "not selected" || kind === "no" || (latest !== undefined && !isCertain)) continue;
      const host = kind === "yes" ? "the database host" : "a possible database host,";
      const opens = coverage === "selected" ? "opens" : "may open (its tags or droplets are unknown)";
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

/** For the whole stack: every database host is behind a firewall. Without one, all its ports are open. */
function judgeUnguarded(resources: readonly JudgedResource[], context: JudgmentContext): void {
  const firewalls = new DropletSelectors(ofType(resources, firewallType));
  const { evidence } = context;
  for (const droplet of ofType(resources, dropletType)) {
    const kind = rolesOfDroplet(droplet, evidence).database;
    if (kind === "no") continue;
    const { certain, possible } = firewalls.of(droplet);
    if (certain.length > 0) continue;
    const subject =
      kind === "yes"
        ? "this database host"
        : "this droplet, whose userData is unknown and which may be a database host,";
    const state = possible.length > 0 ? "may not be behind a firewall" : "is not behind a firewall";
    context.report(droplet, {
      at: "tags",
      problem: `${subject} ${state}`,
      why: "a droplet without a cloud firewall is open to the whole internet on all ports",
      fix: "give a Firewall one of the droplet's tags, or the droplet's id in dropletIds",
    });
  }
}

function judgeClusterFirewall(firewall: JudgedResource, context: JudgmentContext): void {
  const rules = firewall.inputs.objects("rules");
  const fix = "set the sources: rules of type tag, droplet, app or k8s, or narrow networks";
  if (rules.state !== "known" || rules.value.length === 0) {
    const problem =
      rules.state === "known" || rules.state === "absent"
        ? "it has no rules, and a cluster without rules accepts connections from everywhere"
        : `its rules: the value ${describeState(rules)}`;
    context.report(firewall, { at: "rules", problem, why, fix });
    return;
  }
  for (const [index, rule] of rules.value.entries()) {
    const at = `rules[${index}]`;
    const problem =
      rule.state === "known" ? clusterRuleProblem(rule.value, firewall) : `the rule ${describeState(rule)}`;
    if (problem !== undefined) context.report(firewall, { at, problem, why, fix });
  }
}

/** Rule types of a DatabaseFirewall in DigitalOcean's API. */
const clusterSources = new Set(["ip_addr", "droplet", "k8s", "tag", "app"]);

function clusterRuleProblem(rule: Inputs, firewall: JudgedResource): string | undefined {
  const type = rule.text("type");
  if (type.state !== "known") return `its type ${describeState(type)}`;
  if (!clusterSources.has(type.value)) return "its type does not exist at DigitalOcean";
  if (type.value !== "ip_addr") return undefined;
  const address = rule.text("value");
  if (address.state === "unknown" && takesNarrowAddress(firewall, "rules")) return undefined;
  return openAddress(address);
}

/** For the whole stack: every managed database has a firewall. */
function judgeClusters(resources: readonly JudgedResource[], context: JudgmentContext): void {
  const guardedUrns = new Set<string>();
  const guardedIds = new Set<string>();
  for (const firewall of ofType(resources, clusterFirewallType)) {
    const id = firewall.inputs.text("clusterId");
    if (id.state === "absent" || id.state === "mistyped" || (id.state === "known" && id.value === ""))
      continue;
    if (id.state === "known") guardedIds.add(id.value);
    for (const { urn } of firewall.references("clusterId")) guardedUrns.add(urn);
  }
  for (const cluster of resources) {
    if (cluster.type !== clusterType && cluster.type !== clusterReplicaType) continue;
    const own = cluster.outputs.text("id");
    if (guardedUrns.has(cluster.urn) || (own.state === "known" && guardedIds.has(own.value))) continue;
    context.report(cluster, {
      problem: "no DatabaseFirewall restricts this database's sources",
      why,
      fix: "add a DatabaseFirewall with this database's id as clusterId and narrow rules",
    });
  }
}
