import assert from "node:assert/strict";
import { repeat } from "../../sandbox/monitoring/repeat";
import { waitFor } from "../waitFor";

describe("monitoring: work that is repeated", () => {
  it("goes on after an error, which is told once and not at every turn", async () => {
    const lines: string[] = [];
    let turn = 0;
    const work = repeat(
      "probes",
      1,
      async () => {
        turn++;
        if (turn <= 3) throw new Error("no answer");
        if (turn === 5) throw new Error("another");
      },
      (line) => lines.push(line),
    );
    await waitFor("six turns", async () => turn >= 6, { within: 10 });
    await work.stop();
    assert.deepEqual(lines, ["probes: no answer", "probes: another"]);
  });

  it("is stopped when the turn that is under way has ended", async () => {
    let ended = false;
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const work = repeat(
      "probes",
      1,
      async () => {
        await gate;
        ended = true;
      },
      assert.fail,
    );
    const stopped = work.stop();
    release();
    await stopped;
    assert.equal(ended, true);
  });
});
