/** Updates that are cut short at any point: the same command, given again, ends as one clean run would have. */

import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { runningApi, waitUntilGone } from "../../sandbox/index";
import { longIt } from "../longTests";
import { Sandbox, waitForLine } from "./sandbox";

const WHOLE = {
  droplets: 3,
  load_balancers: 1,
  firewalls: 2,
  domains: 1,
  certificates: 1,
  "uptime/checks": 1,
};

/** A preview changes nothing that could be cut short. */
const UPDATE = ["dev", "--skip-preview"];

describe("an update that is cut short", function () {
  this.timeout(300_000);
  let sandbox: Sandbox;
  beforeEach(async () => {
    sandbox = await Sandbox.make();
  });
  afterEach(() => sandbox.remove());

  async function assertWhole(): Promise<void> {
    const census = await sandbox.census();
    const found = Object.fromEntries(Object.keys(WHOLE).map((kind) => [kind, census[kind]]));
    assert.deepEqual(found, WHOLE);
    assert.match(await sandbox.must("refresh", "dev", "--preview-only"), /No drift\./);
    // The engine writes no file of its state in place, which a kill would leave half written.
    const files = readdirSync(sandbox.home.stateDir, { recursive: true, encoding: "utf8" });
    assert.ok(files.some((file) => file.endsWith("/dev.json")));
    assert.deepEqual(
      files.filter((file) => file.endsWith(".attrs")),
      [],
    );
  }

  it("by kill -9 of the command and its engine: a repeat leaves nothing twice", async () => {
    const running = sandbox.start("up", UPDATE);
    await waitForLine(running, /created Vpc main-vpc/);
    running.child.kill("SIGKILL");
    await running.ended;
    assert.match(await sandbox.must("up", ...UPDATE), /✔ Update: /);
    await assertWhole();
  });

  longIt("by kill -9 in the moment when droplets are being made", async () => {
    const running = sandbox.start("up", UPDATE);
    await waitForLine(running, /created LoadBalancer main-load-balancer/);
    await waitForLine(running, /created Droplet/);
    running.child.kill("SIGKILL");
    await running.ended;
    assert.match(await sandbox.must("up", ...UPDATE), /✔ Update: /);
    await assertWhole();
  });

  it("by Ctrl-C: it ends by itself with 130 and no process of the engine; a repeat goes on", async () => {
    const running = sandbox.start("up", UPDATE);
    await waitForLine(running, /created Domain main-domain/);
    running.child.kill("SIGINT");
    const { exitCode, stderr } = await running.ended;
    assert.equal(exitCode, 130, stderr);
    assert.deepEqual(await waitUntilGone(sandbox.engineProcesses(), 10_000), []);
    assert.match(await sandbox.must("up", ...UPDATE), /✔ Update: /);
    await assertWhole();
  });

  it("by kill -9 of the API: the error says so; a repeat starts the API and goes on", async () => {
    const running = sandbox.start("up", UPDATE);
    await waitForLine(running, /created Vpc main-vpc/);
    process.kill(runningApi(sandbox.home)?.pid ?? 0, "SIGKILL");
    const { exitCode, stderr } = await running.ended;
    assert.equal(exitCode, 1);
    assert.match(stderr, /connection refused|connection reset|ECONNREFUSED|ECONNRESET|EOF/i);
    assert.match(await sandbox.must("up", ...UPDATE), /✔ Update: /);
    await assertWhole();
  });

  longIt("by Ctrl-C before a database host exists: a repeat may have another region", async () => {
    const running = sandbox.start("up", UPDATE);
    await waitForLine(running, /created Vpc main-vpc/);
    // As in `npm run up | tee log`, where Ctrl-C ends the other program as well.
    for (const stream of [running.child.stdout, running.child.stderr]) stream?.destroy();
    running.child.kill("SIGINT");
    assert.equal((await running.ended).exitCode, 130);
    assert.equal((await sandbox.census()).droplets, 0);
    assert.match(await sandbox.must("up", ...UPDATE, "--config", "region=ams3"), /✔ Update: /);
    await assertWhole();
  });

  it("and npm stop in place of the repeat: nothing is left", async () => {
    const running = sandbox.start("up", UPDATE);
    await waitForLine(running, /created Vpc main-vpc/);
    running.child.kill("SIGKILL");
    await running.ended;
    await sandbox.must("stop");
    assert.deepEqual(sandbox.processes(), []);
    assert.equal(existsSync(sandbox.home.dir), false);
  });
});
