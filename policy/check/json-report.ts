/**
 * A result as JSON, for programs. Within a major version of the pack, fields are added but never renamed or removed.
 */
import type { Judgment } from "./judge";

export function jsonReport({ state, productionBecause, policies, disabled, findings }: Judgment): string {
  const mandatory = findings.filter(({ level }) => level === "mandatory").length;
  const report = {
    stack: state.stack,
    project: state.project,
    production: productionBecause !== undefined,
    resources: state.resources.length,
    encryptedValues: state.encryptedValues,
    summary: { mandatory, advisory: findings.length - mandatory },
    policies: [
      ...policies.map(({ policy, level }) => ({ name: policy.name, severity: policy.severity, level })),
      ...disabled.map(({ name, severity }) => ({ name, severity, level: "disabled" })),
    ],
    violations: findings.map(({ policy, level, resource, message }) => ({
      policy: policy.name,
      severity: policy.severity,
      level,
      urn: resource.urn,
      type: resource.type,
      name: resource.name,
      line: resource.line,
      message,
    })),
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
