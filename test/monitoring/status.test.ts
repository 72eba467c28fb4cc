import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { metricsText, seriesText } from "../../sandbox/cli/metricsText";
import { type RunningDatadog, startDatadog } from "../../sandbox/datadog/server";
import { receivedMetrics, receivedSeries } from "../../sandbox/index";
import { cloudDatadog } from "../../scripts/status/cloudDatadog";
import { readStatus, type Sources } from "../../scripts/status/read";
import { statusText } from "../../scripts/status/text";

const keys = { apiKey: "a".repeat(32), appKey: "b".repeat(40) };

describe("monitoring: npm run status", () => {
  let datadog: RunningDatadog;
  let account: Server;
  let sources: Sources;
  before(async () => {
    datadog = await startDatadog({
      port: 0,
      apiKeys: () => [keys.apiKey],
      appKey: keys.appKey,
      bucketSeconds: 1,
    });
    account = createServer((request, response) => {
      const path = (request.url ?? "").split("?")[0] ?? "";
      const answers: Record<string, unknown> = {
        "/v2/droplets": {
          droplets: [
            { id: 7, name: "dev-node-1", status: "active" },
            { name: "dev-node-2", status: "off" },
          ],
        },
        "/v2/load_balancers": {
          load_balancers: [
            { id: "l", name: "secured-web-dev", ip: "203.0.113.2", status: "active" },
            { id: "m", name: "another", ip: "203.0.113.3", status: "active" },
          ],
        },
        "/v2/monitoring/metrics/load_balancer/droplets_health_checks": {
          data: {
            result: [
              {
                metric: { lb_id: "l", server: "dev-node-2" },
                values: [
                  [1, "100"],
                  [2, "0"],
                ],
              },
              { metric: { lb_id: "l", server: "dev-node-1" }, values: [[2, "100"]] },
            ],
          },
        },
        "/sandbox/alerts": {
          alerts: [
            { description: "secured-web-dev down", entity: "check:c", since: 2, value: 0 },
            { description: "CPU (docs/runbooks/host-cpu.md)", entity: "droplet:7", since: 1, value: 99 },
            { description: "somebody's own", entity: "droplet:8", since: 1, value: 1 },
          ],
        },
        "/v2/uptime/checks": { checks: [{ id: "c", name: "secured-web-dev" }] },
        "/v2/uptime/checks/c/state": { state: { regions: { us_east: { status: "DOWN" } } } },
      };
      response.end(JSON.stringify(answers[path] ?? {}));
    });
    await new Promise<void>((resolve) => account.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(account.address() as AddressInfo).port}`;
    sources = { stack: "dev", api: { url, token: "t" }, datadog: { url: datadog.url, ...keys } };
    const now = Math.floor(Date.now() / 1000);
    for (const [host, value] of [
      ["dev-node-1", 20],
      ["dev-node-2", 10],
    ] as const) {
      datadog.store.add({
        metric: "nginx.net.request_per_s",
        type: "gauge",
        interval: 0,
        host,
        tags: ["stack:dev"],
        points: [now - 5, now - 4].map((time) => ({ time, value })),
      });
    }
    datadog.account.putMonitor(undefined, {
      name: "m",
      type: "query alert",
      query: "max(last_5m):sum:nginx.net.request_per_s{stack:dev} by {host} > 15",
      message: "",
      tags: ["stack:dev", "service:secured-web", "runbook:web-qps-surge"],
    });
    datadog.evaluator.evaluate(datadog.account.monitors, [], now);
  });
  after(async () => {
    account.close();
    await datadog.close();
  });

  it("reads hosts, uptime, figures of each host and in sum, and alerts with their groups", async () => {
    const status = await readStatus(sources);
    assert.deepEqual(status.problems, []);
    assert.deepEqual(
      status.loadBalancers.map(({ name }) => name),
      ["secured-web-dev"],
    );
    assert.deepEqual(status.backends, [
      { loadBalancer: "secured-web-dev", droplet: "dev-node-1", isHealthy: true },
      { loadBalancer: "secured-web-dev", droplet: "dev-node-2", isHealthy: false },
    ]);
    assert.deepEqual(
      status.uptime.map(({ name, regions }) => ({ name, regions })),
      [{ name: "secured-web-dev", regions: { us_east: "DOWN" } }],
    );
    const web = status.figures?.find(({ name }) => name === "Web QPS");
    assert.equal(web?.value, 30);
    assert.deepEqual(web?.hosts, [
      { host: "dev-node-1", value: 20 },
      { host: "dev-node-2", value: 10 },
    ]);
    assert.deepEqual(status.alerts, [{ name: "web-qps-surge", state: "Alert", groups: ["host:dev-node-1"] }]);
  });

  it("shows it on one screen, in plain text", async () => {
    const text = statusText(await readStatus(sources), { width: 100, colors: false });
    for (const line of text.split("\n")) assert.ok(line.length <= 100);
    assert.match(text, /Web QPS +30\/s +dev-node-1 20 {2}dev-node-2 10/);
    assert.match(text, /dev-node-2 off/);
    assert.match(text, /secured-web-dev {2}dev-node-1 healthy {2}dev-node-2 unhealthy/);
    assert.match(text, /Datadog's monitors: 0 OK, 1 Alert/);
    assert.match(text, /Alert +web-qps-surge {2}host:dev-node-1/);
    assert.ok(!text.includes("\u001b"));
  });

  it("names what is triggered by its runbook, where the sandbox tells it", async () => {
    assert.equal((await readStatus(sources)).triggered, undefined);
    const { triggered, problems } = await readStatus({ ...sources, isSandbox: true });
    assert.deepEqual(problems, []);
    assert.deepEqual(
      triggered?.map(({ name, on }) => [name, on]),
      [
        ["host-cpu", "dev-node-1"],
        ["site-down", "secured-web-dev"],
        ["somebody's own", "droplet:8"],
      ],
    );
  });

  it("tells what it cannot have, and shows the rest", async () => {
    const wrong = { ...sources, datadog: { url: datadog.url, ...keys, appKey: "wrong" } };
    const status = await readStatus(wrong);
    assert.equal(status.droplets.length, 2);
    assert.match(
      status.problems.join(),
      /Datadog's metrics: GET \/api\/v1\/query: expected status 200, got 403/,
    );
    const without = await readStatus({ ...sources, datadog: undefined });
    assert.deepEqual([without.figures, without.alerts, without.problems], [undefined, undefined, []]);
  });

  it("takes the keys of a real account from Datadog's own variables", () => {
    assert.equal(cloudDatadog({}), undefined);
    assert.deepEqual(cloudDatadog({ DD_API_KEY: "a", DD_APP_KEY: "b", DD_SITE: "datadoghq.eu" }), {
      url: "https://api.datadoghq.eu",
      apiKey: "a",
      appKey: "b",
    });
  });

  it("npm run sandbox -- metrics: all names, one with its series, and a name that nothing sends", async () => {
    const access = { url: datadog.url, ...keys };
    const name = "nginx.net.request_per_s";
    const all = await receivedMetrics(access);
    assert.deepEqual(all, [{ name, series: 2, points: 4 }]);
    assert.match(metricsText(all), /^1 metrics\n {2}NAME .*\n {2}nginx\.net\.request_per_s +2 +4$/);
    const series = await receivedSeries(access, name);
    assert.match(seriesText(name, series), /^ {2}20 .* gauge +host:dev-node-1 stack:dev$/m);
    assert.deepEqual(await receivedSeries(access, "nobody.sends.this"), []);
    await assert.rejects(receivedMetrics({ ...access, appKey: "wrong" }), /expected status 200, got 403/);
  });
});
