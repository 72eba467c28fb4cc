import type { Store } from "./store";

/** What a check from outside has found; times in DigitalOcean's form. */
export interface UptimeState {
  readonly status: "UP" | "DOWN";
  readonly status_changed_at: string;
  /** Since the observer began to look. */
  readonly thirty_day_uptime_percentage: number;
  /** The last outage that is over. */
  readonly previous_outage:
    | { readonly started_at: string; readonly ended_at: string; readonly duration_seconds: number }
    | undefined;
}

/** A droplet behind a load balancer, as that sees it. */
export interface BackendState {
  readonly dropletId: number;
  readonly isHealthy: boolean;
  /** When it was looked at: whole seconds since the epoch. */
  readonly at: number;
}

/** An alert that has been triggered, on one thing. */
export interface TriggeredAlert {
  readonly alertId: string;
  readonly description: string;
  /** "droplet:1", "balancer:ID", "check:ID". */
  readonly entity: string;
  /** Seconds since the epoch. */
  readonly since: number;
  /** The number that the alert judges: percent, milliseconds, days; 0 for a site that is down. */
  readonly value: number;
}

/**
 * Looks at the account's things from outside, as DigitalOcean's monitoring does. The API works without one: then a
 * check stays CHECKING, and no alert is triggered.
 */
export interface Observer {
  /** Once, when the API has begun to answer. */
  start(store: Store): void;
  /** Undefined before the first look at a check, and for one that is not enabled. */
  uptime(checkId: string): UptimeState | undefined;
  alerts(): readonly TriggeredAlert[];
  /** None before the first look, and for a load balancer without droplets. */
  backends(loadBalancerId: string): readonly BackendState[];
  /** Comes back when the look that is under way has ended. */
  stop(): Promise<void>;
}
