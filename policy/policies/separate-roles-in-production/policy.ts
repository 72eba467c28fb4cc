/** In production a droplet is either a web host or a database host. */

import type { HostContent } from "../../evidence/content";
import {
  contentOf,
  dropletType,
  type Host,
  isEvidenceComponent,
  knowHost,
  readEvidence,
} from "../../evidence/host";
import { rolesOf, rolesOfContent } from "../../evidence/roles";
import { missingIsolation } from "../../evidence/slices";
import { definePolicy } from "../../frame/definition";
import { productionOnly } from "../../frame/enforcement";
import type { Violation } from "../../frame/message";
import { ofType } from "../../resources/types";

const why =
  "web server, application and database compete for the CPU, memory and disk of one host, so a busy site slows its own database and the cause is hard to find";

interface Configuration {
  readonly acceptSharedHosts: boolean;
}

export const separateRolesInProduction = definePolicy({
  name: "separate-roles-in-production",
  displayName: "Separate roles in production",
  category: "roles",
  description:
    "In production no droplet is both web host and database host, unless the configuration allows it and systemd slices isolate the roles.",
  severity: "high",
  enforcement: productionOnly,
  tags: ["availability", "database"],
  types: [dropletType],
  remediationSteps:
    "Put web server and application on their own droplets. Alternatively, set acceptSharedHosts and put web server and database each into a systemd slice with CPUWeight and MemoryMax.",
  configuration: {
    acceptSharedHosts: {
      type: "boolean",
      default: false,
      description: "Allow a droplet to have both roles if systemd slices isolate them.",
    },
  },
  judgeResource(resource, context) {
    if (isEvidenceComponent(resource)) {
      for (const { dropletName, roles, content } of readEvidence(resource).entries) {
        const found = rolesOfContent(content);
        const isWeb = roles.includes("web") || found.web === "yes";
        const isDatabase = roles.includes("database") || found.database === "yes";
        const violation = isWeb && isDatabase ? judgeShared(content, context.configuration) : undefined;
        if (violation !== undefined) context.report(resource, { ...violation, at: `host "${dropletName}"` });
      }
    }
    if (resource.type !== dropletType) return;
    const host = knowHost(resource, context.evidence);
    if (host.knowledge.state !== "known" && host.knowledge.state !== "bare") return;
    const violation = hasBothRoles(host) ? judgeShared(contentOf(host), context.configuration) : undefined;
    if (violation !== undefined) context.report(resource, { ...violation, at: "userData" });
  },
  judgeStack(resources, context) {
    const { evidence } = context;
    for (const droplet of ofType(resources, dropletType)) {
      const { knowledge } = knowHost(droplet, evidence);
      if (knowledge.state !== "uncovered") continue;
      context.report(droplet, {
        at: "userData",
        problem: `${knowledge.reason}, and no component passes evidence for this droplet, so it may be both web host and database host`,
        why,
        fix: "pass the configuration's text, without secrets, as the input configurationEvidence of a component, under the droplet's name",
      });
    }
  },
});

function hasBothRoles(host: Host): boolean {
  const { web, database } = rolesOf(host);
  return web === "yes" && database === "yes";
}

function judgeShared(
  content: HostContent | undefined,
  { acceptSharedHosts }: Configuration,
): Violation | undefined {
  if (!acceptSharedHosts) {
    return {
      problem: "the droplet is both web host and database host",
      why,
      fix: "put the roles on separate droplets, or set this policy's acceptSharedHosts and isolate them with systemd slices",
    };
  }
  const missing = content === undefined ? "its configuration is unknown" : missingIsolation(content);
  if (missing === undefined) return undefined;
  return {
    problem: `the droplet is both web host and database host, and its roles are not isolated: ${missing}`,
    why,
    fix: "put web server and database each into a systemd slice (Slice= in the service, CPUWeight and MemoryMax in the slice)",
  };
}
