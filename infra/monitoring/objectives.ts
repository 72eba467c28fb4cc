/** Service-level objectives, and the alerts on how fast their error budget burns. Pure. */
import { type MonitorDefinition, scopeOf, type Watched } from "./definition";

/** A Datadog service-level objective by counts of good events and of all. */
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
      title: "Requests are answered without a 5xx",
      good: `${count("requests")} - ${count("errors")}`,
      all: count("requests"),
      targetPercent: Number(watched.config.slo.availabilityPercent),
    },
    {
      name: "latency",
      title: "Requests are answered within half a second",
      good: count("fast"),
      all: count("requests"),
      targetPercent: Number(watched.config.slo.latencyPercent),
    },
  ];
}

/**
 * Two windows a rate, so that an alert is sure (the long one) and ends soon after the fault (the short one). 14.4 spends
 * 2 percent of a month's budget in an hour, 6 spends 5 percent in six. Source: Google's Site Reliability Workbook,
 * chapter 5, table 5-8.
 */
const burns = [
  { speed: "fast", rate: 14.4, long: "1h", short: "5m", priority: 1 },
  { speed: "slow", rate: 6, long: "6h", short: "30m", priority: 2 },
] as const;

/** The burn-rate alerts of an objective that exists. A budget cannot burn faster than all requests failing. */
export function burnAlerts(objective: ObjectiveDefinition, id: string): readonly MonitorDefinition[] {
  const fastest = 100 / (100 - objective.targetPercent);
  return burns.map(({ speed, rate: wanted, long, short, priority }) => {
    const rate = Math.min(wanted, Math.floor(fastest * 0.9 * 10) / 10);
    return {
      name: `${objective.name}-burns-${speed}`,
      title: `${objective.title}: the budget of ${objectiveTimeframe} burns ${rate} times too fast`,
      type: "slo alert",
      query: `burn_rate("${id}").over("${objectiveTimeframe}").long_window("${long}").short_window("${short}") > ${rate}`,
      critical: rate,
      priority,
    };
  });
}
