/** The hosts of a site measure their request and query rates. */

import type { HostContent } from "../../evidence/content";
import {
  contentOf,
  dropletType,
  type Host,
  isEvidenceComponent,
  knowHost,
  readEvidence,
} from "../../evidence/host";
import { collectedRates, exampleFor } from "../../evidence/metrics";
import { type HostRoles, programsOf, rolesOf, rolesOfContent } from "../../evidence/roles";
import { definePolicy } from "../../frame/definition";
import { productionOnly } from "../../frame/enforcement";
import type { Violation } from "../../frame/message";
import { ofType } from "../../resources/types";

const why =
  "without request and query rates, a busy site looks the same as a broken one, and the slow part is hard to find";
const evidenceFix =
  "pass the agent's configuration, without secrets, as the input configurationEvidence of a component, under the droplet's name";

interface Configuration {
  readonly web: boolean;
  readonly database: boolean;
}

export const serviceMetrics = definePolicy({
  name: "service-metrics",
  displayName: "Service metrics",
  category: "monitoring",
  description:
    "An agent on every web host collects its request rate, and an agent on every database host collects its query rate.",
  severity: "medium",
  enforcement: productionOnly,
  tags: [],
  types: [dropletType],
  remediationSteps:
    "Configure the agent of each host for its services: Datadog's nginx and mysql checks, Telegraf's inputs, OpenTelemetry's receivers or Prometheus's exporters.",
  configuration: {
    web: { type: "boolean", default: true, description: "Require metrics from web hosts." },
    database: { type: "boolean", default: true, description: "Require metrics from database hosts." },
  },
  judgeResource(resource, context) {
    if (isEvidenceComponent(resource)) {
      for (const { dropletName, roles, content } of readEvidence(resource).entries) {
        const found = rolesOfContent(content);
        const all: HostRoles = {
          web: roles.includes("web") ? "yes" : found.web,
          database: roles.includes("database") ? "yes" : found.database,
        };
        for (const violation of judgeHost(content, all, context.configuration)) {
          context.report(resource, { ...violation, at: `host "${dropletName}"` });
        }
      }
    }
    if (resource.type !== dropletType) return;
    const host: Host = knowHost(resource, context.evidence);
    if (host.knowledge.state !== "known" && host.knowledge.state !== "bare") return;
    for (const violation of judgeHost(contentOf(host), rolesOf(host), context.configuration)) {
      context.report(resource, { ...violation, at: "userData" });
    }
  },
  judgeStack(resources, context) {
    const { evidence } = context;
    for (const droplet of ofType(resources, dropletType)) {
      const { knowledge } = knowHost(droplet, evidence);
      if (knowledge.state !== "uncovered") continue;
      context.report(droplet, {
        at: "userData",
        problem: `${knowledge.reason}, and no component passes evidence for this droplet, so it may have no metrics`,
        why,
        fix: evidenceFix,
      });
    }
  },
});

function judgeHost(
  content: HostContent | undefined,
  roles: HostRoles,
  configuration: Configuration,
): readonly Violation[] {
  return (["web", "database"] as const)
    .filter((role) => configuration[role] && roles[role] === "yes")
    .flatMap((role) => judgeRole(content, role));
}

const subjects = {
  web: { host: "a web host", rate: "request rate", program: "nginx" },
  database: { host: "a database host", rate: "query rate", program: "mysql" },
};

/** An agent must collect the rate of one of the host's programs; of any, if the programs are unknown. */
function judgeRole(content: HostContent | undefined, role: "web" | "database"): readonly Violation[] {
  const programs = content === undefined ? [] : programsOf(content, role);
  const collected = content === undefined ? new Set<string>() : collectedRates(content)[role];
  const isCollected =
    programs.length === 0 ? collected.size > 0 : programs.some((program) => collected.has(program));
  if (isCollected) return [];
  const { host, rate, program: usual } = subjects[role];
  const named = programs.filter((program) => exampleFor(program) !== undefined);
  const examples = (named.length === 0 ? [usual] : named).flatMap((program) => exampleFor(program) ?? []);
  return [
    {
      problem: `it is ${host}, and no agent on it collects its ${rate}`,
      why,
      fix: `configure an agent for it, such as ${examples.join(" or ")}, and pass the file in the user data or the evidence`,
    },
  ];
}
