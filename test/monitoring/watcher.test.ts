import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Store } from "../../sandbox/api/core/store";
import type { DropletRecord } from "../../sandbox/api/resources/droplets/record";
import { dropletTable } from "../../sandbox/api/resources/droplets/record";
import type { LoadBalancerRecord } from "../../sandbox/api/resources/loadBalancerRecord";
import { loadBalancerTable } from "../../sandbox/api/resources/loadBalancerRecord";
import type { MonitoringAlert } from "../../sandbox/api/resources/monitoringAlerts";
import type { UptimeAlert } from "../../sandbox/api/resources/uptimeAlerts";
import type { UptimeCheck } from "../../sandbox/api/resources/uptimeChecks";
import { type Measures, type SiteAnswer, Watcher } from "../../sandbox/monitoring/watcher";

describe("monitoring: DigitalOcean's own alerts", () => {
  const folder = mkdtempSync(join(tmpdir(), "secured-web-watcher-"));
  let store: Store;
  let now: number;
  let site: SiteAnswer;
  let measures: Measures | undefined;
  let health: number;
  let watcher: Watcher;
  let turn = 0;

  const notifications = { email: [], slack: [] };
  const check: UptimeCheck = {
    id: "c",
    name: "site",
    type: "https",
    target: "https://www.foobar.test",
    regions: ["us_east"],
    enabled: true,
    created_at: "2026-01-01T00:00:00Z",
  };
  const uptimeAlert = (alert: Partial<UptimeAlert>): UptimeAlert => ({
    id: alert.type ?? "",
    check_id: "c",
    name: alert.type ?? "",
    type: "down",
    notifications,
    period: "2m",
    ...alert,
  });
  const monitorAlert = (alert: Partial<MonitoringAlert>): MonitoringAlert => ({
    uuid: alert.type ?? "",
    type: "v1/insights/droplet/disk_utilization_percent",
    description: alert.type ?? "",
    compare: "GreaterThan",
    value: 80,
    window: "5m",
    entities: [],
    tags: [],
    alerts: notifications,
    enabled: true,
    ...alert,
  });

  beforeEach(async () => {
    store = await Store.open(join(folder, String(turn++)));
    [now, health] = [1_700_000_000, 100];
    site = { isUp: true, latencyMs: 50, certificateDays: 80 };
    measures = { disk_utilization_percent: 10, cpu: 5 };
    watcher = new Watcher(
      store,
      {
        site: async () => site,
        droplet: async () => measures,
        balancer: async () => ({ droplet_health: health }),
      },
      { now: () => now },
    );
    await store.transaction(() => {
      store.table<UptimeCheck>("uptime_checks").put("c", check);
      for (const [id, tags] of [
        [1, ["Web"]],
        [2, []],
      ] as const) {
        dropletTable(store).put(id as never, { id, tags } as unknown as DropletRecord);
      }
      loadBalancerTable(store).put("b", { id: "b" } as unknown as LoadBalancerRecord);
    });
  });
  afterEach(() => store.close());
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function put<T extends { readonly id?: string; readonly uuid?: string }>(
    table: string,
    item: T,
  ): Promise<void> {
    await store.transaction(() => {
      store.table<T>(table).put(item.id ?? item.uuid ?? "", item);
    });
  }
  /** Looks every half minute. */
  async function pass(minutes: number): Promise<void> {
    for (let step = 0; step < minutes * 2; step++) {
      now += 30;
      await watcher.look();
    }
  }
  const firing = () => watcher.firing.map(({ entity }) => entity);

  it("a site that is down for the whole period alerts, and clears at the first good answer", async () => {
    await put("uptime_alerts", uptimeAlert({ type: "down", period: "2m" }));
    await pass(3);
    assert.deepEqual(firing(), []);
    assert.equal(watcher.uptimeState("c")?.status, "UP");
    site = { ...site, isUp: false };
    await pass(1);
    assert.deepEqual(firing(), [], "not yet two minutes");
    assert.equal(watcher.uptimeState("c")?.status, "DOWN");
    await pass(2);
    assert.deepEqual(firing(), ["check:c"]);
    site = { ...site, isUp: true };
    await pass(0.5);
    assert.deepEqual(firing(), []);
    assert.deepEqual(
      watcher.transitions.map(({ to }) => to),
      ["triggered", "resolved"],
    );
  });

  it("a site that is looked at less often than the period is long alerts at the second bad look", async () => {
    await put("uptime_alerts", uptimeAlert({ type: "down", period: "2m" }));
    const look = () => {
      now += 180;
      return watcher.look();
    };
    await look();
    site = { ...site, isUp: false };
    await look();
    assert.deepEqual(firing(), [], "one bad look is no two minutes");
    await look();
    assert.deepEqual(firing(), ["check:c"]);
  });

  it("a slow site and a certificate near its end alert", async () => {
    await put("uptime_alerts", uptimeAlert({ type: "latency", threshold: 1000, comparison: "greater_than" }));
    await put("uptime_alerts", uptimeAlert({ type: "ssl_expiry", threshold: 14, comparison: "less_than" }));
    await pass(3);
    assert.deepEqual(firing(), []);
    site = { isUp: true, latencyMs: 1500, certificateDays: 13.5 };
    await pass(3);
    assert.deepEqual(watcher.firing.map(({ description }) => description).sort(), ["latency", "ssl_expiry"]);
  });

  it("a droplet alerts by the mean of the window, and only those that the alert names", async () => {
    await put("monitoring_alerts", monitorAlert({ tags: ["web"] }));
    await pass(5);
    measures = { disk_utilization_percent: 95 };
    await pass(1);
    assert.deepEqual(firing(), [], "the mean of five minutes is still low");
    await pass(5);
    assert.deepEqual(firing(), ["droplet:1"], "by its tag, whatever its case");
    measures = { disk_utilization_percent: 10 };
    await pass(5);
    assert.deepEqual(firing(), []);
  });

  it("an alert on a load balancer's backends fires below its value", async () => {
    const type = "v1/insights/lbaas/droplet_health";
    await put("monitoring_alerts", monitorAlert({ type, compare: "LessThan", value: 100, entities: ["b"] }));
    await pass(5);
    assert.deepEqual(firing(), []);
    health = 66;
    await pass(1);
    assert.deepEqual(firing(), ["balancer:b"]);
  });

  it("backends of a new load balancer that come up raise no alert; those that never do, and a later fault, raise one", async () => {
    const type = "v1/insights/lbaas/droplet_health";
    await put("monitoring_alerts", monitorAlert({ type, compare: "LessThan", value: 100, entities: ["b"] }));
    health = 0;
    await pass(2);
    assert.deepEqual(firing(), [], "they have not had a window's time");
    health = 100;
    await pass(1);
    assert.deepEqual(firing(), [], "that they came up late is past");
    health = 66;
    await pass(1);
    assert.deepEqual(firing(), ["balancer:b"], "a fault");
    await store.transaction(() => {
      loadBalancerTable(store).put("never", { id: "never" } as unknown as LoadBalancerRecord);
    });
    await put(
      "monitoring_alerts",
      monitorAlert({ type, compare: "LessThan", value: 100, entities: ["never"] }),
    );
    await pass(4);
    assert.deepEqual(firing(), []);
    await pass(2);
    assert.deepEqual(firing(), ["balancer:never"]);
  });

  it("an alert that is deleted or disabled is resolved, and what is off has no figures", async () => {
    await put("monitoring_alerts", monitorAlert({ entities: ["1"] }));
    measures = { disk_utilization_percent: 95 };
    await pass(5);
    assert.deepEqual(firing(), ["droplet:1"]);
    await put("monitoring_alerts", monitorAlert({ entities: ["1"], enabled: false }));
    await pass(0.5);
    assert.deepEqual(firing(), []);
    await put("monitoring_alerts", monitorAlert({ entities: ["1"] }));
    measures = undefined;
    await pass(6);
    assert.deepEqual(firing(), []);
  });
});
