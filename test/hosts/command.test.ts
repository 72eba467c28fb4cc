import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openInstance } from "../../sandbox/hosts/instance";
import { ensureToken, freePort, request, sandboxAt } from "../../sandbox/index";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { nothingIsLeft, traces } from "./world/leftovers";

const BIN = join(__dirname, "../../sandbox/bin/digitalocean-sandbox.mjs");

describe("digitalocean-sandbox with hosts", function () {
  this.timeout(300_000);
  const sandbox = sandboxAt(join(mkdtempSync(join(tmpdir(), "sw-command-")), "sandbox"));
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, "--dir", sandbox.dir, ...args], {
      encoding: "utf8",
    });
    assert.equal(status, 0, `${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  before(function () {
    return skipWithoutHosts(this);
  });
  after(() => {
    run("remove");
    rmSync(join(sandbox.dir, ".."), { recursive: true, force: true });
  });

  it("boots a droplet, keeps its disk over a stop, and removes it whole", async () => {
    const port = await freePort();
    run("start", "--hosts", "on", "--port", String(port));
    const instance = await openInstance(sandbox.hostsDir);
    const api = { url: `http://127.0.0.1:${port}`, token: ensureToken(sandbox) };
    const body = { name: "d-1", region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-26-04-x64" };
    assert.equal((await request(api, "POST", "/v2/droplets", { body })).status, 202);
    await waitFor(
      "the droplet is up",
      async () => run("status").match(/^ {2}d-1 .* active .* running /m) !== null,
      {
        within: 120,
        every: 1,
      },
    );
    run("exec", "d-1", "--", "touch", "/root/kept");

    run("stop");
    assert.deepEqual(await traces(instance.id, instance.dir), [instance.dir], "the disks and nothing else");
    // Without the option: a sandbox that has hosts goes on with them.
    run("start");
    run("exec", "d-1", "--", "test", "-e", "/root/kept");

    run("remove");
    await nothingIsLeft(instance);
    assert.ok(!existsSync(sandbox.dir));
  });
});
