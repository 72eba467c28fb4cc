/**
 * Evaluates DigitalOcean's uptime checks and monitoring alerts over the results of probes. It sends no notifications;
 * callers read `firing`, `transitions` and `uptimeState`.
 */
import { timestamp } from "../api/core/clock";
import type { TriggeredAlert, UptimeState } from "../api/core/observer";
import { findSize } from "../api/core/sizes";
import type { Store } from "../api/core/store";
import { dropletTable } from "../api/resources/droplets/record";
import { loadBalancerTable } from "../api/resources/loadBalancerRecord";
import type { MonitoringAlert } from "../api/resources/monitoringAlerts";
import type { UptimeAlert } from "../api/resources/uptimeAlerts";
import { type UptimeCheck, uptimeCheckTable } from "../api/resources/uptimeChecks";

/** The result of a check from outside. */
export interface SiteAnswer {
  readonly isUp: boolean;
  readonly latencyMs: number;
  /** Days until the certificate expires; undefined if the server sent none. */
  readonly certificateDays: number | undefined;
}

/** By the last part of an alert's type, in its unit: "cpu" in percent, "load_5". */
export type Measures = Readonly<Record<string, number | undefined>>;

/** A droplet as a probe needs it. */
export interface WatchedDroplet {
  readonly id: number;
  /** Memory of its size; undefined for an unknown size. */
  readonly memoryMib: number | undefined;
}

/** Measures the resources. A droplet that is off, and a value that cannot be measured, is undefined. */
export interface Probes {
  site(check: UptimeCheck): Promise<SiteAnswer>;
  droplet(droplet: WatchedDroplet): Promise<Measures | undefined>;
  balancer(id: string): Promise<Measures | undefined>;
}

export interface WatcherOptions {
  /** Speed-up of windows and periods; default 1. */
  readonly timeScale?: number;
  /** Seconds since the epoch. */
  readonly now?: () => number;
}

export interface AlertTransition {
  readonly description: string;
  readonly entity: string;
  readonly to: "triggered" | "resolved";
  readonly at: number;
}

/** The stored state of a check: seconds since the epoch, and its outage. */
interface Uptime {
  readonly isUp: boolean;
  readonly since: number;
  readonly first: number;
  readonly last: number;
  readonly downSeconds: number;
  readonly outage?: { readonly from: number; readonly to: number };
}

interface Sample {
  readonly at: number;
  readonly value: number;
}

const unitSeconds: Readonly<Record<string, number>> = { m: 60, h: 3600 };
const keptTransitions = 1000;

export class Watcher {
  readonly #samples = new Map<string, Sample[]>();
  /** Time since which an uptime alert's condition has held without interruption. */
  readonly #badSince = new Map<string, number>();
  readonly #firing = new Map<string, TriggeredAlert>();
  readonly #uptime = new Map<string, Uptime>();
  /** Load balancers of which all backends were healthy at some time, and when each was seen first. */
  readonly #wasWhole = new Set<string>();
  readonly #firstSeen = new Map<string, number>();
  readonly transitions: AlertTransition[] = [];

  constructor(
    private readonly store: Store,
    private readonly probes: Probes,
    private readonly options: WatcherOptions = {},
  ) {}

