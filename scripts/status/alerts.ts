/** The alerts of this project, named after their runbooks. */
import {
  type ApiAccess,
  type DatadogAccess,
  type MonitorState,
  monitorStates,
  triggeredAlerts as readTriggered,
  type TriggeredAlert as SandboxAlert,
} from "../../sandbox/index";

/** One of Datadog's monitors. */
export interface AlertStatus {
  readonly name: string;
  readonly state: string;
  /** Groups that are not OK, such as "host:dev-node-1". */
  readonly groups: readonly string[];
}

/** One of DigitalOcean's own alerts that is triggered. */
export interface TriggeredAlert {
  /** The runbook's name, or the alert's own name. */
  readonly name: string;
  /** The name of the resource. */
  readonly on: string;
  readonly since: string;
  readonly value: number;
}

/** DigitalOcean's alerts that are triggered now; undefined if the API does not report them. */
export async function triggeredAlerts(api: ApiAccess): Promise<readonly TriggeredAlert[] | undefined> {
  const alerts = await readTriggered(api);
  return alerts && byRunbook(alerts);
}

/** The same alerts, each named after its runbook. */
export function byRunbook(alerts: readonly SandboxAlert[]): readonly TriggeredAlert[] {
  return alerts
    .map(({ description, on, since, value }) => ({ name: runbookOf(description, on), on, since, value }))
    .sort((a, b) => (`${a.name} ${a.on}` < `${b.name} ${b.on}` ? -1 : 1));
}

/**
 * infra/components/monitoring.ts: an alert's description contains its runbook; an uptime alert is named CHECK and one
 * word.
 */
function runbookOf(description: string, on: string): string {
  const named = /runbooks\/([\w-]+)\.md/.exec(description)?.[1];
  if (named !== undefined) return named;
  return description.startsWith(`${on} `) ? `site-${description.slice(on.length + 1)}` : description;
}

/** Datadog's monitors of this project, or of one stack. */
export async function monitorsOf(datadog: DatadogAccess, stack?: string): Promise<readonly AlertStatus[]> {
  return ofProject(await monitorStates(datadog), stack);
}

/** The project's monitors at Datadog, each named after its runbook. */
export function ofProject(monitors: readonly MonitorState[], stack?: string): readonly AlertStatus[] {
  return monitors
    .filter(({ tags }) => tags.includes("service:secured-web"))
    .filter(({ tags }) => stack === undefined || tags.includes(`stack:${stack}`))
    .map(({ name, state, groups, tags }) => ({
      name: tags.find((tag) => tag.startsWith("runbook:"))?.slice(8) ?? name,
      state,
      groups,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
