/** An uptime check monitors the site and its certificate from outside. */
import { describeState } from "../../evidence/host";
import type { JudgmentContext, PolicyDefinition } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { type Field, valueOr } from "../../frame/value";
import { isSwitchedOn, missingRecipients } from "../../resources/recipients";
import { loadBalancerType, ofType, uptimeAlertType, uptimeCheckType } from "../../resources/types";

const whyUptime =
  "a site that is down for its visitors can look healthy from inside, and without a check the visitors notice first";
const whyCertificate = "an expired certificate takes the whole site down, on a day that was known for months";

export const siteUptime: PolicyDefinition = {
  name: "site-uptime",
  displayName: "Site uptime",
  category: "monitoring",
  description:
    "A stack with a public load balancer has an uptime check over HTTPS, and every such check has alerts for an outage and for a certificate that expires soon.",
  severity: "medium",
  enforcement: mandatoryInProduction,
  tags: [],
  types: [loadBalancerType, uptimeAlertType, uptimeCheckType],
  remediationSteps:
    "Create an UptimeCheck of type https with the site's address as target, and UptimeAlerts of the types down and ssl_expiry with its id as checkId.",
  judgeResource(resource, context) {
    if (resource.type === uptimeAlertType) judgeAlert(resource, context);
    if (resource.type === uptimeCheckType) judgeCheck(resource, context);
  },
  judgeStack(resources, context) {
    const checks = ofType(resources, uptimeCheckType);
    const sound = checks.filter((check) => isSwitchedOn(check.inputs) && isHttps(check));
    for (const balancer of ofType(resources, loadBalancerType)) {
      if (sound.length > 0 || valueOr(balancer.inputs.text("network"), "").toUpperCase() === "INTERNAL")
        continue;
      context.report(balancer, {
        problem: "the stack has a public load balancer, but no enabled uptime check of type https",
        why: whyUptime,
        fix: "create an UptimeCheck of type https with the site's address as target",
      });
    }
    judgeAlertsOf(checks, ofType(resources, uptimeAlertType), context);
  },
};

function isHttps(check: JudgedResource): boolean {
  return valueOr(check.inputs.text("type"), "").toLowerCase() === "https";
}

function judgeCheck(check: JudgedResource, context: JudgmentContext): void {
  const type = check.inputs.text("type");
  if (type.state === "unknown" || type.state === "mistyped") report("type", type);
  const target = check.inputs.text("target");
  // An unknown target comes from another resource, such as the load balancer's address.
  if (target.state !== "unknown" && valueOr(target, "") === "") report("target", target);
  if (!isSwitchedOn(check.inputs)) {
    context.report(check, {
      at: "enabled",
      problem: "it is unknown whether the check is enabled",
      why: whyUptime,
      fix: "set enabled to true",
    });
  }

  function report(at: string, field: Field<unknown>): void {
    const problem = field.state === "known" ? "it is empty" : `the value ${describeState(field)}`;
    context.report(check, { at, problem, why: whyUptime, fix: "set the value to a literal" });
  }
}

function judgeAlert(alert: JudgedResource, context: JudgmentContext): void {
  const problem = recipientsProblem(alert);
  if (problem === undefined) return;
  context.report(alert, {
    at: "notifications",
    problem,
    why: "an alert without a recipient reaches no one",
    fix: "set addresses in notifications[0].emails, or a channel in notifications[0].slacks",
  });
}

function recipientsProblem(alert: JudgedResource): string | undefined {
  const list = alert.inputs.objects("notifications");
  if (list.state === "absent" || (list.state === "known" && list.value.length === 0))
    return "it names no recipient";
  if (list.state !== "known") return `its recipients are unknown: the value ${describeState(list)}`;
  const problems = list.value.map((notice) =>
    notice.state === "known"
      ? missingRecipients(notice.value)
      : `its recipients are unknown: the value ${describeState(notice)}`,
  );
  return problems.includes(undefined) ? undefined : problems[0];
}

const down = ["down", "down_global"];

/** Every check has an alert for an outage; an HTTPS check also has one for its certificate. */
function judgeAlertsOf(
  checks: readonly JudgedResource[],
  alerts: readonly JudgedResource[],
  context: JudgmentContext,
): void {
  const typesByUrn = new Map<string, Set<string>>();
  const typesById = new Map<string, Set<string>>();
  for (const alert of alerts) {
    if (recipientsProblem(alert) !== undefined) continue;
    const type = valueOr(alert.inputs.text("type"), "").toLowerCase();
    for (const { urn } of alert.references("checkId")) add(typesByUrn, urn, type);
    const id = alert.inputs.text("checkId");
    if (id.state === "known") add(typesById, id.value, type);
  }
  for (const check of checks) {
    const own = check.outputs.text("id");
    const types = new Set([
      ...(typesByUrn.get(check.urn) ?? []),
      ...(own.state === "known" ? (typesById.get(own.value) ?? []) : []),
    ]);
    if (!down.some((type) => types.has(type))) {
      context.report(check, {
        problem: "the check has no alert of type down or down_global that reaches a person",
        why: whyUptime,
        fix: "create an UptimeAlert of type down with this check's id as checkId",
      });
    }
    if (isHttps(check) && !types.has("ssl_expiry")) {
      context.report(check, {
        problem: "the check has no alert of type ssl_expiry that reaches a person",
        why: whyCertificate,
        fix: "create an UptimeAlert of type ssl_expiry with this check's id as checkId, and days in threshold",
      });
    }
  }
}

function add(map: Map<string, Set<string>>, key: string, type: string): void {
  const found = map.get(key);
  if (found === undefined) map.set(key, new Set([type]));
  else found.add(type);
}
