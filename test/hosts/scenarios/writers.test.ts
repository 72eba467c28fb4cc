import assert from "node:assert/strict";
import { waitFor } from "../../waitFor";
import { members } from "../checkers/members";
import { hostsWithout, writeRow } from "../checkers/replicated";
import { useWorld } from "../world/useWorld";

describe("writers on running hosts", function () {
  this.timeout(180_000);
  const world = useWorld();

  it("three members are ONLINE and primary, in every member's own view", async () => {
    for (const host of world().hostsWith("database")) {
      const view = await members(host, "group");
      assert.deepEqual(
        view.map(({ state }) => state),
        ["ONLINE", "ONLINE", "ONLINE"],
      );
      const roles = await host.mysql("SELECT MEMBER_ROLE FROM performance_schema.replication_group_members");
      assert.deepEqual(roles.flat(), ["PRIMARY", "PRIMARY", "PRIMARY"]);
    }
  });

  it("a row written on each host is read on the two others", async () => {
    for (const host of world().hostsWith("database")) {
      const text = await writeRow(host);
      const others = world()
        .hostsWith("database")
        .filter((other) => other !== host);
      assert.deepEqual(await hostsWithout(text, others), [], `written on ${host.name}`);
    }
  });

  it("sees a row that is not replicated", async () => {
    const [first, ...others] = world().hostsWith("database");
    assert.ok(first);
    const text = await writeRow(first, "SET SESSION sql_log_bin = 0");
    try {
      assert.deepEqual(
        await hostsWithout(text, others, 2),
        others.map(({ name }) => name),
      );
    } finally {
      await first.mysql(`SET SESSION sql_log_bin = 0; DELETE FROM app.notes WHERE text = '${text}'`);
    }
  });

  it("a note sent to the site by each web host is written by the database host beside it, and read on all", async () => {
    const written = new Map<string, string>();
    await waitFor(
      "a note by every pair",
      async () => {
        const text = `through the site ${process.hrtime.bigint()}`;
        const { status, body } = await world().client.postNote(text);
        if (status !== 201) return false;
        const { servedBy, note } = JSON.parse(body) as { servedBy: string; note: { databaseHost: string } };
        const webHost = world().hosts.find(({ identity }) => identity.dropletName === servedBy);
        if (webHost?.fqdn === note.databaseHost) written.set(servedBy, text);
        return written.size === world().hostsWith("web").length;
      },
      // An application that began with another member comes back to its own when its connections are old.
      { within: 90 },
    );
    for (const text of written.values()) {
      assert.deepEqual(await hostsWithout(text, world().hostsWith("database")), []);
    }
  });

  it("two writers of one row: the second to commit is rolled back, and its repetition succeeds", async () => {
    const [first, second] = world().hostsWith("database");
    assert.ok(first && second);
    const text = await writeRow(first);
    assert.deepEqual(await hostsWithout(text, [second]), []);
    const update = (by: string) =>
      `UPDATE app.notes SET web_host = '${by}' WHERE text = '${text}'; SELECT SLEEP(0.2); COMMIT`;
    const ends = await Promise.allSettled([
      first.mysql(`START TRANSACTION; ${update("first")}`),
      second.mysql(`START TRANSACTION; ${update("second")}`),
    ]);
    const failed = ends.filter((end) => end.status === "rejected");
    assert.ok(failed.length <= 1, "at least one of the two commits");
    for (const { reason } of failed) assert.match(String(reason), /ERROR (3101|1213|1180)/);
    await second.mysql(`UPDATE app.notes SET web_host = 'again' WHERE text = '${text}'`);
    await waitFor(
      "the same value on both",
      async () =>
        (await first.mysql(`SELECT web_host FROM app.notes WHERE text = '${text}'`)).flat()[0] === "again",
      { within: 30 },
    );
  });

  for (const [what, table] of [
    ["ON DELETE CASCADE", "id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE"],
    ["ON DELETE SET NULL", "id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL"],
    ["ON UPDATE CASCADE", "id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON UPDATE CASCADE"],
    ["no primary key", "id INT"],
  ] as const) {
    it(`refuses rows of a table with ${what} (docs/consistency.md)`, async () => {
      const host = world().host("node-1");
      await host.mysql(
        `CREATE DATABASE forms; CREATE TABLE forms.p (id INT PRIMARY KEY); USE forms; CREATE TABLE forms.t (${table})`,
      );
      try {
        await assert.rejects(host.mysql("INSERT INTO forms.t (id) VALUES (1)"), /ERROR 3098 /);
      } finally {
        await host.mysql("DROP DATABASE forms");
      }
    });
  }

  it("nobody but the group lifts read-only: a member outside of it refuses root's writes", async () => {
    const [, host] = world().hostsWith("database");
    assert.ok(host);
    await host.run("systemctl stop secured-web-group.service");
    try {
      await host.mysql("STOP GROUP_REPLICATION");
      await assert.rejects(writeRow(host), /super-read-only/);
      // Without the protection the write is taken, and would part this host from its group.
      await host.mysql("SET GLOBAL super_read_only = OFF");
      const text = await writeRow(host, "SET SESSION sql_log_bin = 0");
      await host.mysql(`SET SESSION sql_log_bin = 0; DELETE FROM app.notes WHERE text = '${text}'`);
      await host.mysql("SET GLOBAL super_read_only = ON");
    } finally {
      await host.run("systemctl start secured-web-group.service");
      await waitFor("the member is back", () => world().databaseIsWhole(), { within: 60 });
    }
  });
});
