import type { Store } from "./store";

/** The findings of a check from outside; times in DigitalOcean's format. */
export interface UptimeState {
  readonly status: "UP" | "DOWN";
  readonly status_changed_at: string;
  /** Since the observer started. */
  readonly thirty_day_uptime_percentage: number;
  /** The last outage that has ended. */
  readonly previous_outage:
    | { readonly started_at: string; readonly ended_at: string; readonly duration_seconds: number }
    | undefined;
}

/** A droplet behind a load balancer, as the load balancer sees it. */
export interface BackendState {
  readonly dropletId: number;
  readonly isHealthy: boolean;
  /** Time of the observation: whole seconds since the epoch. */
  readonly at: number;
}

/** A triggered alert on one resource. */
export interface TriggeredAlert {
  readonly alertId: string;
  readonly description: string;
  /** "droplet:1", "balancer:ID", "check:ID". */
  readonly entity: string;
  /** Seconds since the epoch. */
  readonly since: number;
  /** The value that the alert compares: percent, milliseconds, days; 0 for a site that is down. */
  readonly value: number;
}

/**
 * Observes the account's resources from outside, as DigitalOcean's monitoring does. The API also works without one; a
 * check then stays CHECKING, and no alert is triggered.
 */
export interface Observer {
  /** Called once, when the API has started to answer. */
  start(store: Store): void;
  /** Undefined before the first observation of a check, and for a disabled one. */
  uptime(checkId: string): UptimeState | undefined;
  alerts(): readonly TriggeredAlert[];
  /** None before the first observation, and for a load balancer without droplets. */
  backends(loadBalancerId: string): readonly BackendState[];
  /** Returns after the running observation has ended. */
  stop(): Promise<void>;
}
