import assert from "node:assert/strict";
import { waitFor } from "../../waitFor";
import { everyAcknowledged } from "../checkers/acknowledged";
import { Visitors } from "../workloads/visitors";
import { useWorld } from "../world/useWorld";
import type { WorldHost } from "../world/worldHost";

const BACK_WITHIN_S = 240;

describe("reboots of running hosts", function () {
  this.timeout(10 * 60_000);
  const world = useWorld();
  const whole = () =>
    waitFor("every member ONLINE", () => world().databaseIsWhole(), {
      within: BACK_WITHIN_S,
      explain: () => world().complaints(),
    });

  it("each host, one after another: the site serves on, and all comes back without a hand", async () => {
    const visitors = Visitors.start(world());
    try {
      await visitors.goOn("before the reboots");
      for (const host of world().hosts) {
        const before = await host.run("cat /proc/sys/kernel/random/boot_id; stat -c %Z /proc/1");
        await world().reboot(host);
        await whole();
        assert.notEqual(await host.run("cat /proc/sys/kernel/random/boot_id; stat -c %Z /proc/1"), before);
        assert.equal(await settled(host), "running", await host.complaints());
        await visitors.goOn(`after ${host.name}'s reboot`);
      }
    } finally {
      await visitors.stop();
    }
    assert.deepEqual(visitors.failed, [], visitors.summary());
    const { verdict, missing } = await everyAcknowledged(visitors.acknowledged, world().hosts);
    assert.equal(verdict, "kept", `${JSON.stringify(missing)}; ${visitors.summary()}`);
  });

  // A request fails if it meets nginx in the moment in which it closes the connection, so one reboot may not show it.
  it("a host that does not leave the load balancer first fails requests within five reboots, and the same look sees it", async () => {
    const host = world().host("node-2");
    await host.run("systemctl disable --now secured-web-drain.service");
    const visitors = Visitors.start(world(), { writers: 8, readers: 8 });
    try {
      await visitors.goOn("before the reboot");
      for (let reboots = 0; reboots < 5 && visitors.failed.length === 0; reboots++) {
        await world().reboot(host);
        await whole();
      }
    } finally {
      await visitors.stop();
      await host.run("systemctl enable --now secured-web-drain.service");
    }
    assert.notDeepEqual(visitors.failed, [], visitors.summary());
  });

  it("a host whose supervisor is not enabled does not come back, and the same look sees it", async () => {
    const host = world().host("node-2");
    await host.run("systemctl disable secured-web-group.service");
    try {
      await world().reboot(host);
      assert.equal(await settled(host), "running");
      await host.waitForUnit("mysql.service");
      assert.equal(await world().databaseIsWhole(), false);
      assert.equal(await host.unitState("secured-web-group.service"), "inactive");
    } finally {
      await host.run("systemctl enable --now secured-web-group.service");
    }
    await whole();
  });
});

/** systemd's word for a host when its boot has come to its end. */
async function settled(host: WorldHost): Promise<string> {
  const { stdout } = await host.attempt("systemctl is-system-running --wait", {
    timeoutMs: BACK_WITHIN_S * 1000,
  });
  return stdout.trim();
}
