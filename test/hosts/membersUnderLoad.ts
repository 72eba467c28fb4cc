/**
 * More and fewer members of a running group, by the command that an operator types, while visitors write and read: no
 * request fails, every acknowledged note is on every member exactly once, a second update changes nothing, and after a
 * power cut of all members one group starts with every acknowledged note. It is too long for `npm test`, so it is run by
 * itself:
 *
 *     npm test -- test/hosts/membersUnderLoad.ts
 */
import assert from "node:assert/strict";
import { listAll } from "../../sandbox/index";
import { Sandbox } from "../e2e/sandbox";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { SandboxOnHosts } from "./sandboxOnHosts";

const WHOLE_WITHIN_S = 400;

for (const topology of ["separated", "converged"]) {
  const prefix = topology === "separated" ? "db" : "node";
  const names = (count: number) => Array.from({ length: count }, (_, index) => `${prefix}-${index + 1}`);

  describe(`the number of members, ${topology}`, function () {
    this.timeout(30 * 60_000);
    this.bail(true);
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

    before(async function () {
      await skipWithoutHosts(this);
      live = new SandboxOnHosts(await Sandbox.make());
      await live.must("start", "--yes", ...settings(3));
      await waitFor(
        "the first list of members",
        async () =>
          (await attempted(`${prefix}-1`, "SELECT COUNT(*) FROM secured_web.members WHERE admitted")) === "3",
        { within: 120, every: 2 },
      );
      await isWhole(3);
    });
    after(async () => {
      await live?.sandbox.remove();
    });

    let former = 3;
    for (const count of [5, 7, 5, 3]) {
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
        const people = await live.visitors();
        await people.goOn("before the power cut");
        const droplets = (await listAll(live.sandbox.api, "/v2/droplets", "droplets")) as {
          id: number;
          name: string;
        }[];
        const act = (type: string) =>
          Promise.all(
            droplets
              .filter(({ name }) => name.startsWith(`dev-${prefix}`))
              .map(({ id }) => live.sandbox.send("POST", `/v2/droplets/${id}/actions`, { type })),
          );
        try {
          await act("power_off");
        } finally {
          await people.stop();
        }
        acknowledged.push(...people.acknowledged);
        await waitFor(
          "all hosts off",
          async () =>
            (
              (await listAll(live.sandbox.api, "/v2/droplets", "droplets")) as {
                name: string;
                status: string;
              }[]
            ).every(({ name, status: state }) => !name.startsWith(`dev-${prefix}`) || state === "off"),
          { within: 120 },
        );
        await act("power_on");
        await isWhole(count);
        await hasEveryNote(count);
      });
      former = count;
    }
  });
}
