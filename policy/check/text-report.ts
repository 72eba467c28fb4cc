/** A result as text for a terminal. */

import type { PolicyDefinition } from "../frame/definition";
import { describeEnforcement } from "../frame/enforcement";
import { type Exception, type Finding, type Judgment, severities } from "./judge";
import type { State } from "./state";

export function textReport(judgment: Judgment): string {
  const { findings, policies, disabled, state, productionBecause } = judgment;
  const kind = productionBecause === undefined ? "not production" : `production: ${productionBecause}`;
  const subject =
    state.terraform === undefined
      ? `Stack ${state.stack} of project ${state.project}`
      : `Terraform ${state.terraform.kind}`;
  const lines = [`${subject} (${kind}), ${state.resources.length} resources.`, ""];
  const groups = folded(findings);
  const rows = groups.map((group) => {
    const [{ level, policy }] = group;
    return [level, policy.severity, policy.name, describeResources(group)];
  });
  if (rows.length > 0) {
    lines.push(...table(["level", "severity", "policy", "resource"], rows), "");
    for (const [index, group] of groups.entries()) {
      const [{ message }, ...others] = group;
      const same = others.map(({ resource }) => `"${resource.name}"`).join(", ");
      lines.push(`${index + 1}. ${message}${others.length === 0 ? "" : ` The same for ${same}.`}`);
    }
    lines.push("");
  }
  lines.push(...exceptionLines(judgment));
  const mandatory = findings.filter(({ level }) => level === "mandatory").length;
  const objecting = new Set(findings.map(({ policy }) => policy.name)).size;
  lines.push(
    `${mandatory} mandatory, ${findings.length - mandatory} advisory${bySeverity(findings)}; ${policies.length - objecting} of ${policies.length} policies found nothing${disabled.length > 0 ? `, ${disabled.length} disabled` : ""}.`,
  );
  if (state.encryptedValues > 0) {
    lines.push(
      `${state.encryptedValues} values are encrypted and count as unknown. To check them, export with --show-secrets, and do not keep that file.`,
    );
  }
  lines.push(...terraformLines(state));
  return `${lines.join("\n")}\n`;
}

function terraformLines({ terraform }: State): readonly string[] {
  if (terraform === undefined) return [];
  const { hashedValues } = terraform;
  const hashes = `${hashedValues} values are only hashes in this file and count as unknown. To check them, add an output with their text: policy/README.md, Terraform.`;
  return [...describeNotChecked(terraform), ...(hashedValues === 0 ? [] : [hashes])];
}

/** The sentences about resources that the pack could not check. */
export function describeNotChecked(terraform: State["terraform"]): readonly string[] {
  if (terraform === undefined) return [];
  const counts = terraform.notJudged.map(({ type, resources }) => `${type} (${resources})`).join(", ");
  return [
    ...(counts === "" ? [] : [`Not checked, because the pack does not have these types: ${counts}.`]),
    ...(terraform.isComplete
      ? []
      : [
          "Not checked: the resources that this plan leaves out. It was made with -target or -refresh-only, or has deferred changes.",
        ]),
  ];
}

function exceptionLines({ exceptions: { accepted, ended, unused } }: Judgment): readonly string[] {
  const described = ({ policy, resource, reason, until }: Exception) =>
    `${policy} of "${resource}" until ${until}: ${reason}`;
  const lines = [
    ...accepted.map(({ exception, findings }) => `accepted (${findings.length})  ${described(exception)}`),
    ...ended.map(({ exception }) => `ended, counts again  ${described(exception)}`),
    ...unused.map((exception) => `without a violation, can be removed  ${described(exception)}`),
  ];
  return lines.length === 0 ? [] : ["Exceptions of the baseline:", ...lines.map((line) => `  ${line}`), ""];
}

type Group = readonly [Finding, ...Finding[]];

/** Groups findings whose messages differ only in the resource's name. */
function folded(findings: readonly Finding[]): readonly Group[] {
  const groups = new Map<string, [Finding, ...Finding[]]>();
  for (const finding of findings) {
    const { level, policy, resource, message } = finding;
    const key = [level, policy.name, resource.type, message.replace(`"${resource.name}"`, "")].join("\n");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return [...groups.values()];
}

const shownNames = 3;

/** `Droplet "web-1"`, or `12 of Droplet: "web-1", "web-2", "web-3" and 9 others`. */
function describeResources(group: Group): string {
  const kind = group[0].resource.type.split(":").at(-1) ?? "";
  const names = group.map(({ resource }) => `"${resource.name}"`);
  if (names.length === 1) return `${kind} ${names[0]}`;
  const rest = names.length - shownNames;
  return `${names.length} of ${kind}: ${names.slice(0, shownNames).join(", ")}${rest > 0 ? ` and ${rest} others` : ""}`;
}

/** ` (2 critical, 1 high)`; empty if there is no finding. */
function bySeverity(findings: readonly Finding[]): string {
  const counts = severities.flatMap((severity) => {
    const count = findings.filter(({ policy }) => policy.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}`];
  });
  return counts.length === 0 ? "" : ` (${counts.join(", ")})`;
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
