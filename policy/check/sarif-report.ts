/** A result as SARIF 2.1.0 (OASIS), the format of code scanning services. */
import { createHash } from "node:crypto";
import { acceptedFindings, type Judgment } from "./judge";
import type { State } from "./state";
import { describeNotChecked } from "./text-report";

/** GitHub's numbers for severities ("SARIF support for code scanning", security-severity). */
const securitySeverity = { critical: "9.5", high: "8.0", medium: "5.0", low: "2.0" } as const;

export interface Tool {
  readonly name: string;
  readonly version: string;
}

/** @param file path of the state as the user passed it, relative to the working folder if possible */
export function sarifReport(judgment: Judgment, tool: Tool, file: string): string {
  const { policies, findings, state } = judgment;
  const rules = policies.map(({ policy, level }) => ({
    id: policy.name,
    name: policy.displayName,
    shortDescription: { text: policy.displayName },
    fullDescription: { text: policy.description },
    help: { text: policy.remediationSteps },
    defaultConfiguration: { level: level === "mandatory" ? "error" : "warning" },
    properties: {
      // The schema does not allow duplicates.
      tags: [...new Set([policy.category, ...policy.tags])],
      "security-severity": securitySeverity[policy.severity],
    },
  }));
  const accepted = [...acceptedFindings(judgment)].map(([finding, justification]) => ({
    ...finding,
    suppressions: [{ kind: "external", status: "accepted", justification }],
  }));
  // If a tool gives suppressions of one result, it gives them of each result.
  const open = findings.map((finding) => ({ ...finding, suppressions: [] }));
  const results = [...open, ...accepted].map(({ policy, level, resource, message, suppressions }) => ({
    ruleId: policy.name,
    ruleIndex: rules.findIndex(({ id }) => id === policy.name),
    level: level === "mandatory" ? "error" : "warning",
    message: { text: message },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: fileUri(file) },
          region: { startLine: resource.line },
        },
        logicalLocations: [{ name: resource.name, fullyQualifiedName: resource.urn, kind: "resource" }],
      },
    ],
    ...(accepted.length > 0 ? { suppressions } : {}),
    partialFingerprints: { "violation/v1": fingerprint(policy.name, resource.urn, message) },
  }));
  const log = {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { ...tool, rules } },
        ...notifications(state),
        columnKind: "utf16CodeUnits",
        results,
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

/** Notes for resources that the pack could not check. */
function notifications({ terraform }: State) {
  const notes = describeNotChecked(terraform).map((text) => ({ level: "note", message: { text } }));
  return notes.length === 0
    ? {}
    : { invocations: [{ executionSuccessful: true, toolExecutionNotifications: notes }] };
}

function fileUri(file: string): string {
  return file.split("/").map(encodeURIComponent).join("/");
}

function fingerprint(...parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 32);
}
