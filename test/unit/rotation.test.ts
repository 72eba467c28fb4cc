import assert from "node:assert/strict";
import { generationIn, inTurn } from "../../infra/components/rotation";

describe("a rotation", () => {
  /** What is used and accepted at a step, by generation. */
  const at = (step: number) => inTurn(step, [generationIn(0, step), generationIn(1, step)]);

  it("accepts the next one, then uses it, then accepts no other", () => {
    assert.deepEqual([0, 1, 2, 3, 4, 5, 6].map(at), [
      { used: 0, accepted: [0] },
      { used: 0, accepted: [0, 1] },
      { used: 1, accepted: [0, 1] },
      { used: 1, accepted: [1] },
      { used: 1, accepted: [1, 2] },
      { used: 2, accepted: [1, 2] },
      { used: 2, accepted: [2] },
    ]);
  });

  it("never uses what the step before did not accept, and accepts what it used", () => {
    for (let step = 1; step < 30; step++) {
      const before = at(step - 1);
      const now = at(step);
      assert.ok((before.accepted as readonly number[]).includes(now.used), `step ${step}`);
      assert.ok((now.accepted as readonly number[]).includes(before.used), `step ${step}`);
    }
  });

  it("creates the next one when the rotation begins, and replaces nothing that is accepted", () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4].map((step) => [generationIn(0, step), generationIn(1, step)]),
      [
        [0, -1],
        [0, 1],
        [0, 1],
        [0, 1],
        [2, 1],
      ],
    );
  });
});
