/** The short form of `npm run chaos` (docs/reliability.md). */
import assert from "node:assert/strict";
import { contents } from "../chaos/contents";
import { soak } from "../chaos/soak";
import { writeRow } from "../checkers/replicated";
import { useWorld } from "../world/useWorld";

describe("failures at random under visitors' load", function () {
  this.timeout(15 * 60_000);
  const world = useWorld();

  it("the site serves while a majority is left, and no answer is wrong", async () => {
    const { runs, verdict, doubts, examples } = await soak(world(), {
      seed: 7,
      faults: ["kill-mysqld", "partition-one", "pause-app"],
      keepsMajority: true,
      steps: 3,
      tell: (line) => console.log(`      ${line}`),
    });
    assert.deepEqual({ verdict, doubts, examples }, { verdict: "valid", doubts: [], examples: [] });
    assert.deepEqual(
      runs.map(({ stalled }) => stalled),
      [undefined, undefined, undefined],
    );
  });

  it("a note that is on one member only shows in what the members hold", async () => {
    const [first] = world().hostsWith("database");
    assert.ok(first);
    const text = await writeRow(first, "SET SESSION sql_log_bin = 0");
    try {
      const members = await contents(world(), text);
      assert.deepEqual(
        members.map(({ notes }) => notes?.length),
        [1, 0, 0],
      );
      assert.equal(new Set(members.map(({ checksum }) => checksum)).size, 2);
    } finally {
      await first.mysql(`SET SESSION sql_log_bin = 0; DELETE FROM app.notes WHERE text = '${text}'`);
    }
  });
});
