import assert from "node:assert/strict";
import type { Pool } from "mysql2/promise";
import { KeyInUse, mysqlNotes, UnknownOutcome } from "../../app/notes";
import type { Clock } from "../../app/retry";

type Statement = { sql: string; values?: unknown[]; timeout?: number };
type Reply = unknown[] | Error;

/** A pool whose connections answer from a list; it keeps what was asked and what became of each connection. */
function fakePool(replies: Reply[], connectErrors: Error[] = []) {
  const asked: Statement[] = [];
  let released = 0;
  let destroyed = 0;
  const pool = {
    async getConnection() {
      const error = connectErrors.shift();
      if (error) throw error;
      return {
        async query(statement: Statement) {
          asked.push(statement);
          const reply = replies.shift();
          if (reply instanceof Error) throw reply;
          return reply;
        },
        destroy: () => destroyed++,
        release: () => released++,
      };
    },
  };
  return { pool: pool as unknown as Pool, asked, counts: () => ({ released, destroyed }) };
}

const clock: Clock = { now: () => 0, pause: async () => {}, random: () => 0 };
const SEEN = "3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5";
const host = { databaseHost: "db-1", seen: SEEN };
const row = { id: 7, text: "x", webHost: "web-1", databaseHost: "db-1", createdAt: new Date(0) };
const mysqlError = (errno: number) => Object.assign(new Error("no"), { errno });

