import assert from "node:assert/strict";
import { type Clock, isUnknown, isWorthRepeating, needsOtherMember, withRetries } from "../../app/retry";

const limits = { deadlineMs: 1000, firstPauseMs: 20, longestPauseMs: 100 };

function fakeClock(): Clock & { readonly pauses: number[] } {
  let now = 0;
  const pauses: number[] = [];
  return {
    pauses,
    now: () => now,
    random: () => 1,
    pause: async (milliseconds) => {
      pauses.push(milliseconds);
      now += milliseconds;
    },
  };
}

describe("app: retries", () => {
  for (const errno of [1213, 1205, 3101, 1290, 1836]) {
    it(`repeats after MySQL's error ${errno}, which has left nothing behind`, async () => {
      let tries = 0;
      const result = await withRetries(
        async () => {
          if (++tries < 4) throw Object.assign(new Error("lost"), { errno });
          return "done";
        },
        limits,
        fakeClock(),
      );
      assert.deepEqual([result, tries], ["done", 4]);
    });
  }

  it("repeats where no connection was made, for nothing was sent", () => {
    for (const error of [
      { code: "ECONNREFUSED" },
      { code: "ENOENT" },
      { code: "PROTOCOL_CONNECTION_LOST", connecting: true },
    ]) {
      assert.ok(isWorthRepeating(error), error.code);
    }
  });

  for (const error of [
    { code: "PROTOCOL_CONNECTION_LOST" },
    { code: "ECONNRESET" },
    { code: "PROTOCOL_SEQUENCE_TIMEOUT" },
    { errno: 1053 },
    { errno: 1317 },
    { errno: 3100 },
  ]) {
    it(`repeats after ${JSON.stringify(error)}, whose effect is unknown, on another connection`, () => {
      assert.ok(isUnknown(error) && isWorthRepeating(error) && needsOtherMember(error));
    });
  }

  for (const errno of [1062, 1142, 1406, 3024]) {
    it(`does not repeat after MySQL's error ${errno}, which comes again`, async () => {
      let tries = 0;
      const work = async () => {
        tries++;
        throw Object.assign(new Error("the same again"), { errno });
      };
      await assert.rejects(withRetries(work, limits, fakeClock()), /the same again/);
      assert.equal(tries, 1);
    });
  }

  it("gives up at its deadline, with the last error, and pauses longer each time", async () => {
    const clock = fakeClock();
    const work = async () => {
      throw Object.assign(new Error(`at ${clock.now()}`), { errno: 1213 });
    };
    await assert.rejects(withRetries(work, limits, clock), /^Error: at 940$/);
    assert.deepEqual(clock.pauses.slice(0, 5), [20, 40, 80, 100, 100]);
  });

  it("knows which errors mean another member", () => {
    assert.ok(needsOtherMember({ errno: 1290 }) && needsOtherMember({ errno: 3100 }));
    assert.ok(needsOtherMember({ errno: 1205 }), "somebody holds a lock there");
    assert.ok(!needsOtherMember({ errno: 1213 }));
  });
});
