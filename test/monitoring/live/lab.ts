import { parseConfig, type RawConfig } from "../../../infra/config/parse";
import type { MonitorDefinition, Watched } from "../../../infra/monitoring/definition";
import { monitors } from "../../../infra/monitoring/monitors";
import { burnAlerts, objectives } from "../../../infra/monitoring/objectives";
import type { MonitoringAlert } from "../../../sandbox/api/resources/monitoringAlerts";
import type { UptimeAlert } from "../../../sandbox/api/resources/uptimeAlerts";
import { Gateway, INTAKE_URL } from "../../../sandbox/datadog/collector/gateway";
import { installCollector } from "../../../sandbox/datadog/collector/host";
import { ensureTelegraf } from "../../../sandbox/datadog/collector/telegraf";
import { Evaluator } from "../../../sandbox/datadog/monitors";
import { type RunningDatadog, startDatadog } from "../../../sandbox/datadog/server";
import { HostProbes } from "../../../sandbox/monitoring/hostProbes";
import { Watcher } from "../../../sandbox/monitoring/watcher";
import { backupAges, sendBackupAges } from "../../../scripts/status/backups";
import type { World } from "../../hosts/world/world";
import type { WorldHost } from "../../hosts/world/worldHost";
import { waitFor } from "../../waitFor";
import { type Background, during } from "./during";

export const intervalSeconds = 2;
/** Two of the collectors' intervals. */
export const bucketSeconds = 4;
/** Windows pass 60 times faster: five minutes are five seconds. */
const timeScale = 60;
/** What is compared with the hour before: that hour is as long as a test's load. */
const changeTimeScale = 180;
/** Windows of hours: six of them are eighteen seconds. */
const hoursTimeScale = 1200;
const evaluateMs = 500;
const lookMs = 1000;

/** Settings of the stack's alerts that let a fault of a test be enough, and this machine's own rest be too little. */
const alertSettings = {
  cpuPercent: 25,
  diskPercent: 95,
  loadBalancerPercent: 10,
  qpsDropPercent: 30,
  qpsSurgePercent: 150,
  replicationQueue: 20,
  conflicts: 3,
  connectionsPercent: 50,
  backupAgeHours: 26,
};
export const worldConfig = {
  monitoring: "datadog",
  "database.maxConnections": "80",
  "alerts.cpuPercent": String(alertSettings.cpuPercent),
  "alerts.diskPercent": String(alertSettings.diskPercent),
  "alerts.loadBalancerPercent": String(alertSettings.loadBalancerPercent),
  "alerts.memoryPercent": "70",
};

/** What the monitors are made for: the dev stack. */
export const watched: Watched = { stack: "dev", ...parseConfig(rawConfig()), writers: 3 };

function rawConfig(): RawConfig {
  return {
    "secured-web:domain": "dev.foobar.com",
    "secured-web:alerts": JSON.stringify(alertSettings),
    "secured-web:backups": JSON.stringify({ enabled: true }),
  };
}

export type AlertState = "well" | "unwell" | "unknown";

/** An alert of Datadog's kind or DigitalOcean's, as it is judged here. */
export interface Alert {
  readonly name: string;
  /** How much faster than life its windows pass. */
  readonly timeScale: number;
  /** What it says of a host; without one, of anything. */
  state(about?: WorldHost): AlertState;
  /** The first time after another (seconds since the epoch) that it began to fire, or was well again; of Datadog's. */
  next?(to: "Alert" | "OK", after: number): number | undefined;
  /** Everything that it has to say, for a test that fails. */
  describe(): string;
}

/** A world of hosts with collectors, the stand-in of Datadog, and DigitalOcean's own alerts judged beside it. */
export class Lab {
  readonly alerts: readonly Alert[];
  readonly #looks: Background[] = [];
  readonly #evaluators = new Map<number, Evaluator>();
  readonly #timers: NodeJS.Timeout[] = [];

