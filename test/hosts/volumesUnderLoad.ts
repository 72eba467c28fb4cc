/**
 * The volumes of database hosts, by the commands that an operator types, while visitors write and read: the move from
 * the droplets' disks, a larger volume, the replacement of a host against one without a volume, and a power cut. No
 * request fails, and every acknowledged note is on every member exactly once. It is too long for `npm test`, so it is
 * run by itself:
 *
 *     npm test -- test/hosts/volumesUnderLoad.ts
 *
 * SECURED_WEB_DATA_MIB is the size of the data (default 2048).
 */
import assert from "node:assert/strict";
import { Sandbox } from "../e2e/sandbox";
import { inOrder } from "../inOrder";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { SandboxOnHosts } from "./sandboxOnHosts";

const DATA_MIB = Number(process.env.SECURED_WEB_DATA_MIB ?? 2048);
const HOSTS = ["db-1", "db-2", "db-3"];
const LOCAL = ["--config", "secured-web:topology=separated"];
const volumes = (gib: number) => [
  ...LOCAL,
  ...["--config", "secured-web:database.storage=volume"],
  ...["--config", `secured-web:database.volumeGib=${gib}`],
];

describe("volumes of database hosts, separated", function () {
  this.timeout(60 * 60_000);
  inOrder();
  let live: SandboxOnHosts;
  const gib = Math.ceil(DATA_MIB / 1024) + 2;

  const mysql = async (host: string, sql: string) => (await live.exec(host, "mysql", "-BNe", sql)).trim();
  const device = async (host: string) =>
    (
      await live.exec(host, "findmnt", "--noheadings", "--output", "SOURCE", "--target", "/var/lib/mysql")
    ).trim();

  /** Until every member sees three members ONLINE. */
  const whole = async () => {
    const online =
      "SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE MEMBER_STATE = 'ONLINE'";
    for (const host of HOSTS)
      await waitFor(
        `${host} sees three members`,
        async () => (await live.run("sandbox", "exec", host, "mysql", "-BNe", online)).stdout.trim() === "3",
        { within: 400, every: 2 },
      );
  };

  async function underLoad(what: string, work: () => Promise<unknown>): Promise<number> {
    const { seconds, requests } = await live.underLoad(HOSTS, async () => {
      await work();
      await whole();
    });
    console.log(`      ${what}: ${seconds.toFixed(0)} s, 0 of ${requests} requests failed`);
    return seconds;
  }

  before(async function () {
    await skipWithoutHosts(this);
    live = new SandboxOnHosts(await Sandbox.make());
    await live.must("start", "--yes", ...LOCAL);
    await whole();
    await mysql(
      "db-1",
      `CREATE TABLE app.filler (id INT AUTO_INCREMENT PRIMARY KEY, data LONGBLOB NOT NULL)`,
    );
    // Random bytes of 1 MiB, so that nothing can compress them.
    const row =
      "INSERT INTO app.filler (data) VALUES (CONCAT('', (SELECT GROUP_CONCAT(RANDOM_BYTES(1024) SEPARATOR '') FROM (SELECT 1 FROM information_schema.COLLATIONS a, information_schema.COLLATIONS b LIMIT 1024) n)))";
    await live.exec(
      "db-1",
      "bash",
      "-c",
      `(echo 'SET SESSION group_concat_max_len = 2097152;'; for ((i = 0; i < ${DATA_MIB}; i++)); do echo "${row};"; done) | mysql`,
    );
    await whole();
  });
  after(async () => {
    await live?.sandbox.remove();
  });

  let local = 0;

  it("a host without a volume is replaced: its successor gets all data from the group", async () => {
    local = await underLoad("replace, data on the droplet's disk", () =>
      live.must("replace", "dev", "db-2", ...LOCAL),
    );
  });

  it("the data of all hosts moves to volumes in one update", async () => {
    await underLoad("move to volumes", () => live.must("up", "dev", ...volumes(gib)));
    for (const host of HOSTS) assert.match(await device(host), /^\/dev\/.*\[\/mysql\]$/);
    assert.match(await live.must("up", "dev", ...volumes(gib)), /✔ Update: \d+ unchanged\n/);
  });

  it("a host is replaced: its successor has the volume, and gets only what it lacks", async () => {
    const uuid = await mysql("db-2", "SELECT @@server_uuid");
    const seconds = await underLoad("replace, data on a volume", () =>
      live.must("replace", "dev", "db-2", ...volumes(gib)),
    );
    assert.equal(await mysql("db-2", "SELECT @@server_uuid"), uuid);
    console.log(`      without a volume: ${(local / seconds).toFixed(1)} times as long`);
  });

  it("the volumes grow, and mysqld does not restart", async () => {
    const sizes = () => live.exec("db-3", "df", "--output=size", "-BG", "/var/lib/mysql");
    const [before, pid] = [await sizes(), await live.exec("db-3", "cat", "/run/mysqld/mysqld.pid")];
    await underLoad("larger volumes", () => live.must("up", "dev", ...volumes(gib + 1)));
    assert.notEqual(await sizes(), before);
    assert.equal(await live.exec("db-3", "cat", "/run/mysqld/mysqld.pid"), pid);
  });

  it("a host without power comes back with its volume", async () => {
    await underLoad("power off and on", async () => {
      await live.must("sandbox", "power", "db-1", "off");
      await live.must("sandbox", "power", "db-1", "on");
    });
    assert.match(await device("db-1"), /\[\/mysql\]$/);
  });
});