  get firing(): readonly TriggeredAlert[] {
    return [...this.#firing.values()];
  }

  /** The state in the API's words (`/state`); undefined before the first check. */
  uptimeState(checkId: string): UptimeState | undefined {
    const found = this.#uptime.get(checkId);
    if (found === undefined) return undefined;
    const { isUp, since, first, last, downSeconds, outage } = found;
    return {
      status: isUp ? "UP" : "DOWN",
      status_changed_at: time(since),
      thirty_day_uptime_percentage: last > first ? 100 * (1 - downSeconds / (last - first)) : isUp ? 100 : 0,
      previous_outage: outage && {
        started_at: time(outage.from),
        ended_at: time(outage.to),
        duration_seconds: Math.round(outage.to - outage.from),
      },
    };
  }

  /** Probes all targets once, and evaluates every alert. */
  async look(): Promise<void> {
    const now = this.options.now?.() ?? Date.now() / 1000;
    const seen = new Set<string>();
    await Promise.all([this.#lookAtSites(now, seen), this.#lookAtResources(now, seen)]);
    // An alert that was deleted or disabled, or whose droplet is deleted, no longer counts.
    for (const [key, { description, entity }] of this.#firing) {
      if (!seen.has(key)) this.#resolve(key, description, entity, now);
    }
  }

  async #lookAtSites(now: number, seen: Set<string>): Promise<void> {
    const alerts = this.store.table<UptimeAlert>("uptime_alerts").values();
    const checks = uptimeCheckTable(this.store)
      .values()
      .filter(({ enabled }) => enabled);
    await Promise.all(
      checks.map(async (check) => {
        const answer = await this.probes.site(check);
        this.#uptime.set(check.id, uptimeAfter(this.#uptime.get(check.id), answer.isUp, now));
        for (const alert of alerts.filter(({ check_id }) => check_id === check.id)) {
          const value = uptimeValue(alert, answer);
          if (value !== undefined) this.#judgeUptime(alert, `check:${check.id}`, value, now, seen);
        }
      }),
    );
  }

  /** The condition must hold for the whole period, minus the tolerance for an early check. */
  #judgeUptime(alert: UptimeAlert, entity: string, value: number, now: number, seen: Set<string>): void {
    const key = `${alert.id} ${entity}`;
    if (!isBad(alert, value)) this.#badSince.delete(key);
    else if (!this.#badSince.has(key)) this.#badSince.set(key, now);
    const since = this.#badSince.get(key);
    // A certificate's remaining days do not fluctuate, so one check is enough.
    const length = alert.type === "ssl_expiry" ? 0 : this.#seconds(alert.period);
    const fires = since !== undefined && now - since >= length * 0.8;
    this.#set(key, alert.id, alert.name, entity, fires, value, now, seen);
  }

  async #lookAtResources(now: number, seen: Set<string>): Promise<void> {
    const alerts = this.store
      .table<MonitoringAlert>("monitoring_alerts")
      .values()
      .filter(({ enabled }) => enabled);
    const measured = new Map<string, Promise<Measures | undefined>>();
    const once = (entity: string, measure: () => Promise<Measures | undefined>) => {
      const known = measured.get(entity) ?? measure();
      measured.set(entity, known);
      return known;
    };
    await Promise.all(
      alerts.flatMap((alert) =>
        this.#entities(alert).map(async ({ entity, measure }) => {
          const value = (await once(entity, measure))?.[alert.type.split("/").at(-1) ?? ""];
          if (value !== undefined && !this.#comesUp(alert, entity, value, now))
            this.#judgeResource(alert, entity, value, now, seen);
        }),
      ),
    );
  }

