/** The policies understand every statement of the scripts of web and database hosts. */
import type { HostContent, UnclearStatement } from "../../evidence/content";
import { dropletType, knowHost } from "../../evidence/host";
import { rolesOf } from "../../evidence/roles";
import type { PolicyDefinition } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";

const why =
  "a statement that is not understood can open a plain text listener, switch off TLS of a database, or run any other code";
const fix =
  "use a statement that the README lists under Scripts, write the file with write_files, or pass the host's configuration as the input configurationEvidence of a component, under the droplet's name";

export const knownHostConfiguration: PolicyDefinition = {
  name: "known-host-configuration",
  displayName: "Known host configuration",
  category: "encryption",
  description:
    "The policies understand every statement in the scripts of web and database hosts, or evidence covers the host.",
  severity: "high",
  enforcement: mandatoryInProduction,
  tags: ["user-data"],
  types: [dropletType],
  remediationSteps:
    "Replace statements that the policies do not understand by write_files and the package list of a cloud-config, or pass the host's configuration as evidence.",
  judgeResource(resource, context) {
    if (resource.type !== dropletType) return;
    const host = knowHost(resource, context.evidence);
    if (host.knowledge.state !== "known" || host.evidence.some(({ complete }) => complete)) return;
    const { web, database } = rolesOf(host);
    if (web === "no" && database === "no") return;
    for (const [reason, statements] of byReason(host.knowledge.content)) {
      context.report(resource, {
        at: `userData, ${describeLines(statements)}`,
        problem: `the effect of the statement is unknown: ${reason}`,
        why,
        fix,
      });
    }
  },
};

/** One violation for each reason: a long script can have many statements of one kind. */
function byReason({ unclear }: HostContent): ReadonlyMap<string, readonly UnclearStatement[]> {
  const found = new Map<string, UnclearStatement[]>();
  for (const statement of unclear)
    found.set(statement.reason, [...(found.get(statement.reason) ?? []), statement]);
  return found;
}

const shownLines = 8;

/** "script, line 3" or "script, lines 3, 7 and 4 others". */
function describeLines(statements: readonly UnclearStatement[]): string {
  const own = [...new Set(statements.filter(({ nested }) => !nested).map(({ line }) => line))];
  if (own.length === 0) return "a script that another script runs";
  const shown = own.slice(0, shownLines);
  const rest = own.length - shown.length;
  return `script, ${own.length === 1 ? "line" : "lines"} ${shown.join(", ")}${rest > 0 ? ` and ${rest} others` : ""}`;
}
