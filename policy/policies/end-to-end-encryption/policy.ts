/** Every hop is encrypted: client to load balancer, load balancer to droplet, droplet to droplet. */

import { type HostContent, unknownTexts } from "../../evidence/content";
import {
  contentOf,
  contradictions,
  dropletType,
  isEvidenceComponent,
  knowHost,
  readEvidence,
} from "../../evidence/host";
import { runsMysql, runsMysqlOnlyInside } from "../../evidence/mysql";
import { isRelease } from "../../evidence/release";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import { shownPath } from "../../frame/message";
import type { JudgedResource } from "../../frame/resource";
import { balancerTargets } from "../../resources/tags";
import { bucketObjectType, firewallType, ofType } from "../../resources/types";
import { type Finding, notJudged, plaintextHop } from "./findings";
import { judgeHaproxy } from "./haproxy";
import { judgeLoadBalancer, judgePlainPort, loadBalancerType, rulesLeftToDroplets } from "./load-balancer";
import { judgeMysql } from "./mysql";
import { hasNginxServer, judgeNginx, plaintextListenersOnlyRedirect } from "./nginx";
import { judgeRelease, judgeReleases } from "./releases";
import { judgeStatements } from "./statements";
import {
  hasWebServer,
  installs,
  isWebServerPath,
  judgeWebServerFiles,
  judgeWebServers,
  unconfigured,
} from "./web-servers";

export const endToEndEncryption: PolicyDefinition = {
  name: "end-to-end-encryption",
  displayName: "End-to-end encryption",
  category: "encryption",
  description:
    "Every hop between hosts is encrypted: to and behind the load balancer, between web servers (nginx, HAProxy, Apache, Caddy, Traefik, Envoy) and their upstreams, and between MySQL servers and their clients and members.",
  severity: "critical",
  enforcement: alwaysMandatory,
  tags: ["network"],
  types: [bucketObjectType, dropletType, firewallType, loadBalancerType],
  remediationSteps:
    "Let the load balancer send HTTPS to the droplets (or pass TLS through), let nginx, HAProxy, Apache, Caddy, Traefik and Envoy listen and connect with verified TLS, and set require_secure_transport, group_replication_ssl_mode and the recovery options of MySQL.",
  judgeResource(resource, context) {
    if (resource.type === loadBalancerType) judgeLoadBalancer(resource, context);
    if (isEvidenceComponent(resource)) judgeEvidence(resource, context);
    if (isRelease(resource)) judgeRelease(resource, context);
    if (resource.type === dropletType) judgeDroplet(resource, context);
  },
  judgeStack(resources, context) {
    const isLeftToDroplets = ofType(resources, loadBalancerType).some(
      (balancer) => rulesLeftToDroplets(balancer).length > 0,
    );
    for (const firewall of ofType(resources, firewallType))
      judgePlainPort(firewall, isLeftToDroplets, context);
    judgeReleases(resources, context);
    for (const resource of resources) {
      if (resource.type === dropletType) judgeCoverage(resource, context);
      if (resource.type === loadBalancerType) judgeRedirectOnDroplets(resource, resources, context);
    }
  },
};

function judgeEvidence(component: JudgedResource, context: JudgmentContext): void {
  const { entries, faults } = readEvidence(component);
  for (const { at, problem, fix } of faults) {
    context.report(component, {
      at,
      problem,
      why: notJudged,
      fix: fix ?? "pass the configuration's text without secrets, so that it is known at preview",
    });
  }
  for (const { dropletName, roles, content } of entries) {
    const report = (finding: Finding) => {
      const at = finding.at === undefined ? "" : `, ${finding.at}`;
      context.report(component, { ...finding, at: `host "${dropletName}"${at}` });
    };
    for (const finding of judgeHost(content, roles)) report(finding);
    if (roles.includes("web") && !hasNginxServer(content.files) && !hasWebServer(content.files)) {
      report({
        problem:
          "the evidence has the role web, but contains no server of nginx, Apache, Caddy, Traefik or Envoy",
        why: notJudged,
        fix: "add the configuration of the host's web server to the evidence",
      });
    }
  }
}

