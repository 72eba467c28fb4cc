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
const host = { name: "db-1" };
const row = { id: 7, text: "x", webHost: "web-1", databaseHost: "db-1", createdAt: new Date(0) };
const mysqlError = (errno: number) => Object.assign(new Error("no"), { errno });

describe("app: notes in MySQL", () => {
  it("passes what a client sent as values, never as SQL, and with a time limit", async () => {
    const fake = fakePool([[[host]], [{ insertId: 7 }]]);
    const text = "'); DROP TABLE notes; --";
    const { createdAt, ...note } = await mysqlNotes(fake.pool, "web-1", clock).add(text, "key-1");
    assert.deepEqual(note, { id: 7, text, webHost: "web-1", databaseHost: "db-1" });
    assert.deepEqual(fake.asked[1]?.values, [text, "web-1", "db-1", new Date(createdAt), "key-1"]);
    assert.ok(fake.asked.every(({ sql, timeout }) => !sql.includes("DROP") && timeout === 5000));
    assert.deepEqual(fake.counts(), { released: 1, destroyed: 0 });
  });

  it("writes again where the transaction lost to another writer's", async () => {
    const fake = fakePool([[[host]], mysqlError(3101), [[host]], [{ insertId: 7 }]]);
    await mysqlNotes(fake.pool, "web-1", clock).add("x", "k");
    assert.equal(fake.asked.length, 4);
    assert.deepEqual(fake.counts(), { released: 2, destroyed: 0 });
  });

  it("goes to another member where this one has become read-only", async () => {
    const fake = fakePool([[[host]], mysqlError(1290), [[host]], [{ insertId: 7 }]]);
    await mysqlNotes(fake.pool, "web-1", clock).add("x", "k");
    assert.equal(fake.counts().destroyed, 1);
  });

  it("waits out a moment without any member", async () => {
    const lost = () => Object.assign(new Error("lost"), { code: "PROTOCOL_CONNECTION_LOST" });
    const fake = fakePool([[[row]]], [lost(), lost()]);
    const [note] = await mysqlNotes(fake.pool, "web-1", clock).list(5);
    assert.equal(note?.createdAt, "1970-01-01T00:00:00.000Z");
  });

  for (const code of ["PROTOCOL_CONNECTION_LOST", "PROTOCOL_SEQUENCE_TIMEOUT", "ECONNRESET", "EPIPE"]) {
    const lost = () => Object.assign(new Error("lost"), { code });

    it(`reads on another connection after ${code}`, async () => {
      const fake = fakePool([lost(), [[row]]]);
      assert.equal((await mysqlNotes(fake.pool, "web-1", clock).list(5)).length, 1);
      assert.deepEqual(fake.counts(), { released: 2, destroyed: 1 });
    });

    it(`writes the same key on another connection after ${code}`, async () => {
      const fake = fakePool([lost(), [[host]], lost(), [[host]], [{ insertId: 7 }]]);
      assert.equal((await mysqlNotes(fake.pool, "web-1", clock).add("x", "k")).id, 7);
      assert.deepEqual(
        fake.asked.filter(({ sql }) => sql.startsWith("INSERT")).map(({ values }) => values?.[4]),
        ["k", "k"],
      );
      assert.equal(fake.counts().destroyed, 2);
    });
  }

  it("gives the first note to a repeat: the answer was lost, and the note is there", async () => {
    const lost = Object.assign(new Error("lost"), { code: "PROTOCOL_CONNECTION_LOST" });
    const fake = fakePool([[[host]], lost, [[{ name: "db-2" }]], mysqlError(1062), [[row]]]);
    const note = await mysqlNotes(fake.pool, "web-2", clock).add("x", "k");
    assert.deepEqual([note.id, note.webHost, note.databaseHost], [7, "web-1", "db-1"]);
    assert.deepEqual(fake.asked[4]?.values, ["k"]);
  });

  it("refuses a key that belongs to another text", async () => {
    const fake = fakePool([[[host]], mysqlError(1062), [[row]]]);
    await assert.rejects(mysqlNotes(fake.pool, "web-1", clock).add("another", "k"), KeyInUse);
  });

  it("tells an error of another unique column as it is", async () => {
    const fake = fakePool([[[host]], mysqlError(1062), [[]]]);
    await assert.rejects(mysqlNotes(fake.pool, "web-1", clock).add("x", "k"), { errno: 1062 });
  });

  it("says that the outcome is unknown where an answer was lost and no repeat told more", async () => {
    const lost = Object.assign(new Error("lost"), { code: "PROTOCOL_SEQUENCE_TIMEOUT" });
    const fake = fakePool([[[host]], lost, [[host]], mysqlError(3100), [[host]], mysqlError(1142)]);
    await assert.rejects(
      mysqlNotes(fake.pool, "web-1", clock).add("x", "k"),
      (error) => error instanceof UnknownOutcome && (error.last as { errno: number }).errno === 1142,
    );
  });

  it("says that nothing was stored where every attempt was refused", async () => {
    const fake = fakePool([[[host]], mysqlError(1290), [[host]], mysqlError(1142)]);
    await assert.rejects(mysqlNotes(fake.pool, "web-1", clock).add("x", "k"), { errno: 1142 });
  });

  it("is ready where the member that HAProxy picked takes writes; a connection to another one is ended", async () => {
    assert.equal(await mysqlNotes(fakePool([[[{ readOnly: 0 }]]]).pool, "web-1", clock).isWritable(), true);
    const fake = fakePool([[[{ readOnly: 1 }]]]);
    assert.equal(await mysqlNotes(fake.pool, "web-1", clock).isWritable(), false);
    assert.equal(fake.counts().destroyed, 1);
  });
});
