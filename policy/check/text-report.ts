/** A result as text for a terminal. */

import type { PolicyDefinition } from "../frame/definition";
import { describeEnforcement } from "../frame/enforcement";
import type { Judgment } from "./judge";

export function textReport(judgment: Judgment): string {
  const { findings, policies, disabled, state, productionBecause } = judgment;
  const kind = productionBecause === undefined ? "not production" : `production: ${productionBecause}`;
  const lines = [
    `Stack ${state.stack} of project ${state.project} (${kind}), ${state.resources.length} resources.`,
    "",
  ];
  const rows = findings.map(({ level, policy, resource }) => [
    level,
    policy.severity,
    policy.name,
    `${resource.type.split(":").at(-1)} "${resource.name}"`,
  ]);
  if (rows.length > 0) {
    lines.push(...table(["level", "severity", "policy", "resource"], rows), "");
    for (const [index, { message }] of findings.entries()) lines.push(`${index + 1}. ${message}`);
    lines.push("");
  }
  const mandatory = findings.filter(({ level }) => level === "mandatory").length;
  const objecting = new Set(findings.map(({ policy }) => policy.name)).size;
  lines.push(
    `${mandatory} mandatory, ${findings.length - mandatory} advisory; ${policies.length - objecting} of ${policies.length} policies found nothing${disabled.length > 0 ? `, ${disabled.length} disabled` : ""}.`,
  );
  if (state.encryptedValues > 0) {
    lines.push(
      `${state.encryptedValues} values are encrypted and count as unknown. To check them, export with --show-secrets, and do not keep that file.`,
    );
  }
  return `${lines.join("\n")}\n`;
}

/** The policies of a pack, one per line. */
export function listReport(definitions: readonly PolicyDefinition[]): string {
  const rows = definitions.map(({ name, category, severity, enforcement }) => [
    name,
    category,
    severity,
    describeEnforcement(enforcement),
  ]);
  return `${table(["policy", "category", "severity", "enforcement"], rows).join("\n")}\n`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
