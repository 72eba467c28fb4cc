/**
 * A result as JSON, for programs. Within a major version of the pack, fields are added but never renamed or removed.
 */
import type { Finding, Judgment } from "./judge";

export function jsonReport(judgment: Judgment): string {
  const { state, productionBecause, policies, disabled, findings, exceptions } = judgment;
  const mandatory = findings.filter(({ level }) => level === "mandatory").length;
  const report = {
    stack: state.stack,
    project: state.project,
    production: productionBecause !== undefined,
    resources: state.resources.length,
    encryptedValues: state.encryptedValues,
    ...(state.terraform === undefined ? {} : { terraform: state.terraform }),
    summary: { mandatory, advisory: findings.length - mandatory },
    policies: [
      ...policies.map(({ policy, level }) => ({ name: policy.name, severity: policy.severity, level })),
      ...disabled.map(({ name, severity }) => ({ name, severity, level: "disabled" })),
    ],
    violations: findings.map(violation),
    exceptions: {
      accepted: exceptions.accepted.map((match) => ({
        ...match.exception,
        violations: match.findings.map(violation),
      })),
      ended: exceptions.ended.map(({ exception }) => exception),
      unused: exceptions.unused,
    },
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}

const violation = ({ policy, level, resource, message }: Finding) => ({
  policy: policy.name,
  severity: policy.severity,
  level,
  urn: resource.urn,
  type: resource.type,
  name: resource.name,
  line: resource.line,
  message,
});