  private constructor(
    readonly world: World,
    readonly datadog: RunningDatadog,
    private readonly gateway: Gateway,
    private readonly collector: { readonly telegraf: string; readonly interval: number },
    readonly watcher: Watcher,
  ) {
    this.alerts = [...this.#putMonitors(), ...this.#ownAlerts()];
    this.watch();
  }

  /** Undefined, with the reason printed, where no collector can be had. Close it before the world ends. */
  static async open(world: World, interval = intervalSeconds): Promise<Lab | undefined> {
    const telegraf = await ensureTelegraf((line) => console.log(`      ${line}`));
    if (telegraf === undefined) return undefined;
    const datadog = await startDatadog({ port: 0, bucketSeconds });
    const gateway = new Gateway(world.instance);
    const probes = new HostProbes(world.provider, { timeScale });
    const watcher = new Watcher(world.account.store, probes, { timeScale });
    try {
      await gateway.open(datadog.port);
      const lab = new Lab(world, datadog, gateway, { telegraf, interval }, watcher);
      await Promise.all(world.hosts.map((host) => lab.collect(host)));
      return lab;
    } catch (error) {
      await gateway.close();
      await datadog.close();
      throw error;
    }
  }

  /** Puts the collector on a host, from the agent's files as they are there now. */
  collect(host: WorldHost): Promise<void> {
    const { telegraf, interval } = this.collector;
    return installCollector(host.machine, telegraf, { intakeUrl: INTAKE_URL, intervalSeconds: interval });
  }

  alert(name: string): Alert {
    const found = this.alerts.find((alert) => alert.name === name);
    if (!found) throw new Error(`no alert ${name}`);
    return found;
  }

  /** What an operator's timer does, at a time that may be another than now. */
  async sendBackupAges(now: Date): Promise<void> {
    const { account } = this.world;
    const access = { url: this.datadog.url, apiKey: "any" };
    await sendBackupAges(access, watched.stack, await backupAges(account.api, watched.stack, now));
  }

  /** DigitalOcean's checks from outside ask the site: that is load too. */
  watch(): void {
    this.#looks.push(during(() => this.watcher.look(), lookMs));
  }

  async stopWatching(): Promise<void> {
    await Promise.all(this.#looks.splice(0).map((look) => look.stop()));
  }

  /** Waits until the newest figure of a metric of every host is younger than a time (seconds since the epoch). */
  async figuresSince(metric: string, time: number): Promise<void> {
    const newest = () => this.datadog.store.of(metric).map(({ points }) => points.at(-1)?.time ?? 0);
    await waitFor(
      `${metric} of every host`,
      async () => newest().filter((last) => last > time).length >= this.world.hosts.length,
      { within: 90, explain: async () => newest().join(", ") },
    );
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await this.stopWatching().catch(() => {});
    await this.gateway.close();
    await this.datadog.close();
  }

  /** Datadog's: an evaluator for each pace, all over the same figures. */
  #putMonitors(): Alert[] {
    const { account, store } = this.datadog;
    const check = ({ name, title, type, query, critical, noDataMinutes }: MonitorDefinition) =>
      account.checkMonitor({
        name,
        type,
        query,
        message: title,
        options: {
          thresholds: { critical },
          notify_no_data: noDataMinutes !== undefined,
          ...(noDataMinutes === undefined ? {} : { no_data_timeframe: noDataMinutes }),
        },
      });
    const all = [
      ...monitors(watched),
      ...objectives(watched).flatMap((objective) => {
        const { id } = account.putObjective(undefined, {
          name: objective.name,
          type: "metric",
          query: { numerator: objective.good, denominator: objective.all },
          thresholds: [{ timeframe: "30d", target: objective.targetPercent }],
        });
        return burnAlerts(objective, id);
      }),
    ];
    const alerts = all.map((definition, id) => {
      const scale = scaleOf(definition);
      const evaluator =
        this.#evaluators.get(scale) ?? new Evaluator(store, { timeScale: scale, bucket: bucketSeconds });
      this.#evaluators.set(scale, evaluator);
      const monitor = { ...check(definition), id };
      return { scale, monitor, alert: new DatadogAlert(definition.name, scale, evaluator, id) };
    });
    for (const [scale, evaluator] of this.#evaluators) {
      const own = alerts.filter((one) => one.scale === scale).map(({ monitor }) => monitor);
      const evaluate = () => evaluator.evaluate(own, account.objectives, Date.now() / 1000);
      this.#timers.push(setInterval(evaluate, evaluateMs).unref());
    }
    return alerts.map(({ alert }) => alert);
  }

  /** DigitalOcean's, as the account has them. */
  #ownAlerts(): Alert[] {
    const { store } = this.world.account;
    const ofResources = store.table<MonitoringAlert>("monitoring_alerts").values();
    const ofSites = store.table<UptimeAlert>("uptime_alerts").values();
    return [
      ...ofResources.map(({ uuid, description }) => {
        const name = /docs\/runbooks\/([\w-]+)\.md/.exec(description)?.[1] ?? description;
        return new OwnAlert(name, timeScale, this.watcher, uuid);
      }),
      ...ofSites.map(
        ({ id, name }) => new OwnAlert(`site-${name.split(" ").at(-1)}`, timeScale, this.watcher, id),
      ),
    ];
  }
}

function scaleOf({ type, query }: MonitorDefinition): number {
  if (type === "slo alert" || /^\w+\(last_\d+[hd]\):/.test(query)) return hoursTimeScale;
  return query.startsWith("pct_change(") ? changeTimeScale : timeScale;
}

class DatadogAlert implements Alert {
  constructor(
    readonly name: string,
    readonly timeScale: number,
    private readonly evaluator: Evaluator,
    private readonly id: number,
  ) {}

  state(about?: WorldHost): AlertState {
    const wanted = about && `host:${about.identity.dropletName}`;
    const groups = [...this.evaluator.states(this.id)].filter(
      ([group]) => wanted === undefined || group.split(",").includes(wanted),
    );
    if (groups.length === 0) return "unknown";
    return groups.some(([, { state }]) => state === "Alert" || state === "No Data") ? "unwell" : "well";
  }

  next(to: "Alert" | "OK", after: number): number | undefined {
    return this.evaluator.transitions.find(
      (one) => one.monitorId === this.id && one.to === to && one.at > after,
    )?.at;
  }

  describe(): string {
    const groups = [...this.evaluator.states(this.id)].map(
      ([group, { state, value }]) => `${group === "" ? "*" : group} ${state} (${value})`,
    );
    return `${this.name}: ${groups.join(", ") || "no figures"}`;
  }
}

class OwnAlert implements Alert {
  constructor(
    readonly name: string,
    readonly timeScale: number,
    private readonly watcher: Watcher,
    private readonly id: string,
  ) {}

  state(about?: WorldHost): AlertState {
    const wanted = about && `droplet:${about.identity.dropletId}`;
    const isFiring = this.#firing().some(({ entity }) => wanted === undefined || entity === wanted);
    return isFiring ? "unwell" : "well";
  }

  describe(): string {
    const firing = this.#firing().map(({ entity, value }) => `${entity} fires (${value})`);
    return `${this.name}: ${firing.join(", ") || "does not fire"}`;
  }

  #firing() {
    return this.watcher.firing.filter(({ alertId }) => alertId === this.id);
  }
}