describe("app: notes in MySQL", () => {
  it("passes what a client sent as values, never as SQL, and with a time limit", async () => {
    const fake = fakePool([[{ insertId: 7 }], [[host]]]);
    const text = "'); DROP TABLE notes; --";
    const { value, seen } = await mysqlNotes(fake.pool, "web-1", clock).add(text, "key-1");
    const { createdAt, ...note } = value;
    assert.deepEqual(note, { id: 7, text, webHost: "web-1", databaseHost: "db-1" });
    assert.equal(seen, SEEN);
    assert.deepEqual(fake.asked[0]?.values, [text, "web-1", new Date(createdAt), "key-1"]);
    assert.ok(fake.asked.every(({ sql, timeout }) => !sql.includes("DROP") && timeout === 5000));
    assert.deepEqual(fake.counts(), { released: 1, destroyed: 0 });
  });

  it("writes again where the transaction lost to another writer's", async () => {
    const fake = fakePool([mysqlError(3101), [{ insertId: 7 }], [[host]]]);
    await mysqlNotes(fake.pool, "web-1", clock).add("x", "k");
    assert.equal(fake.asked.length, 3);
    assert.deepEqual(fake.counts(), { released: 2, destroyed: 0 });
  });

  it("goes to another member where this one has become read-only", async () => {
    const fake = fakePool([mysqlError(1290), [{ insertId: 7 }], [[host]]]);
    await mysqlNotes(fake.pool, "web-1", clock).add("x", "k");
    assert.equal(fake.counts().destroyed, 1);
  });

  it("waits out a moment without any member", async () => {
    const lost = () => Object.assign(new Error("lost"), { code: "PROTOCOL_CONNECTION_LOST" });
    const fake = fakePool([[[row]], [[host]]], [lost(), lost()]);
    const { value, seen } = await mysqlNotes(fake.pool, "web-1", clock).list(5);
    assert.equal(value[0]?.createdAt, "1970-01-01T00:00:00.000Z");
    assert.equal(seen, SEEN);
  });

  it("asks what a list may show after it has read it", async () => {
    const fake = fakePool([[[row]], [[host]]]);
    await mysqlNotes(fake.pool, "web-1", clock).list(5);
    assert.match(fake.asked[0]?.sql ?? "", /FROM notes ORDER BY/);
    assert.match(fake.asked[1]?.sql ?? "", /gtid_executed/);
  });

  it("waits for what the visitor has seen, before it reads and before it writes", async () => {
    const fake = fakePool([
      [[{ isLate: 0 }]],
      [[row]],
      [[host]],
      [[{ isLate: 0 }]],
      [{ insertId: 8 }],
      [[host]],
    ]);
    const notes = mysqlNotes(fake.pool, "web-1", clock);
    await notes.list(5, SEEN);
    await notes.add("x", "k", SEEN);
    for (const index of [0, 3]) {
      assert.match(fake.asked[index]?.sql ?? "", /WAIT_FOR_EXECUTED_GTID_SET\(\?, 1\)/);
      assert.deepEqual(fake.asked[index]?.values, [SEEN]);
    }
  });

  it("goes to another member where this one is behind", async () => {
    const fake = fakePool([[[{ isLate: 1 }]], [[{ isLate: 0 }]], [[row]], [[host]]]);
    assert.equal((await mysqlNotes(fake.pool, "web-1", clock).list(5, SEEN)).value.length, 1);
    assert.deepEqual(fake.counts(), { released: 2, destroyed: 1 });
  });

  for (const code of ["PROTOCOL_CONNECTION_LOST", "PROTOCOL_SEQUENCE_TIMEOUT", "ECONNRESET", "EPIPE"]) {
    const lost = () => Object.assign(new Error("lost"), { code });

    it(`reads on another connection after ${code}`, async () => {
      const fake = fakePool([lost(), [[row]], lost(), [[row]], [[host]]]);
      assert.equal((await mysqlNotes(fake.pool, "web-1", clock).list(5)).value.length, 1);
      assert.deepEqual(fake.counts(), { released: 3, destroyed: 2 });
    });

    it(`writes the same key on another connection after ${code}`, async () => {
      const fake = fakePool([lost(), [{ insertId: 7 }], [[host]]]);
      assert.equal((await mysqlNotes(fake.pool, "web-1", clock).add("x", "k")).value.id, 7);
      assert.deepEqual(
        fake.asked.filter(({ sql }) => sql.startsWith("INSERT")).map(({ values }) => values?.[3]),
        ["k", "k"],
      );
      assert.equal(fake.counts().destroyed, 1);
    });
  }

  it("gives the first note to a repeat: the answer was lost, and the note is there", async () => {
    const lost = Object.assign(new Error("lost"), { code: "PROTOCOL_CONNECTION_LOST" });
    const fake = fakePool([lost, mysqlError(1062), [[row]], [[host]]]);
    const { value } = await mysqlNotes(fake.pool, "web-2", clock).add("x", "k");
    assert.deepEqual([value.id, value.webHost, value.databaseHost], [7, "web-1", "db-1"]);
    assert.deepEqual(fake.asked[2]?.values, ["k"]);
  });

  it("refuses a key that belongs to another text", async () => {
    const fake = fakePool([mysqlError(1062), [[row]]]);
    await assert.rejects(mysqlNotes(fake.pool, "web-1", clock).add("another", "k"), KeyInUse);
  });

  it("tells an error of another unique column as it is", async () => {
    const fake = fakePool([mysqlError(1062), [[]]]);
    await assert.rejects(
      mysqlNotes(fake.pool, "web-1", clock).add("x", "k"),
      (error) => error instanceof UnknownOutcome && (error.last as { errno: number }).errno === 1062,
    );
  });

  it("says that the outcome is unknown where an answer was lost and no repeat told more", async () => {
    const lost = Object.assign(new Error("lost"), { code: "PROTOCOL_SEQUENCE_TIMEOUT" });
    const fake = fakePool([lost, mysqlError(3100), mysqlError(1142)]);
    await assert.rejects(
      mysqlNotes(fake.pool, "web-1", clock).add("x", "k"),
      (error) => error instanceof UnknownOutcome && (error.last as { errno: number }).errno === 1142,
    );
  });

  it("says that the outcome is unknown where the note was stored, and a later question failed", async () => {
    for (const replies of [
      [[{ insertId: 7 }], mysqlError(3024)],
      [mysqlError(1062), mysqlError(3024)],
    ]) {
      const notes = mysqlNotes(fakePool(replies).pool, "web-1", clock);
      await assert.rejects(notes.add("x", "k"), UnknownOutcome);
    }
  });

  it("says that nothing was stored where every attempt was refused", async () => {
    const fake = fakePool([mysqlError(1290), mysqlError(1142)]);
    await assert.rejects(mysqlNotes(fake.pool, "web-1", clock).add("x", "k"), { errno: 1142 });
  });

  it("is ready where the member that HAProxy picked takes writes; a connection to another one is ended", async () => {
    assert.equal(await mysqlNotes(fakePool([[[{ readOnly: 0 }]]]).pool, "web-1", clock).isWritable(), true);
    const fake = fakePool([[[{ readOnly: 1 }]]]);
    assert.equal(await mysqlNotes(fake.pool, "web-1", clock).isWritable(), false);
    assert.equal(fake.counts().destroyed, 1);
  });
});
