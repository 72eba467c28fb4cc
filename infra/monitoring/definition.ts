/** Types of the monitoring definitions, independent of any SDK. Pure. */
import type { Config } from "../config/types";

/** The site that the definitions monitor. */
export interface Watched extends Pick<Config, "alerts" | "environment" | "replication" | "slo" | "uptime"> {
  /** The site's label: the tag `stack` of everything that its hosts send. */
  readonly stack: string;
  /** Number of database hosts that accept writes. */
  readonly writers: number;
}

/** A Datadog monitor. */
export interface MonitorDefinition {
  /** Also the runbook's file name: docs/runbooks/NAME.md. */
  readonly name: string;
  readonly title: string;
  readonly type: "query alert" | "slo alert";
  /** A Datadog monitor query: https://docs.datadoghq.com/monitors/guide/how-to-set-up-monitor-queries (API reference). */
  readonly query: string;
  readonly critical: number;
  readonly warning?: number;
  /** Also alerts after this many minutes without data. */
  readonly noDataMinutes?: number;
  /** 1: act at once, 2: act today, 3: act this week. */
  readonly priority: 1 | 2 | 3;
}

/** The tag that selects everything in the stack. */
export function scopeOf({ stack }: Watched): string {
  return `stack:${stack}`;
}

/** Path of an alert's runbook in the repository. */
export function runbook(name: string): string {
  return `docs/runbooks/${name}.md`;
}
