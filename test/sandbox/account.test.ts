import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HostChange } from "../../sandbox/api/core/host";
import { startApi } from "../../sandbox/api/server";
import { OWN_CALLS } from "../../sandbox/calls";
import { act, findDroplet, oneOf, unmadeDroplets } from "../../sandbox/client/account";
import { request } from "../../sandbox/client/apiClient";
import { sandboxAt } from "../../sandbox/sandbox";
import { failure } from "../failure";

describe("a host is named", () => {
  const all = [
    { id: 500000001, name: "dev-node-1" },
    { id: 500000002, name: "prod-node-1" },
    { id: 500000003, name: "dev-node-2" },
  ];
  it("by its name, its id, or the end that only one has", () => {
    assert.equal(oneOf(all, "dev-node-1", OWN_CALLS).id, 500000001);
    assert.equal(oneOf(all, "500000002", OWN_CALLS).name, "prod-node-1");
    assert.equal(oneOf(all, "node-2", OWN_CALLS).id, 500000003);
  });
  it("or refused with the names there are", () => {
    assert.throws(() => oneOf(all, "node-1", OWN_CALLS), failure(/Several/, 2, /dev-node-1 .*prod-node-1/));
    assert.throws(
      () => oneOf(all, "ode-2", OWN_CALLS),
      failure(/Unknown host "ode-2"/, 2, /dev-node-2 \(500000003\)/),
    );
    assert.throws(() => oneOf([], "x", OWN_CALLS), failure(/Unknown host "x"/, 2, /create a droplet/));
  });
});

describe("a droplet that did not boot when it was created", function () {
  this.timeout(30_000);
  it("is found, and no other that is off; made anew it is no longer", async () => {
    const sandbox = sandboxAt(mkdtempSync(join(tmpdir(), "hosts-")));
    let broken = true;
    const host = {
      apply: async (change: HostChange) => {
        if (broken && change.kind === "droplet_action") throw new Error("no disk left");
      },
    };
    const running = await startApi({ stateDir: sandbox.dir, port: 0, token: "t", actionDelayMs: 0, host });
    const { error } = console;
    console.error = () => {}; // the API's own log
    try {
      const api = { url: running.url, token: "t" };
      const create = async (name: string, status: string) => {
        const body = { name, region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-26-04-x64" };
        await request(api, "POST", "/v2/droplets", { body });
        const deadline = Date.now() + 10_000;
        while ((await findDroplet(sandbox, api, name)).status !== status)
          assert.ok(Date.now() < deadline, name);
        return findDroplet(sandbox, api, name);
      };
      const unmade = await create("unmade", "off");
      const failed = act(sandbox, api, unmade, { type: "rebuild", image: unmade.image.id });
      await assert.rejects(failed, failure(/unmade: rebuild failed/, 1, /api\.log/));
      broken = false;
      const made = await create("made", "active");
      await act(sandbox, api, made, { type: "power_off" });
      assert.deepEqual(
        (await unmadeDroplets(api)).map(({ name }) => name),
        ["unmade"],
      );
      await act(sandbox, api, unmade, { type: "rebuild", image: unmade.image.id });
      assert.equal((await findDroplet(sandbox, api, "unmade")).status, "active");
      await act(sandbox, api, unmade, { type: "power_off" });
      assert.deepEqual(await unmadeDroplets(api), [], "one that was up and was switched off stays off");
    } finally {
      console.error = error;
      await running.close();
      rmSync(sandbox.dir, { recursive: true, force: true });
    }
  });
});
