import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { limitAge } from "../../app/database";

describe("app: the age of connections", () => {
  function connection() {
    const made = { destroyed: false, destroy: () => {} };
    made.destroy = () => {
      made.destroyed = true;
    };
    return made;
  }

  it("ends a connection that is given back when it is old, and no other", () => {
    const pool = new EventEmitter();
    let now = 0;
    limitAge(pool, 1000, () => now);
    const [old, young] = [connection(), connection()];
    pool.emit("connection", old);
    now = 900;
    pool.emit("connection", young);
    pool.emit("release", old);
    assert.equal(old.destroyed, false);
    now = 1001;
    for (const each of [old, young]) pool.emit("release", each);
    assert.deepEqual([old.destroyed, young.destroyed], [true, false]);
  });
});
