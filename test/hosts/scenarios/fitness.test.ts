/**
 * A member that takes part in its group and cannot serve: it leaves HAProxy on every web host, the site goes on, and
 * the member comes back by itself. With a full disk too:
 *
 *     SECURED_WEB_LONG_TESTS=1 npm test -- test/hosts/scenarios/fitness.test.ts
 */
import assert from "node:assert/strict";
import { longIt } from "../../longTests";
import { waitFor } from "../../waitFor";
import { storedWrongly } from "../checkers/stored";
import { BACK_ON_DISK, DATA, SMALL_DISK } from "../faults/disks";
import { HeldSession } from "../faults/locks";
import { Visitors } from "../workloads/visitors";
import { useWorld } from "../world/useWorld";
import type { WorldHost } from "../world/worldHost";

/** On a busy machine; by itself it takes 2 to 3 s, and 6 to 8 s where a member is behind. */
const LEAVES_WITHIN_S = 40;
const BACK_WITHIN_S = 180;
const DISK_LIMIT = { timeoutMs: 300_000 };

interface Fault {
  readonly what: string;
  /** Breaks the host, and gives what mends it. */
  readonly hurt: (host: WorldHost) => Promise<() => Promise<unknown>>;
}

async function signalled(host: WorldHost, signal: string): Promise<void> {
  await host.run(`systemctl kill --kill-whom=main --signal=${signal} mysql.service`);
}

const locked = (sql: string) => async (host: WorldHost) => {
  const session = await HeldSession.open(host, sql);
  return () => session.end();
};

const FAULTS: readonly Fault[] = [
  { what: "a lock on all tables", hurt: locked("FLUSH TABLES WITH READ LOCK") },
  {
    what: "a lock on one table, so that the member is behind",
    hurt: locked("LOCK TABLES app.notes READ"),
  },
  {
    what: "a schema change that waits for an open transaction",
    async hurt(host) {
      const reader = await HeldSession.open(host, "BEGIN; SELECT COUNT(*) FROM app.notes");
      const change = await HeldSession.open(host, 'ALTER TABLE app.notes COMMENT = "a test of locks"');
      return async () => {
        await change.end();
        await reader.end();
      };
    },
  },
  {
    what: "no free connection",
    async hurt(host) {
      const [[limit = ""] = []] = await host.mysql("SELECT @@GLOBAL.max_connections");
      const session = await HeldSession.open(host, "SET GLOBAL max_connections = 1");
      return async () => {
        await session.run(`SET GLOBAL max_connections = ${limit}`);
        await waitFor("new connections", async () => (await host.mysql("SELECT 1")).length > 0, {
          within: 30,
        });
        await session.end();
      };
    },
  },
  {
    what: "a mysqld that is stopped by a signal",
    async hurt(host) {
      await signalled(host, "SIGSTOP");
      return () => signalled(host, "SIGCONT");
    },
  },
];

describe("a member that cannot serve", function () {
  this.timeout(15 * 60_000);
  const world = useWorld();
  const web = () => world().hostsWith("web");

  /** What HAProxy on each web host says of a member: "UP", "DOWN" ... */
  async function states(member: WorldHost): Promise<string[]> {
    const show = `curl -fsS 'http://127.0.0.1:8082/stats;csv' | awk -F, '$1 == "writers" && $2 == "${member.name}" { print $18 }'`;
    return Promise.all(web().map((host) => host.run(show)));
  }

  const isEverywhere = (member: WorldHost, state: string, within: number) =>
    waitFor(
      `${member.name} ${state} on every web host`,
      async () => (await states(member)).every((one) => one.startsWith(state)),
      {
        within,
        every: 0.2,
        explain: async () =>
          `${await states(member)}; ${await web()[0]?.journal("secured-web-health.service")}`,
      },
    );

  for (const { what, hurt } of FAULTS) {
    it(`${what}: it leaves, no request fails, and it comes back by itself`, async () => {
      const member = world().host("node-2");
      const visitors = Visitors.start(world(), { writers: 4 });
      try {
        await visitors.goOn("before the fault");
        const mend = await hurt(member);
        try {
          await isEverywhere(member, "DOWN", LEAVES_WITHIN_S);
          await visitors.goOn("without the member", 30);
        } finally {
          await mend();
        }
        await isEverywhere(member, "UP", BACK_WITHIN_S);
        await visitors.goOn("after its return");
      } finally {
        await visitors.stop();
      }
      await waitFor("every member ONLINE", () => world().databaseIsWhole(), { within: BACK_WITHIN_S });
      assert.deepEqual(visitors.failed, [], visitors.summary());
      assert.deepEqual(await storedWrongly(visitors.requests, world().hostsWith("database")), {});
    });
  }

  // It copies the data twice: 100 s.
  longIt("a full disk: it leaves, and comes back as soon as there is room", async () => {
    const member = world().host("node-2");
    await member.run(SMALL_DISK, DISK_LIMIT);
    try {
      await isEverywhere(member, "UP", BACK_WITHIN_S);
      const visitors = Visitors.start(world(), { writers: 4 });
      try {
        await visitors.goOn("before the fault");
        await member.attempt(`head -c 1G /dev/zero > ${DATA}/filler`);
        await isEverywhere(member, "DOWN", BACK_WITHIN_S);
        await visitors.goOn("without the member", 30);
        await member.run(`rm ${DATA}/filler`);
        await isEverywhere(member, "UP", BACK_WITHIN_S);
      } finally {
        await visitors.stop();
      }
      assert.deepEqual(visitors.failed, [], visitors.summary());
      assert.deepEqual(await storedWrongly(visitors.requests, world().hostsWith("database")), {});
    } finally {
      await member.run(BACK_ON_DISK, DISK_LIMIT);
      await isEverywhere(member, "UP", BACK_WITHIN_S);
    }
  });
});
