/** An alert fires before a droplet or a load balancer is full. */
import { describeState, dropletType } from "../../evidence/host";
import { definePolicy, type JudgmentContext } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";
import { nearest } from "../../frame/nearest";
import type { JudgedResource } from "../../frame/resource";
import { knownItems, valueOr } from "../../frame/value";
import { isSwitchedOn, missingRecipients } from "../../resources/recipients";
import { DropletSelectors } from "../../resources/selectors";
import { loadBalancerType, monitorAlertType, ofType } from "../../resources/types";

const why = "without an alert, a slowly filling resource takes the site down without warning";

const dropletMetrics = "v1/insights/droplet/";
const balancerMetrics = "v1/insights/lbaas/";

interface Configuration {
  readonly dropletAlerts: readonly string[];
  readonly loadBalancers: boolean;
}

/** Alerts of droplets in DigitalOcean's API, after v1/insights/droplet/. */
const alertNames: readonly string[] = [
  "cpu",
  "memory_utilization_percent",
  "disk_utilization_percent",
  "load_1",
  "load_5",
  "load_15",
  "disk_read",
  "disk_write",
  "public_outbound_bandwidth",
  "public_inbound_bandwidth",
  "private_outbound_bandwidth",
  "private_inbound_bandwidth",
];

export const resourceAlerts = definePolicy({
  name: "resource-alerts",
  displayName: "Resource alerts",
  category: "monitoring",
  description:
    "CPU, memory and disk of every droplet, and every load balancer, have an alert that is enabled and reaches a person.",
  severity: "medium",
  enforcement: mandatoryInProduction,
  tags: [],
  types: [dropletType, loadBalancerType, monitorAlertType],
  remediationSteps:
    "Create a MonitorAlert of each type with the droplets' tag in tags, one of a v1/insights/lbaas type with the load balancer's id in entities, and recipients in alerts.",
  configuration: {
    dropletAlerts: {
      type: "array",
      items: { type: "string" },
      form: {
        expected: `a type of alert: ${alertNames.join(", ")}`,
        fits: (text) => alertNames.includes(text),
        meant: (text) => nearest(text, alertNames),
      },
      default: ["cpu", "memory_utilization_percent", "disk_utilization_percent"],
      description:
        "Required alerts for every droplet, as the part of the alert's type after v1/insights/droplet/.",
    },
    loadBalancers: {
      type: "boolean",
      default: true,
      description: "Require an alert for every load balancer.",
    },
  },
  judgeResource(resource, context) {
    if (resource.type === monitorAlertType) judgeAlert(resource, context);
  },
  judgeStack(resources, context) {
    const alerts = ofType(resources, monitorAlertType).filter(reachesSomebody);
    judgeDroplets(resources, alerts, context);
    if (context.configuration.loadBalancers) judgeBalancers(resources, alerts, context);
  },
});

function recipientsProblem(alert: JudgedResource): string | undefined {
  const notice = alert.inputs.object("alerts");
  if (notice.state === "known") return missingRecipients(notice.value);
  return notice.state === "absent"
    ? "it names no recipient"
    : `its recipients are unknown: the value ${describeState(notice)}`;
}

function reachesSomebody(alert: JudgedResource): boolean {
  return isSwitchedOn(alert.inputs) && recipientsProblem(alert) === undefined;
}

function judgeAlert(alert: JudgedResource, context: JudgmentContext<Configuration>): void {
  const problem = recipientsProblem(alert);
  if (problem !== undefined) {
    context.report(alert, {
      at: "alerts",
      problem,
      why: "an alert without a recipient reaches no one",
      fix: "set addresses in alerts.emails, or a channel in alerts.slacks",
    });
  }
  if (isSwitchedOn(alert.inputs)) return;
  const enabled = alert.inputs.flag("enabled");
  context.report(alert, {
    at: "enabled",
    problem: enabled.state === "known" ? "enabled is false" : `the value ${describeState(enabled)}`,
    why: "a disabled alert never fires",
    fix: "set enabled to true, or remove it",
  });
}

function judgeDroplets(
  resources: readonly JudgedResource[],
  alerts: readonly JudgedResource[],
  context: JudgmentContext<Configuration>,
): void {
  const droplets = ofType(resources, dropletType);
  for (const metric of context.configuration.dropletAlerts) {
    const type = `${dropletMetrics}${metric}`;
    const own = alerts.filter(({ inputs }) => valueOr(inputs.text("type"), "") === type);
    const selectors = new DropletSelectors(own, "entities");
    for (const droplet of droplets) {
      const { certain, possible } = selectors.of(droplet);
      if (certain.length > 0) continue;
      const state =
        possible.length > 0
          ? `may have no alert on ${metric}: the tags or entities of MonitorAlert "${possible[0]?.name}" are unknown`
          : `has no alert on ${metric} that is enabled and reaches a person`;
      context.report(droplet, {
        problem: `it ${state}`,
        why,
        fix: `create a MonitorAlert of type ${type} with one of the droplet's tags in tags`,
      });
    }
  }
}

function judgeBalancers(
  resources: readonly JudgedResource[],
  alerts: readonly JudgedResource[],
  context: JudgmentContext<Configuration>,
): void {
  const own = alerts.filter(({ inputs }) => valueOr(inputs.text("type"), "").startsWith(balancerMetrics));
  const ids = new Set(own.flatMap(({ inputs }) => knownItems(inputs.texts("entities"))));
  const urns = new Set(own.flatMap((alert) => alert.references("entities").map(({ urn }) => urn)));
  for (const balancer of ofType(resources, loadBalancerType)) {
    const id = balancer.outputs.text("id");
    if (urns.has(balancer.urn) || (id.state === "known" && ids.has(id.value))) continue;
    context.report(balancer, {
      problem: "it has no alert that is enabled and reaches a person",
      why,
      fix: `create a MonitorAlert of type ${balancerMetrics}droplet_health or another of ${balancerMetrics}... with the load balancer's id in entities`,
    });
  }
}
