/** Visitors who write a note and read the list at once, on whichever hosts they meet. */
import assert from "node:assert/strict";
import { waitFor } from "../../waitFor";
import { HeldSession } from "../faults/locks";
import { Visitors } from "../workloads/visitors";
import { useWorld } from "../world/useWorld";

describe("what visitors see of their own notes", function () {
  this.timeout(5 * 60_000);
  const world = useWorld();

  /** Writes and reads while one member does not apply what the others commit, until HAProxy takes it out. */
  async function whileOneIsBehind(keepsCookies: boolean): Promise<Visitors> {
    const member = world().host("node-2");
    const visitors = Visitors.start(world(), {
      writers: 4,
      readers: 0,
      pauseMs: 200,
      readsOwn: true,
      keepsCookies,
    });
    try {
      await visitors.goOn("before", 20);
      const session = await HeldSession.open(member, "LOCK TABLES app.notes READ");
      try {
        await visitors.goOn("while one member is behind", 60);
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

  it("without the cookie some do not: the same look sees it", async () => {
    const visitors = await whileOneIsBehind(false);
    assert.ok(visitors.missed.length > 0, visitors.summary());
  });
});
