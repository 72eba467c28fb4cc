import assert from "node:assert/strict";
import type { Stack } from "@pulumi/pulumi/automation";
import { DatadogMonitors } from "../../infra/components/datadogMonitors";
import { parseConfig } from "../../infra/config/parse";
import { type RunningDatadog, startDatadog } from "../../sandbox/datadog/server";
import { cliPath, Engine } from "../sandbox/plugins/engine";

const apiKey = "a".repeat(32);
const appKey = "b".repeat(40);

describe("monitoring: monitors by the real engine", function () {
  this.timeout(120_000);
  let engine: Engine;
  let datadog: RunningDatadog;
  let stack: Stack;
  let host: string | undefined;
  before(async function () {
    engine = await Engine.start(await cliPath(this));
    datadog = await startDatadog({ port: 0, apiKeys: () => [apiKey], appKey });
    host = process.env.DATADOG_HOST;
    process.env.DATADOG_HOST = datadog.url;
    stack = await engine.stack("monitors", {});
    stack.workspace.envVars = { ...stack.workspace.envVars, DATADOG_HOST: datadog.url };
  });
  after(async () => {
    if (host === undefined) delete process.env.DATADOG_HOST;
    else process.env.DATADOG_HOST = host;
    await datadog?.close();
    engine?.stop();
  });

  /** The program's own component, alone. */
  const program = (alerts: Record<string, number>) => async () => {
    const config = parseConfig({
      "secured-web:domain": "dev.foobar.com",
      "secured-web:alerts": JSON.stringify(alerts),
    });
    const watched = { stack: "dev", writers: 3, ...config };
    new DatadogMonitors("main", { watched, site: config.datadog.site, apiKey, appKey });
  };
  const disk = () => datadog.account.monitors.find(({ tags }) => tags.includes("runbook:disk"));

  it("makes them, changes one in place, finds nothing to do the second time, and removes them", async () => {
    stack.workspace.program = program({});
    await stack.up({ onOutput: () => {} });
    assert.ok(datadog.account.monitors.length >= 19, `${datadog.account.monitors.length} monitors`);
    assert.equal(datadog.account.objectives.length, 2);
    assert.equal(datadog.account.dashboards.length, 1);
    const burn = datadog.account.monitors.find(({ type }) => type === "slo alert");
    assert.ok(
      datadog.account.objectives.some(({ id }) => burn?.query.includes(id)),
      burn?.query,
    );

    const again = await stack.up({ onOutput: () => {} });
    assert.deepEqual(Object.keys(again.summary.resourceChanges ?? {}), ["same"]);

    const before = disk();
    stack.workspace.program = program({ diskPercent: 60 });
    await stack.up({ onOutput: () => {} });
    assert.equal(disk()?.id, before?.id);
    assert.match(disk()?.query ?? "", /> 0\.6$/);

    assert.ok(!engine.stateFile("monitors").includes(appKey), "the key is encrypted in the state");
    await stack.destroy({ onOutput: () => {} });
    assert.deepEqual([datadog.account.monitors, datadog.account.dashboards], [[], []]);
  });
});
