import assert from "node:assert/strict";
import { longIt } from "../../longTests";
import { waitFor } from "../../waitFor";
import { members } from "../checkers/members";
import { hostsWithout, writeRow } from "../checkers/replicated";
import { supervisorStatus } from "../checkers/supervisor";
import { HeldSession } from "../faults/locks";
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

  // The supervisor tries three times, and two hosts are set up again: 180 s.
  longIt(
    "members that fail with the same error each time wait for an operator, and say it; new ones in their place join",
    async () => {
      const [one, two, three] = world().hostsWith("database");
      assert.ok(one && two && three);
      await one.mysql("CREATE DATABASE changed; CREATE TABLE changed.t (id INT PRIMARY KEY, v VARCHAR(20))");
      await waitFor("the table", async () => (await two.mysql("SHOW TABLES FROM changed")).length === 1);
      // The row is written in the old form, and the others apply it after the change.
      const writer = await HeldSession.open(two, 'BEGIN; INSERT INTO changed.t VALUES (1, "1")');
      await waitFor("the row's lock", async () => {
        const [[locks] = []] = await two.mysql(
          "SELECT COUNT(*) FROM performance_schema.metadata_locks WHERE OBJECT_NAME = 't' AND LOCK_TYPE = 'SHARED_WRITE'",
        );
        return locks === "1";
      });
      await one.mysql("ALTER TABLE changed.t MODIFY v INT");
      await writer.run("COMMIT");
      for (const host of [one, three]) {
        await waitFor(
          `${host.name} waits for an operator`,
          async () => {
            const { action, reason } = await supervisorStatus(host);
            return (
              action === "wait" &&
              /^for an operator: this member has failed 3 times with the same error.*replace this host.*13146/.test(
                reason,
              )
            );
          },
          { within: BACK_WITHIN_S, every: 1, explain: () => host.journal("secured-web-group.service") },
        );
      }
      await writer.end();
      const row = await writeRow(two);
      for (const host of [one, three]) await world().rebuild(host);
      await waitFor("every member ONLINE", () => world().databaseIsWhole(), {
        within: BACK_WITHIN_S,
        explain: () => world().complaints(),
      });
      assert.deepEqual(await hostsWithout(row, [one, three]), []);
      await two.mysql("DROP DATABASE changed");
      await world().waitUntilReady();
    },
  );

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
