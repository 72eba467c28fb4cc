/** The short form of `npm run chaos`: a fixed seed and a handful of faults, in the shared world. */
import assert from "node:assert/strict";
import { reportText } from "../../../scripts/chaos/report";
import { contents } from "../chaos/contents";
import { judge } from "../chaos/history";
import { soak } from "../chaos/soak";
import { hostsWithout } from "../checkers/replicated";
import { useWorld } from "../world/useWorld";

const SEED = 12;
const FAULTS = ["power-one", "kill-mysqld", "partition-one", "lock-table", "kill-app"] as const;

describe("faults at random under load", function () {
  this.timeout(20 * 60_000);
  const world = useWorld();
  after(() => world().heal());

  it(`seed ${SEED}: no acknowledged note is lost or doubled, no refused one is stored, the members are equal`, async () => {
    const tell = (line: string) => console.log(`      ${line}`);
    const report = await soak(world(), { seed: SEED, faults: FAULTS, steps: FAULTS.length, tell });
    tell(reportText(report).replaceAll("\n", "\n      "));
    assert.equal(report.runs.length, FAULTS.length, report.doubts.join("; "));
    assert.equal(report.verdict, "valid", [...report.examples, ...report.doubts].join("; "));
    for (const { faults, stalled } of report.runs) assert.equal(stalled, undefined, faults.join(" and "));
  });

  it("the same look sees a note that one member lacks", async () => {
    const text = `chaos-look-${process.pid}`;
    const [first] = world().hostsWith("database");
    await world().client.postNote(text);
    assert.deepEqual(await hostsWithout(text, world().hostsWith("database")), []);
    await first?.mysql(`SET SESSION sql_log_bin = 0; DELETE FROM app.notes WHERE text = '${text}'`);
    try {
      const attempts = [{ start: 0, end: 1, status: 201 }];
      const operation = { kind: "append", session: "s1", text, attempts } as const;
      const { verdict, violations } = judge([operation], await contents(world(), text));
      assert.equal(verdict, "invalid");
      assert.deepEqual(new Set(violations.map(({ rule }) => rule)), new Set(["lost", "unequal"]));
    } finally {
      await first?.mysql(`SET SESSION sql_log_bin = 0; DELETE FROM app.notes WHERE text = '${text}'`);
      for (const host of world().hostsWith("database").slice(1))
        await host.mysql(`SET SESSION sql_log_bin = 0; DELETE FROM app.notes WHERE text = '${text}'`);
    }
  });
});
