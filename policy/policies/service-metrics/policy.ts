/** How many requests and queries a site serves is measured where they are served. */

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
  "without the rates of requests and queries nobody can tell a busy site from a broken one, nor which of its parts is the slow one";
const evidenceFix =
  "pass the agent's configuration without secrets as the input configurationEvidence of a component, under the droplet's name";

interface Configuration {
  readonly web: boolean;
  readonly database: boolean;
}

export const serviceMetrics = definePolicy({
  name: "service-metrics",
  displayName: "Service metrics",
  category: "monitoring",
  description:
    "An agent on every web host collects the rate of its requests, and one on every database host the rate of its queries.",
  severity: "medium",
  enforcement: productionOnly,
  tags: [],
  remediationSteps:
    "Configure the agent of each host for its services: Datadog's nginx and mysql checks, Telegraf's inputs, OpenTelemetry's receivers or Prometheus's exporters.",
  configuration: {
    web: { type: "boolean", default: true, description: "Whether web hosts must be measured." },
    database: { type: "boolean", default: true, description: "Whether database hosts must be measured." },
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
        problem: `${knowledge.reason}, and no component passes evidence for this droplet, so it is not known to be measured`,
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
      "a web host, and no agent on it collects the rate of its requests",
      "nginx (nginx.d/conf.yaml with nginx_status_url)",
    ],
    [
      "database",
      "a database host, and no agent on it collects the rate of its queries",
      "mysql (mysql.d/conf.yaml)",
    ],
  ] as const;
  return demands
    .filter(([role]) => configuration[role] && roles[role] === "yes" && !rates[role])
    .map(([, problem, check]) => ({
      problem: `it is ${problem}`,
      why,
      fix: `configure an agent for it, such as Datadog's check ${check}, and pass the file in the user data or the evidence`,
    }));
}
