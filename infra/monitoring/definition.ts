/** What an alert, an objective and the dashboard are, before any SDK sees them. Pure. */
import type { Config } from "../config/types";

/** What the definitions are made for. */
export interface Watched {
  readonly stack: string;
  readonly config: Config;
  /** Database hosts that take writes. */
  readonly writers: number;
}

/** A Datadog monitor. */
export interface MonitorDefinition {
  /** The runbook's file name as well: docs/runbooks/NAME.md. */
  readonly name: string;
  readonly title: string;
  readonly type: "query alert" | "slo alert";
  /** Datadog's query form: https://docs.datadoghq.com/monitors/guide/how-to-set-up-monitor-queries (API reference). */
  readonly query: string;
  readonly critical: number;
  readonly warning?: number;
  /** Silence alerts too: minutes without any figure. */
  readonly noDataMinutes?: number;
  /** 1 wakes somebody up, 2 is for today, 3 for this week. */
  readonly priority: 1 | 2 | 3;
}

/** The tags that a query selects by: everything of the stack. */
export function scopeOf({ stack }: Watched): string {
  return `stack:${stack}`;
}

/** Where the repository keeps an alert's page. */
export function runbook(name: string): string {
  return `docs/runbooks/${name}.md`;
}
