import assert from "node:assert/strict";
import { waitFor } from "../../waitFor";
import { members } from "../checkers/members";
import { hostsWithout, writeRow } from "../checkers/replicated";
import { supervisorStatus } from "../checkers/supervisor";
import { useWorld } from "../world/useWorld";

const BACK_WITHIN_S = 240;

describe("a database host that begins anew", function () {
  this.timeout(10 * 60_000);
  const world = useWorld();

  it("loses power while it is set up, ends what it began at the next boot, and has every row in the end", async () => {
    const [donor, other] = world().hostsWith("database");
    const host = world().host("node-3");
    assert.ok(donor && other);
    const row = await writeRow(donor);
    // As after a week: what a new member lacks is in no binary log, so it takes a copy of all (the clone plugin).
    for (const member of [donor, other]) {
      assert.deepEqual(await hostsWithout(row, [member]), []);
      // Not BEFORE NOW(): that keeps a log which was closed in the same second.
      const [[log] = []] = await member.mysql("FLUSH BINARY LOGS; SHOW BINARY LOG STATUS");
      await member.mysql(`PURGE BINARY LOGS TO '${log}'`);
    }
    await world().rebuild(host);
    await waitFor(
      "the data directory in the making",
      async () => host.attempt("test -e /var/lib/mysql/ibdata1").then(({ code }) => code === 0),
      {
        within: BACK_WITHIN_S,
        every: 0.05,
      },
    );
    await world().powerOff(host);
    await world().powerOn(host);
    await waitFor("every member ONLINE", () => world().databaseIsWhole(), {
      within: BACK_WITHIN_S,
      explain: () => world().complaints(),
    });
    assert.deepEqual(await hostsWithout(row, [host]), []);
    assert.deepEqual(await hostsWithout(await writeRow(host), [donor, other]), []);
    assert.equal(await host.complaints(), "");
    const copied = await host.mysql("SELECT STATE FROM performance_schema.clone_status");
    assert.deepEqual(copied, [["Completed"]], "the rows came in another way");
    // What a copy of another member's data must not take away: the mark of a host that is set up.
    await host.run("test -e /var/lib/mysql/.secured-web-accounts");
    assert.match(await host.run("cat /var/log/cloud-init-output.log"), /an attempt that was cut short/);
  });

  it("three empty hosts that replaced three full ones start no group; an operator's command does", async () => {
    const hosts = world().hostsWith("database");
    const [first] = hosts;
    assert.ok(first);
    for (const host of hosts) await world().rebuild(host);
    await waitFor(
      "the first host says why it starts no group",
      async () => {
        const status = await supervisorStatus(first).catch(() => undefined);
        return (
          status?.action === "wait" &&
          /^for an operator, or for Spaces: every host is empty/.test(status.reason)
        );
      },
      { within: BACK_WITHIN_S, every: 2, explain: () => world().complaints() },
    );
    // Spaces has answered by now, and says that the stack has had a group.
    await waitFor(
      "a look for a release",
      async () => (await first.attempt("test -s /var/lib/secured-web/release/group.answer")).code === 0,
      { within: 60 },
    );
    for (const host of hosts) {
      const online = (await members(host, "group")).filter(({ state }) => state === "ONLINE");
      assert.deepEqual(online, [], host.name);
      await host.run("test ! -e /var/lib/secured-web/new-stack");
    }
    await first.mysql("SET GLOBAL group_replication_bootstrap_group = ON; START GROUP_REPLICATION");
    await first.mysql("SET GLOBAL group_replication_bootstrap_group = OFF");
    await waitFor("every member ONLINE", () => world().databaseIsWhole(), {
      within: BACK_WITHIN_S,
      explain: () => world().complaints(),
    });
    await world().waitUntilReady();
  });
});