function judgeDroplet(droplet: JudgedResource, context: JudgmentContext): void {
  const host = knowHost(droplet, context.evidence);
  if (host.knowledge.state === "known") {
    const { content } = host.knowledge;
    if (!host.evidence.some(({ complete }) => complete)) reportUnknownCommands(droplet, content, context);
    for (const finding of judgeHost(content, [])) {
      context.report(droplet, {
        ...finding,
        at: finding.at === undefined ? "userData" : `userData, ${finding.at}`,
      });
    }
  }
  reportContradictions(droplet, context);
}

/** Findings in the configuration of one host. */
function judgeHost(content: HostContent, roles: readonly string[]): readonly Finding[] {
  const { files } = content;
  const findings: Finding[] = [
    ...judgeNginx(files),
    ...judgeHaproxy(files),
    ...judgeWebServers(content),
    ...judgeStatements(content),
  ];
  if (runsMysql(content, roles) && !runsMysqlOnlyInside(content, roles)) findings.push(...judgeMysql(files));
  const nginx = { packages: /^nginx/, word: /^nginx$/, image: "nginx" };
  if (installs(nginx, content) && !hasNginxServer(files)) {
    findings.push(
      unconfigured({
        name: "nginx",
        why: "the default configuration in nginx packages serves plain text on port 80",
        fix: "write nginx's configuration with write_files, with TLS on every listener",
      }),
    );
  }
  const isRead = (path: string) => /nginx|haproxy|mysql|\.cnf$/.test(path) || isWebServerPath(path);
  for (const { path, problem, fix } of unknownTexts(content, isRead))
    findings.push({ at: shownPath(path), problem, why: notJudged, fix });
  return findings;
}

/** Without evidence, the effect of such a command on nginx or MySQL is unknown. */
function reportUnknownCommands(
  droplet: JudgedResource,
  content: HostContent,
  context: JudgmentContext,
): void {
  for (const what of content.unknownCommands) {
    context.report(droplet, {
      at: "userData",
      problem: `it runs ${what}, whose effect on the configuration is unknown`,
      why: notJudged,
      fix: "write that configuration into the user data, or pass the configuration's text as the input configurationEvidence of a component, under the droplet's name",
    });
  }
}

function reportContradictions(droplet: JudgedResource, context: JudgmentContext): void {
  for (const { path, entry } of contradictions(knowHost(droplet, context.evidence))) {
    context.report(droplet, {
      at: "userData",
      problem: `${shownPath(path)} differs from the evidence that ${entry.component.name} passes for this droplet`,
      why: "if the evidence differs from the host's configuration, a preview shows a result that the update does not produce",
      fix: "generate the evidence from the same text as the user data",
    });
  }
}

/** For the whole stack: every host is checked, and no evidence contradicts user data. */
function judgeCoverage(droplet: JudgedResource, context: JudgmentContext): void {
  reportContradictions(droplet, context);
  const { knowledge, name } = knowHost(droplet, context.evidence);
  if (knowledge.state !== "uncovered") return;
  const named = name.state === "known" ? "this droplet's name" : "this droplet, whose name is unknown";
  context.report(droplet, {
    at: "userData",
    problem: `${knowledge.reason}, and no component passes evidence for ${named}`,
    why: "a host whose configuration is unknown may be unencrypted",
    fix: "pass the configuration's text, without secrets, as the input configurationEvidence of a component, under the droplet's name",
  });
}

/** A plain port 80 next to TLS passthrough is only safe if every droplet behind it only redirects. */
function judgeRedirectOnDroplets(
  balancer: JudgedResource,
  resources: readonly JudgedResource[],
  context: JudgmentContext,
): void {
  const rules = rulesLeftToDroplets(balancer);
  if (rules.length === 0) return;
  const targets = resources.filter(
    (resource) => resource.type === dropletType && balancerTargets(balancer, resource) !== "not selected",
  );
  const redirects = (droplet: JudgedResource) => {
    const content = contentOf(knowHost(droplet, context.evidence));
    if (content === undefined) return false;
    const { files } = content;
    return (
      plaintextListenersOnlyRedirect(files) ||
      (hasWebServer(files) && judgeWebServerFiles(files).length === 0)
    );
  };
  if (targets.length > 0 && targets.every(redirects)) return;
  for (const at of rules) {
    context.report(balancer, {
      at: `${at}.entryProtocol`,
      problem:
        'the load balancer accepts "http", and it is unknown whether the droplets behind it only redirect it',
      why: plaintextHop,
      fix: "remove the rule, or let the web server on every droplet answer port 80 only with a redirect to https://",
    });
  }
}
