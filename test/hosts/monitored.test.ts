/** Monitoring on real hosts, by the commands that a user types: one start for all of these tests. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { openInstance } from "../../sandbox/hosts/instance";
import {
  act,
  type MetricCount,
  receivedMetrics,
  receivedSeries,
  runningApi,
  sandboxDatadog,
  waitUntilGone,
} from "../../sandbox/index";
import { monitorsOf } from "../../scripts/status/alerts";
import { readStatus } from "../../scripts/status/read";
import { Sandbox } from "../e2e/sandbox";
import { inOrder } from "../inOrder";
import { longIt } from "../longTests";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { traces } from "./world/leftovers";

const hosts = ["dev-node-1", "dev-node-2", "dev-node-3"];
const START_WITHIN_MS = 15 * 60_000;

describe("npm start with hosts and monitoring=datadog", function () {
  this.timeout(START_WITHIN_MS);
  inOrder();
  let sandbox: Sandbox;
  let hasCollector: boolean;
  before(async function () {
    await skipWithoutHosts(this);
    sandbox = await Sandbox.make();
    const { exitCode, stdout, stderr } = await npm("start", "--config", "monitoring=datadog");
    assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
    hasCollector = /✔ Metrics: 3 of 3 hosts send metrics\n/.test(stdout);
    if (hasCollector) return;
    assert.match(stdout, /✔ Droplets: .*no collector: /, "no figures, and no reason for it");
    assert.match(stdout, /✔ Metrics: none: there is no collector/);
  });
  after(async () => {
    await sandbox?.remove();
  });

  const npm = (command: string, ...args: string[]) => sandbox.run(command, args, { SECURED_WEB_HOSTS: "on" });
  const datadog = () => sandboxDatadog(sandbox.home) ?? assert.fail("no stand-in of Datadog");
  async function shown(command: string, ...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await npm(command, ...args);
    assert.equal(exitCode, 0, `${command} ${args.join(" ")}: ${stderr}`);
    return stdout;
  }
  /** What the command reads, without a process for every look. */
  const status = () => readStatus({ stack: "dev", api: sandbox.api, datadog: datadog(), isSandbox: true });
  const siteIs = (state: "UP" | "DOWN") =>
    waitFor(
      `the check to be ${state}`,
      async () => {
        const regions = Object.values((await status()).uptime[0]?.regions ?? {});
        return regions.length === 2 && regions.every((one) => one === state);
      },
      { within: 120 },
    );
  const sending = async () => {
    const series = await receivedSeries(datadog(), "nginx.net.request_per_s");
    return series.map(({ tags, last }) => ({ host: tags.find((tag) => tag.startsWith("host:")), last }));
  };
  function needsCollector(context: Mocha.Context): void {
    if (hasCollector) return;
    console.log("      skipped: no collector on this machine (it is built with Go)");
    context.skip();
  }

  it("metrics lists what all three hosts send, and one metric's series with their tags", async function () {
    needsCollector(this);
    const wanted = ["datadog.agent.running", "nginx.net.request_per_s", "mysql.performance.questions"];
    const isWhole = (metrics: readonly MetricCount[]) =>
      wanted.every((name) => metrics.some((one) => one.name === name && one.series === hosts.length));
    // A rate needs two readings.
    await waitFor("figures of every kind", async () => isWhole(await receivedMetrics(datadog())));
    assert.ok(isWhole(JSON.parse(await shown("sandbox", "metrics", "--json"))));
    assert.deepEqual(
      (await sending()).map(({ host }) => host).sort(),
      hosts.map((name) => `host:${name}`),
    );
    const requests = await shown("sandbox", "metrics", "nginx.net.request_per_s");
    assert.match(requests, /^ {2}[\d.]+ +20\S+ +gauge .* host:dev-node-1 .*stack:dev/m);
  });

  it("status shows web and database QPS of each host, the members and the monitors' states", async function () {
    needsCollector(this);
    const figure = async (name: string) => (await status()).figures?.find((one) => one.name === name);
    for (const name of ["Web QPS", "Database QPS"]) {
      const seen = await waitFor(`${name} of three hosts`, async () => {
        const found = await figure(name);
        return found?.hosts.length === 3 && (found.value ?? 0) > 0 && found;
      });
      assert.deepEqual(
        seen.hosts.map(({ host }) => host),
        hosts,
      );
    }
    // The first figures are of the moments in which the group came together.
    await waitFor("three writers", async () => (await figure("Writers"))?.value === 3, { within: 120 });
    await waitFor("three members ONLINE", async () => (await figure("Members ONLINE"))?.value === 3, {
      within: 120,
    });
    assert.equal((await figure("Members ONLINE"))?.hosts.length, 3);
    const monitors = (await status()).alerts ?? [];
    assert.ok(monitors.length >= 19, `${monitors.length} monitors`);
    await waitFor("the monitors of members to be OK", async () =>
      ((await status()).alerts ?? []).some(
        ({ name, state }) => name === "member-not-online" && state === "OK",
      ),
    );
    await waitFor("healthy backends", async () => {
      const { backends } = await status();
      return backends.length === 3 && backends.every(({ isHealthy }) => isHealthy);
    });
    const { droplets, backends } = await status();
    for (const names of [droplets.map(({ name }) => name), backends.map(({ droplet }) => droplet)])
      assert.deepEqual(names, hosts);
    const text = await shown("status", "dev");
    assert.match(text, /^ {2}secured-web-dev {2}dev-node-1 healthy/m);
    assert.match(text, /Web QPS +[\d.]+\/s +dev-node-1 [\d.]+ {2}dev-node-2 [\d.]+ {2}dev-node-3 [\d.]+/);
  });

  it("the uptime check is DOWN while the site is off, and UP again after it, with the outage", async () => {
    await siteIs("UP");
    const onHosts = (verb: string) =>
      Promise.all(
        hosts.map(async (host) => {
          const { exitCode, stderr } = await npm("sandbox", "exec", host, "--", "systemctl", verb, "nginx");
          assert.equal(exitCode, 0, stderr);
        }),
      );
    await onHosts("stop");
    await siteIs("DOWN");
    assert.match(
      await shown("sandbox", "status"),
      /^ {2}secured-web-dev +https:\/\/www\.dev\.foobar\.com\S* +DOWN +20/m,
    );
    await onHosts("start");
    await siteIs("UP");
    const { checks } = await sandbox.get<{ checks: { id: string }[] }>("/v2/uptime/checks");
    const { state } = await sandbox.get<{ state: { previous_outage: { duration_seconds: number } } }>(
      `/v2/uptime/checks/${checks[0]?.id}/state`,
    );
    assert.ok(state.previous_outage.duration_seconds > 0);
  });

  it("after kill -9 of the API the monitors are there, and the hosts' figures arrive again", async function () {
    needsCollector(this);
    const names = async () => (await monitorsOf(datadog(), "dev")).map(({ name }) => name);
    const before = await names();
    const pid = runningApi(sandbox.home)?.pid ?? assert.fail("the API does not run");
    process.kill(pid, "SIGKILL");
    await waitUntilGone([pid], 5_000);
    const { exitCode, stdout, stderr } = await npm("start", "--config", "monitoring=datadog");
    assert.equal(exitCode, 0, stdout + stderr);
    assert.match(stdout, /✔ Update: \d+ unchanged\n/);
    assert.match(stdout, /✔ Metrics: 3 of 3 hosts send metrics\n/);
    assert.deepEqual(await names(), before);
  });

  longIt("a host that is made anew gets its collector again", async function () {
    needsCollector(this);
    const { droplets } = await sandbox.get<{
      droplets: { id: number; name: string; image: { id: number } }[];
    }>("/v2/droplets");
    const host = droplets.find(({ name }) => name === "dev-node-3") ?? assert.fail("no dev-node-3");
    const rebuild = { type: "rebuild", image: host.image.id };
    // It comes back when the new disk has booted.
    await act(sandbox.home, sandbox.api, host, rebuild);
    const booted = Date.now() / 1000;
    await waitFor(
      "figures of the new host",
      async () =>
        (await sending()).some((one) => one.host === "host:dev-node-3" && (one.last?.time ?? 0) > booted),
      { within: 180 },
    );
  });

  it("npm stop leaves nothing", async () => {
    const { id } = await openInstance(sandbox.home.hostsDir);
    if (hasCollector)
      assert.ok((await traces(id, sandbox.home.dir)).some((line) => line.includes("datadog-gateway")));
    const { exitCode, stdout, stderr } = await npm("stop");
    assert.equal(exitCode, 0, stdout + stderr);
    assert.deepEqual(await traces(id, sandbox.home.dir), []);
    assert.equal(existsSync(sandbox.home.dir), false);
  });
});
