/** The main job, as the README tells it, with the real engine. The tests are one story and run in this order. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { PROJECT_DIR } from "../../scripts/home";
import { inOrder } from "../inOrder";
import { Sandbox } from "./sandbox";

interface Outputs {
  url: string;
  loadBalancerIp: string;
  droplets: { name: string; roles: string[]; publicIp: string; privateIp: string }[];
  databaseWriters: string[];
  monthlyCostUsd: number;
}

const gitStatus = () =>
  execFileSync("git", ["status", "--porcelain"], { cwd: PROJECT_DIR, encoding: "utf8" });

describe("npm start, and what follows it", function () {
  this.timeout(180_000);
  inOrder();
  let sandbox: Sandbox;
  let census: Record<string, number>;
  const treeBefore = gitStatus();
  before(async () => {
    sandbox = await Sandbox.make();
  });
  after(() => sandbox.remove());

  it("preview shows what would be made, and makes nothing", async () => {
    const stdout = await sandbox.must("preview");
    assert.match(stdout, /✔ Preview with the policies: \d+ to create/);
    assert.match(stdout, /create Droplet main-node-3/);
    assert.equal((await sandbox.census()).droplets, 0);
  });

  it("npm start brings the dev stack up and ends with its outputs", async () => {
    const stdout = await sandbox.must("start");
    assert.match(stdout, /✔ Update: \d+ created/);
    assert.match(stdout, /Outputs of dev:/);
    census = await sandbox.census();
    assert.equal(census.droplets, 3);
    assert.equal(census.load_balancers, 1);
  });

  it("npm run -s outputs prints them as JSON, as the account has them", async () => {
    const outputs = JSON.parse(await sandbox.must("outputs")) as Outputs;
    assert.equal(outputs.url, "https://www.dev.foobar.com");
    assert.equal(outputs.databaseWriters.length, 3);
    const { droplets } = await sandbox.get<{
      droplets: { name: string; networks: { v4: { ip_address: string; type: string }[] } }[];
    }>("/v2/droplets");
    const addresses = (type: string) =>
      droplets.map(({ networks }) => networks.v4.find((v4) => v4.type === type)?.ip_address).sort();
    assert.deepEqual(outputs.droplets.map(({ publicIp }) => publicIp).sort(), addresses("public"));
    assert.deepEqual(outputs.droplets.map(({ privateIp }) => privateIp).sort(), addresses("private"));
    const { load_balancers } = await sandbox.get<{ load_balancers: { ip: string }[] }>("/v2/load_balancers");
    assert.deepEqual(
      [outputs.loadBalancerIp],
      load_balancers.map(({ ip }) => ip),
    );
    // By the catalog's prices three s-2vcpu-2gb at 18 dollars and a load balancer node at 12, and 5 for Spaces.
    assert.equal(outputs.monthlyCostUsd, 71);
  });

  it("a second npm start changes nothing", async () => {
    const stdout = await sandbox.must("start");
    assert.match(stdout, /✔ Preview with the policies: \d+ unchanged\n/);
    assert.match(stdout, /✔ Update: \d+ unchanged\n/);
    assert.deepEqual(await sandbox.census(), census);
  });

  it("a changed setting changes what it must, and no host", async () => {
    const stdout = await sandbox.must("up", "dev", "--config", "secured-web:alerts.cpuPercent=70");
    assert.match(stdout, /✔ Update: \d+ unchanged, 1 updated\n/);
    assert.match(stdout, /updated MonitorAlert main-host-cpu/);
    const { policies } = await sandbox.get<{ policies: { type: string; value: number }[] }>(
      "/v2/monitoring/alerts",
    );
    assert.equal(policies.find(({ type }) => type === "v1/insights/droplet/cpu")?.value, 70);
  });

  it("drift is shown without a change, then repaired", async () => {
    const { load_balancers } = await sandbox.get<{ load_balancers: Record<string, unknown>[] }>(
      "/v2/load_balancers",
    );
    const balancer = load_balancers[0] ?? {};
    const firewalls = await sandbox.get<{ firewalls: { id: string; name: string }[] }>("/v2/firewalls");
    const database = firewalls.firewalls.find(({ name }) => name.includes("database"));
    // Two things that somebody might do in the control panel: drop the redirect, delete a firewall.
    const { id, ip: _, status: _2, created_at: _3, droplet_ids: _4, region, ...rest } = balancer;
    await sandbox.send("PUT", `/v2/load_balancers/${id}`, {
      ...rest,
      region: (region as { slug: string }).slug,
      redirect_http_to_https: false,
    });
    await sandbox.send("DELETE", `/v2/firewalls/${database?.id}`);

    const shown = await sandbox.must("refresh", "dev", "--preview-only");
    assert.match(shown, /Drift:/);
    assert.match(shown, /LoadBalancer main-load-balancer.*redirectHttpToHttps/);
    assert.match(shown, /Firewall main-database/);
    const still = await sandbox.get<{ load_balancer: { redirect_http_to_https: boolean } }>(
      `/v2/load_balancers/${id}`,
    );
    assert.equal(still.load_balancer.redirect_http_to_https, false);

    await sandbox.must("refresh", "dev");
    const again = await sandbox.get<{ load_balancer: { redirect_http_to_https: boolean } }>(
      `/v2/load_balancers/${id}`,
    );
    assert.equal(again.load_balancer.redirect_http_to_https, true);
    assert.deepEqual(await sandbox.census(), census);
    assert.match(await sandbox.must("refresh", "dev", "--preview-only"), /No drift\./);
  });

  it("replace makes one host anew, and no other", async () => {
    const ids = async () =>
      (await sandbox.get<{ droplets: { id: number; name: string }[] }>("/v2/droplets")).droplets;
    const before = await ids();
    const stdout = await sandbox.must("replace", "dev", "node-2");
    assert.match(stdout, /replaced Droplet main-node-2/);
    const after = await ids();
    const kept = after.filter(({ id }) => before.some((droplet) => droplet.id === id));
    assert.deepEqual(kept.map(({ name }) => name).sort(), ["dev-node-1", "dev-node-3"]);
    assert.equal(after.length, 3);
  });

  it("replace of a host that is not there names those that are", async () => {
    const { exitCode, stderr } = await sandbox.run("replace", ["dev", "node-9"]);
    assert.equal(exitCode, 2);
    assert.match(stderr, /The stack has no host "node-9"[\s\S]*node-1, node-2, node-3/);
  });

  it("prod stands beside dev in one account; destroy takes dev alone, prod's protected hosts not at all", async () => {
    await sandbox.must("up", "prod");
    const refused = await sandbox.run("destroy", ["prod"]);
    assert.equal(refused.exitCode, 1);
    assert.match(
      refused.stderr,
      /has protected resources, so nothing was deleted: .*Droplet main-db-1[\s\S]*--unprotect/,
    );
    await sandbox.must("destroy", "dev");
    const { droplets } = await sandbox.get<{ droplets: { name: string }[] }>("/v2/droplets");
    assert.ok(droplets.length > 0);
    assert.ok(droplets.every(({ name }) => name.startsWith("prod-")));
  });

  it("npm stop leaves no resource, no process, no file, and the tree as it was", async () => {
    const stdout = await sandbox.must("stop");
    assert.match(stdout, /✔ Destroy prod: \d+ deleted/);
    assert.deepEqual(sandbox.processes(), []);
    assert.equal(existsSync(sandbox.home.dir), false);
    assert.equal(gitStatus(), treeBefore);
    assert.match(await sandbox.must("stop"), /Nothing to stop/);
  });
});
