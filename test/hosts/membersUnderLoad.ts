/**
 * More and fewer members of a running group, by the command that an operator types, while visitors write and read: no
 * request fails, every acknowledged note is on every member exactly once, a second update changes nothing, and after a
 * power cut of all members one group starts with every acknowledged note. It is too long for `npm test`, so it is run by
 * itself:
 *
 *     npm test -- test/hosts/membersUnderLoad.ts
 *
 * SECURED_WEB_MEMBERS=5,3 runs only that part of it.
 */
import assert from "node:assert/strict";
import { listAll } from "../../sandbox/index";
import { Sandbox, waitForLine } from "../e2e/sandbox";
import { inOrder } from "../inOrder";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { SandboxOnHosts } from "./sandboxOnHosts";

const WHOLE_WITHIN_S = 400;
const [FIRST = 3, ...LATER] = (process.env.SECURED_WEB_MEMBERS ?? "3,5,7,5,3").split(",").map(Number);
const LINE_WITHIN_MS = 10 * 60_000;

for (const topology of ["separated", "converged"]) {
  const prefix = topology === "separated" ? "db" : "node";
  const names = (count: number) => Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);

  describe(`the number of members, ${topology}`, function () {
    this.timeout(30 * 60_000);
    inOrder();
    let live: SandboxOnHosts;
    const acknowledged: string[] = [];
    const settings = (count: number) => [
      "--config",
      `secured-web:topology=${topology}`,
      "--config",
      `secured-web:database.count=${count}`,
    ];

    const mysql = async (host: string, sql: string) => (await live.exec(host, "mysql", "-BNe", sql)).trim();
    const attempted = async (host: string, sql: string) =>
      (await live.run("sandbox", "exec", host, "mysql", "-BNe", sql)).stdout.trim();

    /** Every member sees exactly the first `count` hosts ONLINE, and they are the group's list. */
    async function isWhole(count: number): Promise<void> {
      const expected = names(count)
        .map((name) => `${name} ONLINE`)
        .join("\n");
      for (const host of names(count)) {
        const view =
          "SELECT CONCAT(SUBSTRING_INDEX(MEMBER_HOST, '.', 1), ' ', MEMBER_STATE) FROM performance_schema.replication_group_members ORDER BY 1";
        await waitFor(
          `${host} sees ${count} members`,
          async () => (await attempted(host, view)) === expected,
          { within: WHOLE_WITHIN_S, every: 3, explain: () => mysql(host, view).catch(String) },
        );
      }
      const listed = await mysql(
        names(1)[0] ?? "",
        "SELECT CONCAT(SUBSTRING_INDEX(host, '.', 1), admitted, leaving) FROM secured_web.members ORDER BY 1",
      );
      assert.deepEqual(
        listed.split("\n"),
        names(count).map((name) => `${name}10`),
      );
    }

    async function hasEveryNote(count: number): Promise<void> {
      for (const host of names(count)) await live.hasOnce(host, acknowledged);
    }

    /** Cuts the power of all database hosts at once while visitors write, and switches it on again. */
    async function cutPower(): Promise<void> {
      const people = await live.visitors();
      await people.goOn("before the power cut");
      const droplets = async () =>
        (
          (await listAll(live.sandbox.api, "/v2/droplets", "droplets")) as {
            id: number;
            name: string;
            status: string;
          }[]
        ).filter(({ name }) => name.startsWith(`dev-${prefix}`));
      const cut = await droplets();
      const act = (type: string) =>
        Promise.all(cut.map(({ id }) => live.sandbox.send("POST", `/v2/droplets/${id}/actions`, { type })));
      try {
        await act("power_off");
      } finally {
        await people.stop();
      }
      acknowledged.push(...people.acknowledged);
      const areOff = async () => (await droplets()).every(({ status }) => status === "off");
      await waitFor("all hosts off", areOff, { within: 120 });
      await act("power_on");
    }

    before(async function () {
      await skipWithoutHosts(this);
      live = new SandboxOnHosts(await Sandbox.make());
      await live.must("start", "--yes", ...settings(FIRST));
      await waitFor(
        "the first list of members",
        async () =>
          (await attempted(`${prefix}-1`, "SELECT COUNT(*) FROM secured_web.members WHERE admitted")) ===
          String(FIRST),
        { within: 120, every: 2 },
      );
      await isWhole(FIRST);
    });
    after(async () => {
      await live?.sandbox.remove();
    });

    const ifFromTheBeginning = FIRST === 3 ? it : it.skip;
    ifFromTheBeginning(
      "members whose releases differ, without power at once: one group, with every acknowledged note",
      async () => {
        const running = live.start("up", "dev", ...settings(5));
        // The first one has its release, which names five members; the second one has the one before.
        await waitForLine(
          running,
          new RegExp(`${prefix}-2: has not applied the release yet`),
          LINE_WITHIN_MS,
        );
        running.child.kill("SIGINT");
        assert.equal((await running.ended).exitCode, 130);
        const counts = await Promise.all(
          names(3).map((host) => live.exec(host, "grep", "-c", "^member ", "/etc/secured-web/group.conf")),
        );
        assert.ok(new Set(counts).size > 1, `the releases do not differ: ${counts}`);
        await cutPower();
        const online =
          "SELECT GROUP_CONCAT(SUBSTRING_INDEX(MEMBER_HOST, '.', 1) ORDER BY MEMBER_HOST) FROM performance_schema.replication_group_members WHERE MEMBER_STATE = 'ONLINE'";
        const views = () => Promise.all(names(5).map((host) => attempted(host, online)));
        // The new ones may have joined, or not yet.
        const isOne = async () => {
          const seen = (await views()).filter((view) => view !== "" && view !== "NULL");
          return (
            seen.length >= 3 && new Set(seen).size === 1 && names(3).every((name) => seen[0]?.includes(name))
          );
        };
        await waitFor("one group of all three", isOne, {
          within: WHOLE_WITHIN_S,
          every: 3,
          explain: async () => (await views()).join(" | "),
        });
        await hasEveryNote(3);
      },
    );

    let former = FIRST;
    for (const count of LATER) {
      it(`${former} to ${count}`, async () => {
        const change = await live.underLoad([], () => live.must("up", "dev", ...settings(count)));
        acknowledged.push(...change.acknowledged);
        await isWhole(count);
        await hasEveryNote(count);
        const droplets = (await live.status()).droplets.map(({ name }) => name.replace(/^dev-/, ""));
        assert.deepEqual(droplets.filter((name) => name.startsWith(prefix)).sort(), names(count));
        assert.match(await live.must("up", "dev", ...settings(count)), /✔ Update: \d+ unchanged\n/);
      });

      it(`${count} members without power at once: one group, with every acknowledged note`, async () => {
        await cutPower();
        await isWhole(count);
        await hasEveryNote(count);
      });
      former = count;
    }
  });
}
