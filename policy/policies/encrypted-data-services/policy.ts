/** Databases, caches and queues on hosts take connections of other hosts only with TLS and a password. */
import { type HostContent, unknownTexts } from "../../evidence/content";
import { contentOf, dropletType, isEvidenceComponent, knowHost, readEvidence } from "../../evidence/host";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import { shownPath } from "../../frame/message";
import type { JudgedResource } from "../../frame/resource";
import type { ServiceProblem } from "./service-file";
import { isServiceFile, serviceProblems } from "./services";

const why =
  "anyone who can read the network between two hosts can read the data and the password, and a service without a password obeys everyone who reaches it";

export const encryptedDataServices: PolicyDefinition = {
  name: "encrypted-data-services",
  displayName: "Encrypted data services",
  category: "encryption",
  description:
    "PostgreSQL, Redis, Valkey, MongoDB, memcached, RabbitMQ, Elasticsearch and OpenSearch on hosts listen only to their own host, or require TLS and passwords.",
  severity: "critical",
  enforcement: alwaysMandatory,
  tags: ["database", "user-data"],
  types: [dropletType],
  remediationSteps:
    "Set the listening address to loopback, or enable TLS and passwords in the service's configuration file.",
  judgeResource(resource, context) {
    if (isEvidenceComponent(resource)) {
      for (const { dropletName, content } of readEvidence(resource).entries)
        report(resource, `host "${dropletName}", `, problemsOf(content), context);
    }
    if (resource.type !== dropletType) return;
    const host = knowHost(resource, context.evidence);
    if (host.knowledge.state !== "known") return;
    const content = contentOf(host);
    if (content !== undefined) report(resource, "userData, ", problemsOf(content), context);
  },
};

const problemsOf = (content: HostContent): readonly ServiceProblem[] => [
  ...serviceProblems(content.files),
  ...unknownTexts(content, isServiceFile),
];

function report(
  resource: JudgedResource,
  where: string,
  problems: readonly ServiceProblem[],
  context: JudgmentContext,
): void {
  for (const { path, line, problem, fix } of problems) {
    const at = `${where}${shownPath(path)}${line === undefined ? "" : `:${line}`}`;
    context.report(resource, { at, problem, why, fix });
  }
}
