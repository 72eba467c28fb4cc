import assert from "node:assert/strict";
import type { Pool } from "mysql2/promise";
import { mysqlNotes } from "../../app/notes";
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
    const { createdAt, ...note } = await mysqlNotes(fake.pool, "web-1", clock).add(text);
    assert.deepEqual(note, { id: 7, text, webHost: "web-1", databaseHost: "db-1" });
    assert.deepEqual(fake.asked[1]?.values, [text, "web-1", "db-1", new Date(createdAt)]);
    assert.ok(fake.asked.every(({ sql, timeout }) => !sql.includes("DROP") && timeout === 5000));
    assert.deepEqual(fake.counts(), { released: 1, destroyed: 0 });
  });

  it("writes again where the transaction lost to another writer's", async () => {
    const fake = fakePool([[[host]], mysqlError(3101), [[host]], [{ insertId: 7 }]]);
    await mysqlNotes(fake.pool, "web-1", clock).add("x");
    assert.equal(fake.asked.length, 4);
    assert.deepEqual(fake.counts(), { released: 2, destroyed: 0 });
  });

  it("goes to another member where this one has become read-only", async () => {
    const fake = fakePool([[[host]], mysqlError(1290), [[host]], [{ insertId: 7 }]]);
    await mysqlNotes(fake.pool, "web-1", clock).add("x");
    assert.equal(fake.counts().destroyed, 1);
  });

  it("waits out a moment without any member", async () => {
    const lost = () => Object.assign(new Error("lost"), { code: "PROTOCOL_CONNECTION_LOST" });
    const fake = fakePool([[[row]]], [lost(), lost()]);
    const [note] = await mysqlNotes(fake.pool, "web-1", clock).list(5);
    assert.equal(note?.createdAt, "1970-01-01T00:00:00.000Z");
  });

  it("does not write again after a connection was lost under way", async () => {
    const fake = fakePool([[[host]], Object.assign(new Error("lost"), { code: "PROTOCOL_CONNECTION_LOST" })]);
    await assert.rejects(mysqlNotes(fake.pool, "web-1", clock).add("x"), /lost/);
    assert.equal(fake.asked.length, 2);
  });

  it("is ready where the member that HAProxy picked takes writes; a connection to another one is ended", async () => {
    assert.equal(await mysqlNotes(fakePool([[[{ readOnly: 0 }]]]).pool, "web-1", clock).isWritable(), true);
    const fake = fakePool([[[{ readOnly: 1 }]]]);
    assert.equal(await mysqlNotes(fake.pool, "web-1", clock).isWritable(), false);
    assert.equal(fake.counts().destroyed, 1);
  });
});
