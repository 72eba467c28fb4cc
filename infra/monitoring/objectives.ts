/** Service-level objectives, and alerts on the burn rate of their error budgets. Pure. */
import { type MonitorDefinition, scopeOf, type Watched } from "./definition";

/** A Datadog service-level objective that compares the count of good events with the count of all events. */
export interface ObjectiveDefinition {
  readonly name: string;
  readonly title: string;
  readonly good: string;
  readonly all: string;
  readonly targetPercent: number;
}

export const objectiveTimeframe = "30d";

export function objectives(watched: Watched): readonly ObjectiveDefinition[] {
  const scope = scopeOf(watched);
  const count = (metric: string) => `sum:secured_web.http.${metric}{${scope}}.as_count()`;
  return [
    {
      name: "availability",
      title: "Requests without a 5xx response",
      good: `${count("requests")} - ${count("errors")}`,
      all: count("requests"),
      targetPercent: Number(watched.slo.availabilityPercent),
    },
    {
      name: "latency",
      title: "Requests answered within 0.5 s",
      good: count("fast"),
      all: count("requests"),
      targetPercent: Number(watched.slo.latencyPercent),
    },
  ];
}

/**
 * Each rate has two windows. The long one prevents false alerts; the short one ends the alert soon after the problem is
 * fixed. A rate of 14.4 spends 2% of a month's budget in an hour, a rate of 6 spends 5% in six hours. Source: Google's
 * Site Reliability Workbook, chapter 5, table 5-8.
 */
const burns = [
  { speed: "fast", rate: 14.4, long: "1h", short: "5m", priority: 1 },
  { speed: "slow", rate: 6, long: "6h", short: "30m", priority: 2 },
] as const;

/**
 * The burn-rate alerts of an objective. A budget burns fastest when all requests fail, so the rates are capped at 90% of
 * that: otherwise the alert of a loose objective could never fire.
 */
export function burnAlerts(objective: ObjectiveDefinition, id: string): readonly MonitorDefinition[] {
  const fastest = 100 / (100 - objective.targetPercent);
  return burns.map(({ speed, rate: wanted, long, short, priority }) => {
    const rate = Math.min(wanted, Math.floor(fastest * 0.9 * 10) / 10);
    return {
      name: `${objective.name}-burns-${speed}`,
      title: `${objective.title}: the ${objectiveTimeframe} error budget burns ${rate} times too fast`,
      type: "slo alert",
      query: `burn_rate("${id}").over("${objectiveTimeframe}").long_window("${long}").short_window("${short}") > ${rate}`,
      critical: rate,
      priority,
    };
  });
}
