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
import { collectedRates } from "../../evidence/metrics";
import { type HostRoles, rolesOf, rolesOfContent } from "../../evidence/roles";
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
  const rates = content === undefined ? { web: false, database: false } : collectedRates(content);
  const demands = [
    [
      "web",
      "a web host, and no agent on it collects its request rate",
      "nginx (nginx.d/conf.yaml with nginx_status_url)",
    ],
    ["database", "a database host, and no agent on it collects its query rate", "mysql (mysql.d/conf.yaml)"],
  ] as const;
  return demands
    .filter(([role]) => configuration[role] && roles[role] === "yes" && !rates[role])
    .map(([, problem, check]) => ({
      problem: `it is ${problem}`,
      why,
      fix: `configure an agent for it, such as Datadog's check ${check}, and pass the file in the user data or the evidence`,
    }));
}
