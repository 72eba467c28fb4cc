/** Monitoring in the sandbox with the real engine and droplets as records: what needs no host. One story, in this order. */

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { runningApi, sandboxDatadog, waitUntilGone } from "../../sandbox/index";
import { type AlertStatus, monitorsOf } from "../../scripts/status/alerts";
import { inOrder } from "../inOrder";
import { type Ended, Sandbox } from "./sandbox";

const agent = ["--config", "monitoring=datadog"];
/** What a user with a real account has set: none of it may be used. */
const user = {
  DATADOG_HOST: "http://127.0.0.1:1",
  DD_HOST: "http://127.0.0.1:1",
  DD_API_KEY: "a real API key",
  DD_APP_KEY: "a real application key",
};

describe("npm start with monitoring=datadog", function () {
  this.timeout(180_000);
  inOrder();
  let sandbox: Sandbox;
  let made: readonly AlertStatus[];
  before(async () => {
    sandbox = await Sandbox.make();
  });
  after(() => sandbox.remove());

  const datadog = () => sandboxDatadog(sandbox.home) ?? assert.fail("no stand-in of Datadog");
  const succeed = ({ exitCode, stdout, stderr }: Ended) => {
    assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
    return stdout;
  };
  const start = async () => succeed(await sandbox.run("start", agent, user));

  it("needs no account: keys are made up, monitors, objectives and dashboard are made at a stand-in", async () => {
    const stdout = await start();
    assert.match(stdout, /✔ Stack dev: .*Datadog's keys are generated/);
    assert.match(stdout, /created ServiceLevelObjective/);
    assert.match(stdout, /created DashboardJson/);
    assert.match(stdout, /✔ Metrics: none: droplets are only records/);
    made = await monitorsOf(datadog(), "dev");
    assert.ok(made.length >= 19, `${made.length} monitors`);
    const { exitCode, stderr } = await sandbox.run("sandbox", ["metrics"]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /No metrics were received[\s\S]*Droplets are only records/);
  });

  it("its keys are in no output, no log and no state, and in a file for their owner alone", async () => {
    const { apiKey, appKey } = datadog();
    const outputs = await sandbox.must("outputs", "dev", "--show-secrets");
    const texts = new Map(
      filesBelow(sandbox.home.dir).map((file) => [file, readFileSync(file, "utf8")] as const),
    );
    assert.ok([...texts.values()].some((text) => text.includes("secured-web:index:DatadogMonitors")));
    const mayHold = /\/datadog\/access\.json$/;
    // The account keeps each droplet's user data, as DigitalOcean does, and that holds the API key, compressed.
    const userData = [...texts.keys()].filter((file) => /\/api\/files\/user-data-\d+$/.test(file));
    assert.equal(userData.length, 3);
    for (const file of userData) assert.equal(statSync(file).mode & 0o077, 0, file);
    const holders = [...texts].filter(([, text]) => text.includes(apiKey) || text.includes(appKey));
    assert.equal(holders.length, 1);
    for (const [file] of holders) {
      assert.match(file, mayHold);
      assert.equal(statSync(file).mode & 0o077, 0, file);
    }
    for (const key of [apiKey, appKey]) assert.ok(!outputs.includes(key), "a key in the outputs");
  });

  it("changes nothing after kill -9 of the API: the monitors are there, at the same address", async () => {
    const { url } = datadog();
    const pid = runningApi(sandbox.home)?.pid ?? assert.fail("the API does not run");
    process.kill(pid, "SIGKILL");
    await waitUntilGone([pid], 5_000);
    const stdout = await start();
    assert.match(stdout, /✔ Update: \d+ unchanged\n/);
    assert.equal(datadog().url, url);
    assert.deepEqual(
      (await monitorsOf(datadog(), "dev")).map(({ name }) => name),
      made.map(({ name }) => name),
    );
  });

  it("without the agent the monitors go, and a key that is given stays unused", async () => {
    const given = "c".repeat(40);
    const kept = await sandbox.must("preview", "dev", ...agent, "--config", `datadog.appKey=${given}`);
    assert.match(kept, /✔ Preview with the policies: \d+ unchanged\n/);
    const wrong = await sandbox.run("preview", ["dev", ...agent, "--config", "datadog.appKey=hunter2"]);
    assert.equal(wrong.exitCode, 2, wrong.stdout);
    assert.match(wrong.stderr, /datadog\.appKey: expected a Datadog application key/);
    assert.ok(!wrong.stderr.includes("hunter2"));
    await sandbox.must("up", "dev");
    assert.deepEqual(await monitorsOf(datadog()), []);
  });

  it("replace of one host with the agent switched on changes this host, and the next update makes the monitors", async () => {
    const replaced = succeed(await sandbox.run("replace", ["dev", "node-3", ...agent], user));
    assert.match(replaced, /replaced Droplet main-node-3/);
    assert.deepEqual(await monitorsOf(datadog(), "dev"), []);
    succeed(await sandbox.run("up", ["dev", ...agent], user));
    assert.equal((await monitorsOf(datadog(), "dev")).length, made.length);
  });

  it("npm stop ends the stand-in and leaves nothing", async () => {
    const { url } = datadog();
    await sandbox.must("stop");
    await assert.rejects(fetch(url));
    assert.equal(existsSync(sandbox.home.dir), false);
  });
});

function filesBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).size < 8 * 1024 * 1024);
}
