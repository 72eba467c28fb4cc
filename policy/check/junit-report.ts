/** A result as JUnit XML: one suite for each policy, and one test case for each violation, or a single passed one. */
import { acceptedFindings, type Finding, type Judgment } from "./judge";
import type { State } from "./state";
import { describeNotChecked } from "./text-report";

export function junitReport(judgment: Judgment): string {
  const { policies, findings, state } = judgment;
  const accepted = [...acceptedFindings(judgment)];
  const suites = policies.map(({ policy }) => {
    const own = findings.filter((finding) => finding.policy === policy);
    const failures = own.filter(({ level }) => level === "mandatory").length;
    const skipped = accepted.filter(([finding]) => finding.policy === policy);
    const found = [...own.map(testCase), ...skipped.map(skippedCase)];
    const cases = found.length === 0 ? [passed(policy.name, state.stack)] : found;
    return [
      `  <testsuite name="${escaped(policy.name)}" tests="${cases.length}" failures="${failures}" errors="0" skipped="${skipped.length}">`,
      ...cases,
      "  </testsuite>",
    ].join("\n");
  });
  const missing = notChecked(state.terraform);
  const mandatory = findings.filter(({ level }) => level === "mandatory").length;
  const all = [...findings, ...accepted.map(([finding]) => finding)];
  const quiet = policies.filter(({ policy }) => all.every((finding) => finding.policy !== policy)).length;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escaped(state.stack)}" tests="${all.length + quiet + missing.count}" failures="${mandatory}" errors="0">`,
    ...suites,
    ...missing.lines,
    "</testsuites>",
    "",
  ].join("\n");
}

/** A suite of skipped cases: what the pack could not check. */
function notChecked(terraform: State["terraform"]): {
  readonly count: number;
  readonly lines: readonly string[];
} {
  const reasons = describeNotChecked(terraform);
  const count = reasons.length;
  if (count === 0) return { count, lines: [] };
  const cases = reasons.map((reason, index) =>
    [
      `    <testcase classname="not checked" name="resources that were not checked, ${index + 1}">`,
      `      <skipped message="${escaped(reason)}"/>`,
      "    </testcase>",
    ].join("\n"),
  );
  const head = `  <testsuite name="not checked" tests="${count}" failures="0" errors="0" skipped="${count}">`;
  return { count, lines: [head, ...cases, "  </testsuite>"] };
}

function passed(policy: string, stack: string): string {
  return `    <testcase classname="${escaped(policy)}" name="${escaped(stack)}"/>`;
}

/** An advisory violation does not fail; its message is the output of the test case. */
function testCase(finding: Finding): string {
  const { policy, level, message } = finding;
  const body =
    level === "mandatory"
      ? `      <failure type="${policy.severity}" message="${escaped(message)}">${escaped(message)}</failure>`
      : `      <system-out>${escaped(message)}</system-out>`;
  return caseWith(finding, body);
}

const skippedCase = ([finding, reason]: readonly [Finding, string]): string =>
  caseWith(finding, `      <skipped message="${escaped(`accepted: ${reason}`)}"/>`);

function caseWith({ policy, resource }: Finding, body: string): string {
  return [
    `    <testcase classname="${escaped(policy.name)}" name="${escaped(`${resource.type} ${resource.name}`)}">`,
    body,
    "    </testcase>",
  ].join("\n");
}

/** XML 1.0 cannot contain most control characters, so they are left out. */
function escaped(text: string): string {
  return text
    .replace(/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu, "")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;");
}
