/** In production, more than one MySQL server accepts writes. */

import { emptyContent, type HostContent } from "../../evidence/content";
import {
  contentOf,
  describeState,
  dropletType,
  type Host,
  isEvidenceComponent,
  knowHost,
  readEvidence,
} from "../../evidence/host";
import {
  isAlways,
  runsMysql,
  serversThatCount,
  settingsOf,
  usesGroupReplication,
} from "../../evidence/mysql";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import { productionOnly } from "../../frame/enforcement";
import type { Violation } from "../../frame/message";
import type { JudgedResource } from "../../frame/resource";
import { valueOr } from "../../frame/value";
import { bucketObjectType, clusterType } from "../../resources/types";

const whyOneWriter = "while the only server that accepts writes is down, the site cannot write";
const groupFix =
  "make the host a member of a multi-primary group: load group_replication.so, and set group_replication_group_name and group_replication_single_primary_mode = OFF";

export const noSingleWriterInProduction: PolicyDefinition = {
  name: "no-single-writer-in-production",
  displayName: "No single writer in production",
  category: "writers",
  description:
    "In production every MySQL host is a member of a multi-primary replication group of more than one host, so that no single server takes all writes.",
  severity: "high",
  enforcement: productionOnly,
  tags: ["availability", "database"],
  types: [bucketObjectType, clusterType, dropletType],
  remediationSteps:
    "Use Group Replication with group_replication_single_primary_mode = OFF on three or five hosts, not one host, a source with replicas, a single-primary group or a managed MySQL cluster.",
  judgeResource(resource, context) {
    if (resource.type === clusterType) judgeCluster(resource, context);
    if (isEvidenceComponent(resource)) {
      for (const { dropletName, roles, content } of readEvidence(resource).entries) {
        for (const violation of judgeMember(content, roles)) {
          context.report(resource, inProduction({ ...violation, at: `host "${dropletName}"` }, context));
        }
      }
    }
    if (resource.type === dropletType) {
      const { knowledge } = knowHost(resource, context.evidence);
      const inImage = hasMysqlImage(resource);
      const content = knowledge.state === "known" ? knowledge.content : undefined;
      if (content === undefined && !(inImage && knowledge.state === "bare")) return;
      const roles = inImage ? ["database"] : [];
      for (const violation of judgeMember(content ?? emptyContent, roles)) {
        context.report(resource, inProduction({ ...violation, at: inImage ? "image" : "userData" }, context));
      }
    }
  },
  judgeStack(resources, context) {
    const hosts = resources
      .filter(({ type }) => type === dropletType)
      .map((droplet) => knowHost(droplet, context.evidence));
    for (const { droplet, knowledge } of hosts) {
      if (knowledge.state === "uncovered") reportUncovered(droplet, knowledge.reason, context);
    }
    judgeGroups(hosts, context);
  },
};

/** Images of the marketplace that contain a MySQL server, by the beginning of their slugs. */
const mysqlImage = /^(?:mysql|mariadb|percona|lamp|lemp|wordpress|ghost|phpmyadmin)/i;

function hasMysqlImage(droplet: JudgedResource): boolean {
  return mysqlImage.test(valueOr(droplet.inputs.text("image"), ""));
}

function inProduction(violation: Violation, { production }: JudgmentContext): Violation {
  const because = production.production ? ` (this stack is production: ${production.because})` : "";
  return { ...violation, why: `${violation.why}${because}` };
}

function judgeCluster(cluster: JudgedResource, context: JudgmentContext): void {
  const engine = cluster.inputs.text("engine");
  if (engine.state === "known" && engine.value.trim().toLowerCase() !== "mysql") return;
  const problem =
    engine.state === "known"
      ? "DigitalOcean's managed MySQL has one node that accepts writes"
      : `the value ${describeState(engine)}, so it may be MySQL, which has one node that accepts writes`;
  context.report(
    cluster,
    inProduction(
      {
        at: "engine",
        problem,
        why: whyOneWriter,
        fix: "run MySQL with multi-primary Group Replication on three or five droplets",
      },
      context,
    ),
  );
}

/** Findings in one host's own configuration. */
function judgeMember(content: HostContent, roles: readonly string[]): readonly Violation[] {
  if (!runsMysql(content, roles)) return [];
  const servers = serversThatCount(content);
  if (servers.some(({ faults }) => faults.length > 0)) {
    const fix = "write the options into files that can be read";
    return [{ problem: "its MySQL options cannot be read", why: whyOneWriter, fix }];
  }
  if (servers.length === 0 || !servers.every(usesGroupReplication)) {
    return [
      { problem: "its MySQL is not a member of a replication group", why: whyOneWriter, fix: groupFix },
    ];
  }
  const name = "group_replication_single_primary_mode";
  if (servers.every((server) => isAlways(server, name, "OFF"))) return [];
  const isSet = servers.every((server) => settingsOf(server, name).length > 0);
  const problem = isSet ? `${name} is not OFF` : `no option file sets ${name}, whose default is ON`;
  return [{ problem, why: whyOneWriter, fix: `set ${name} = OFF on every member` }];
}

function reportUncovered(droplet: JudgedResource, reason: string, context: JudgmentContext): void {
  context.report(
    droplet,
    inProduction(
      {
        at: "userData",
        problem: `${reason}, and no component passes evidence for this droplet, so it may be a single writer`,
        why: whyOneWriter,
        fix: "pass the configuration's text, without secrets, as the input configurationEvidence of a component, under the droplet's name",
      },
      context,
    ),
  );
}

/** A group of one host is always a single writer. */
function judgeGroups(hosts: readonly Host[], context: JudgmentContext): void {
  const groups = new Map<string, Host[]>();
  for (const host of hosts) {
    const content = contentOf(host);
    if (content === undefined || !runsMysql(content, rolesOf(host))) continue;
    // A host without a group name is not a member of another host's group.
    const name = serversThatCount(content)
      .flatMap((server) => settingsOf(server, "group_replication_group_name"))
      .at(-1)?.value;
    const key = name ?? host.droplet.urn;
    groups.set(key, [...(groups.get(key) ?? []), host]);
  }
  for (const [only, ...others] of groups.values()) {
    if (only === undefined || others.length > 0) continue;
    // A host that is not a writing member was reported already.
    const content = contentOf(only);
    if (content === undefined || judgeMember(content, rolesOf(only)).length > 0) continue;
    const violation: Violation = {
      problem: "it is the only host of its MySQL group",
      why: whyOneWriter,
      fix: "add database hosts with the same group_replication_group_name: three or five in total",
    };
    context.report(only.droplet, inProduction(violation, context));
  }
}

function rolesOf({ knowledge }: Host): readonly string[] {
  return knowledge.state === "evidence" ? knowledge.entry.roles : [];
}
