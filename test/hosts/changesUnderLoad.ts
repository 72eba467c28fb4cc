/**
 * Changes of a running stack, by the commands that an operator types, while visitors write and read through the load
 * balancer: no request fails, no acknowledged note is lost, and a second update changes nothing. Each prints its times.
 * It takes five minutes, so `npm test` does not run it: npm test -- test/hosts/changesUnderLoad.ts
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ProjectStatus } from "../../scripts/hosts/status";
import { Sandbox } from "../e2e/sandbox";
import { skipWithoutHosts } from "./requirement";
import { Visitors } from "./workloads/visitors";

const SITE = "www.dev.foobar.com";
const HOSTS = { SECURED_WEB_HOSTS: "on" };

describe("changes of a running stack", function () {
  this.timeout(15 * 60_000);
  this.bail(true);
  let sandbox: Sandbox;
  /** The settings that earlier tests have changed. */
  const settings = ["topology=separated"];

  const configured = () => settings.flatMap((one) => ["--config", `secured-web:${one}`]);
  async function must(command: string, ...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await sandbox.run(command, args, HOSTS);
    assert.equal(exitCode, 0, `${command} ${args.join(" ")}\n${stdout}\n${stderr}`);
    return stdout;
  }
  const status = async () => JSON.parse(await must("sandbox", "status", "--json")) as ProjectStatus;
  const dropletIds = async () =>
    Object.fromEntries((await status()).droplets.map(({ name, id }) => [name, id] as const));
  const notesOn = async (host: string) =>
    new Set((await must("sandbox", "exec", host, "mysql", "-BNe", "SELECT text FROM app.notes")).split("\n"));

  /** Runs something under load. Returns the seconds that it took. */
  async function underLoad(work: () => Promise<unknown>): Promise<number> {
    const port = (await status()).loadBalancers[0]?.published.find(
      ({ entryPort }) => entryPort === 443,
    )?.port;
    assert.ok(port);
    const rootsFile = join(sandbox.home.dir, "hosts", "certificates", "roots.pem");
    assert.ok(readFileSync(rootsFile, "utf8").includes("CERTIFICATE"));
    const visitors = Visitors.at({ site: SITE, address: "127.0.0.1", port, rootsFile });
    let seconds: number;
    try {
      await visitors.goOn("before the change");
      const begin = Date.now();
      await work();
      seconds = (Date.now() - begin) / 1000;
      await visitors.goOn("after the change");
    } finally {
      await visitors.stop();
    }
    const failed = visitors.requests.filter(({ status: code }) => code !== 200 && code !== 201);
    assert.deepEqual(failed, [], `${failed.length} of ${visitors.requests.length} requests failed`);
    for (const host of ["db-1", "db-2", "db-3"]) {
      const present = await notesOn(host);
      const lost = visitors.acknowledged.filter((text) => !present.has(text));
      assert.deepEqual(lost, [], `acknowledged notes that ${host} does not have`);
    }
    console.log(`      ${seconds.toFixed(1)} s, ${visitors.requests.length} requests, none failed`);
    return seconds;
  }

  /** An update with another setting. */
  async function change(...changed: string[]): Promise<string> {
    settings.push(...changed);
    let stdout = "";
    await underLoad(async () => {
      stdout = await must("up", "dev", ...configured());
    });
    assert.match(await must("up", "dev", ...configured()), /✔ Update: \d+ unchanged\n/);
    return stdout;
  }

  before(async function () {
    await skipWithoutHosts(this);
    sandbox = await Sandbox.make();
    await must("start", "--yes", ...configured());
  });
  after(async () => {
    await sandbox?.run("stop", ["--force"], HOSTS);
  });

  it("an nginx setting reaches the web hosts, one after another, and replaces nothing", async () => {
    const before = await dropletIds();
    const stdout = await change("hsts.maxAgeSeconds=301");
    assert.deepEqual(
      [...stdout.matchAll(/^ *(web-\d): well/gm)].map(([, name]) => name),
      ["web-1", "web-2"],
    );
    assert.match(await must("sandbox", "exec", "web-1", "cat", "/etc/nginx/nginx.conf"), /max-age=301/);
    assert.deepEqual(await dropletIds(), before);
  });

  it("a setting of MySQL that needs a restart reaches one member after another", async () => {
    const before = await dropletIds();
    await change("database.maxConnections=210");
    const query = ["mysql", "-BNe", "SELECT @@max_connections"];
    for (const host of ["db-1", "db-2", "db-3"]) {
      assert.equal((await must("sandbox", "exec", host, ...query)).trim(), "210", host);
    }
    assert.deepEqual(await dropletIds(), before);
  });

  it("a reboot of a member", async () => {
    await underLoad(() => must("reboot", "dev", "db-2"));
  });

  it("replace changes one droplet, whatever else is pending", async () => {
    const before = await dropletIds();
    settings.push("hsts.maxAgeSeconds=302");
    await underLoad(() => must("replace", "dev", "db-3", ...configured()));
    const { "dev-db-3": replaced, ...others } = await dropletIds();
    const { "dev-db-3": former, ...same } = before;
    assert.notEqual(replaced, former);
    assert.deepEqual(others, same);
  });
});
