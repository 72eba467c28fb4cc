/** Visitors who write a note and read the list at once, on whichever hosts they meet. */
import assert from "node:assert/strict";
import { waitFor } from "../../waitFor";
import { HeldSession } from "../faults/locks";
import { Visitors } from "../workloads/visitors";
import { useWorld } from "../world/useWorld";
import type { WorldHost } from "../world/worldHost";

/** HAProxy on a host hears of every member that it can serve. Gives what ends it. */
async function everyMemberIsFit(host: WorldHost): Promise<() => Promise<unknown>> {
  const units = "secured-web-health.socket secured-web-health.service";
  const ports = (await host.run("grep -oP ' port \\K[0-9]+' /etc/haproxy/haproxy.cfg")).split("\n");
  const fit = ports.map((port) => ({ port, unit: `secured-web-test-fit-${port}` }));
  await host.run(`systemctl stop ${units}`);
  for (const { port, unit } of fit)
    await host.run(
      `systemd-run --quiet --collect --unit=${unit} python3 -m http.server --bind 127.0.0.1 ${port}`,
    );
  return async () => {
    for (const { unit } of fit) await host.run(`systemctl stop ${unit}.service`);
    await host.run(`systemctl start ${units}`);
  };
}

describe("what visitors see of their own notes", function () {
  this.timeout(5 * 60_000);
  const world = useWorld();
  const member = () => world().host("node-2");

  /** Writes and reads while one member does not apply what the others commit, until HAProxy takes it out. */
  async function whileOneIsBehind(
    keepsCookies: boolean,
    goOn = (visitors: Visitors) => visitors.goOn("while one member is behind", 60),
  ): Promise<Visitors> {
    const visitors = Visitors.start(world(), {
      writers: 4,
      readers: 0,
      pauseMs: 200,
      readsOwn: true,
      keepsCookies,
    });
    try {
      await visitors.goOn("before", 20);
      const session = await HeldSession.open(member(), "LOCK TABLES app.notes READ");
      try {
        await goOn(visitors);
      } finally {
        await session.end();
      }
    } finally {
      await visitors.stop();
    }
    await waitFor("every member ONLINE", () => world().databaseIsWhole(), { within: 120 });
    return visitors;
  }

  it("every read shows the session's own note, also while a member is behind", async () => {
    const visitors = await whileOneIsBehind(true);
    assert.deepEqual(visitors.missed, []);
    assert.deepEqual(visitors.failed, [], visitors.summary());
  });

  it("without the cookie, and while the member stays in the list, some do not: the same look sees it", async () => {
    const ends = await everyMemberIsFit(member());
    try {
      await whileOneIsBehind(false, async (visitors) => {
        await waitFor("a read that misses a note", async () => visitors.missed.length > 0, {
          within: 90,
          explain: async () => visitors.summary(),
        });
      });
    } finally {
      await ends();
    }
  });
});