  /**
   * Backends of a new load balancer are unhealthy until their hosts serve, which is not an error. Their health counts
   * from the time at which all were healthy, or after a whole window.
   */
  #comesUp(alert: MonitoringAlert, entity: string, value: number, now: number): boolean {
    if (!alert.type.endsWith("/droplet_health")) return false;
    if (value >= 100) this.#wasWhole.add(entity);
    const first = this.#firstSeen.get(entity) ?? now;
    this.#firstSeen.set(entity, first);
    return !this.#wasWhole.has(entity) && now - first < this.#seconds(alert.window);
  }

  /** True if the mean over the window passes the value. */
  #judgeResource(
    alert: MonitoringAlert,
    entity: string,
    value: number,
    now: number,
    seen: Set<string>,
  ): void {
    const key = `${alert.uuid} ${entity}`;
    const samples = this.#sample(key, value, now, this.#seconds(alert.window));
    const mean = samples.reduce((sum, one) => sum + one.value, 0) / samples.length;
    const fires = alert.compare === "GreaterThan" ? mean > alert.value : mean < alert.value;
    this.#set(key, alert.uuid, alert.description, entity, fires, mean, now, seen);
  }

  /** The resources of an alert: those that it lists, those with its tags, or all if it lists none. */
  #entities(alert: MonitoringAlert): { entity: string; measure: () => Promise<Measures | undefined> }[] {
    const wanted = new Set(alert.entities);
    if (alert.type.startsWith("v1/insights/lbaas/")) {
      return loadBalancerTable(this.store)
        .values()
        .filter(({ id }) => wanted.size === 0 || wanted.has(id))
        .map(({ id }) => ({ entity: `balancer:${id}`, measure: () => this.probes.balancer(id) }));
    }
    if (!alert.type.startsWith("v1/insights/droplet/")) return [];
    const tags = new Set(alert.tags.map((tag) => tag.toLowerCase()));
    return dropletTable(this.store)
      .values()
      .filter(
        ({ id, tags: own }) =>
          (wanted.size === 0 && tags.size === 0) ||
          wanted.has(String(id)) ||
          own.some((tag) => tags.has(tag.toLowerCase())),
      )
      .map(({ id, size }) => ({
        entity: `droplet:${id}`,
        measure: () => this.probes.droplet({ id, memoryMib: findSize(size)?.memory }),
      }));
  }

  #sample(key: string, value: number, now: number, length: number): readonly Sample[] {
    const samples = [...(this.#samples.get(key) ?? []), { at: now, value }].filter(
      ({ at }) => at >= now - length,
    );
    this.#samples.set(key, samples);
    return samples;
  }

  #set(
    key: string,
    alertId: string,
    description: string,
    entity: string,
    fires: boolean,
    value: number,
    now: number,
    seen: Set<string>,
  ): void {
    seen.add(key);
    const before = this.#firing.get(key);
    if (!fires) {
      if (before) this.#resolve(key, description, entity, now);
      return;
    }
    this.#firing.set(key, { alertId, description, entity, since: before?.since ?? now, value });
    if (!before) this.#tell({ description, entity, to: "triggered", at: now });
  }

  #resolve(key: string, description: string, entity: string, now: number): void {
    this.#firing.delete(key);
    this.#tell({ description, entity, to: "resolved", at: now });
  }

  #tell(transition: AlertTransition): void {
    this.transitions.push(transition);
    if (this.transitions.length > keptTransitions) this.transitions.shift();
  }

  #seconds(window: string): number {
    const [, amount = "5", unit = "m"] = /^(\d+)([mh])$/.exec(window) ?? [];
    return (Number(amount) * (unitSeconds[unit] ?? 60)) / (this.options.timeScale ?? 1);
  }
}

function uptimeAfter(before: Uptime | undefined, isUp: boolean, now: number): Uptime {
  if (before === undefined) return { isUp, since: now, first: now, last: now, downSeconds: 0 };
  const downSeconds = before.downSeconds + (before.isUp ? 0 : now - before.last);
  const outage = isUp && !before.isUp ? { from: before.since, to: now } : before.outage;
  return {
    isUp,
    since: before.isUp === isUp ? before.since : now,
    first: before.first,
    last: now,
    downSeconds,
    ...(outage ? { outage } : {}),
  };
}

const time = (seconds: number): string => timestamp(new Date(seconds * 1000));

/** The value that an uptime alert compares: 1 or 0, milliseconds, days. */
function uptimeValue({ type }: UptimeAlert, answer: SiteAnswer): number | undefined {
  if (type === "down" || type === "down_global") return answer.isUp ? 1 : 0;
  // A site that is down has no latency; another alert covers that.
  if (type === "latency") return answer.isUp ? answer.latencyMs : undefined;
  return answer.certificateDays;
}

function isBad(alert: UptimeAlert, value: number): boolean {
  if (alert.type === "down" || alert.type === "down_global") return value < 1;
  const limit = alert.threshold ?? 0;
  return alert.comparison === "less_than" ? value < limit : value > limit;
}
