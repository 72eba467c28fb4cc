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

  it("ends an old connection: at once where it is idle, else when it is given back; and no young one", () => {
    const pool = new EventEmitter();
    const due: (() => void)[] = [];
    limitAge(pool, 1000, (milliseconds, work) => {
      assert.equal(milliseconds, 1000);
      due.push(work);
    });
    const [idle, busy, young] = [connection(), connection(), connection()];
    for (const each of [idle, busy, young])
      for (const event of ["connection", "acquire"]) pool.emit(event, each);
    for (const each of [idle, young]) pool.emit("release", each);
    for (const work of due.slice(0, 2)) work();
    assert.deepEqual([idle.destroyed, busy.destroyed, young.destroyed], [true, false, false]);
    pool.emit("release", busy);
    assert.deepEqual([busy.destroyed, young.destroyed], [true, false]);
  });
});
