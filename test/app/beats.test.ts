import assert from "node:assert/strict";
import { type BeatRow, Beats, firstBeat, readBeats, writeBeat } from "../../app/beats";
import { CannotCommit, examine, type Query } from "../../app/health";
import { memberStateQuery } from "../../app/memberState";

describe("app: how far members are behind", () => {
  const rows = (a: number, b: number): BeatRow[] => [
    { member: "a", beat: a },
    { member: "b", beat: b },
  ];

  it("is the time since a member has seen its own commit which the other one lacks", () => {
    const beats = new Beats();
    assert.equal(beats.lagMs("a", rows(1, 1), 0), 0);
    assert.equal(beats.lagMs("b", rows(1, 1), 100), 0);
    beats.lagMs("a", rows(2, 1), 1000);
    beats.lagMs("a", rows(3, 1), 2000);
    assert.equal(beats.lagMs("b", rows(1, 2), 2500), 1500);
    assert.equal(beats.lagMs("b", rows(2, 3), 2500), 500);
    assert.equal(beats.lagMs("b", rows(3, 4), 2500), 0);
  });

  it("does not grow where the other one no longer writes", () => {
    const beats = new Beats();
    beats.lagMs("a", rows(5, 1), 0);
    assert.equal(beats.lagMs("b", rows(5, 1), 60_000), 0);
  });

  it("is too long above two seconds", () => {
    const beats = new Beats();
    beats.lagMs("a", rows(2, 1), 0);
    assert.ok(!beats.isBehind("b", rows(1, 1), 2000));
    assert.ok(beats.isBehind("b", rows(1, 1), 2001));
  });
});

describe("app: a look at a member", () => {
  const state = {
    self: "db-1",
    readOnly: 0,
    connections: 1,
    connectionLimit: 9,
    host: "db-1",
    state: "ONLINE",
    queue: 0,
  };
  let asked: string[];
  const answering = (answers: Record<string, unknown[] | Error>): Query =>
    (async (sql: string) => {
      asked.push(sql);
      const answer = answers[sql] ?? [];
      if (answer instanceof Error) throw answer;
      return answer;
    }) as Query;
  const look = (answers: Record<string, unknown[] | Error>) =>
    examine("group", new Beats(), answering({ [memberStateQuery]: [state], ...answers }), () => 0);
  const failing = (fields: object) => Object.assign(new Error("no"), fields);
  beforeEach(() => {
    asked = [];
  });

  it("writes, and reads what is written", async () => {
    const verdict = await look({ [readBeats]: [{ member: "db-1", beat: 4 }] });
    assert.deepEqual(verdict, { fitness: "fit", reason: "ONLINE" });
    assert.deepEqual(asked, [memberStateQuery, writeBeat, readBeats]);
  });

  it("makes the member's row where there is none", async () => {
    await look({});
    assert.deepEqual(asked.slice(2), [readBeats, firstBeat]);
  });

  it("writes nothing on a member that takes no writes", async () => {
    assert.equal((await look({ [memberStateQuery]: [{ ...state, readOnly: 1 }] })).reason, "read-only");
    assert.deepEqual(asked, [memberStateQuery]);
  });

  for (const fields of [
    { code: "PROTOCOL_SEQUENCE_TIMEOUT" },
    { errno: 1205, code: "ER_LOCK_WAIT_TIMEOUT" },
    { errno: 1114, code: "ER_RECORD_FILE_FULL" },
  ]) {
    it(`cannot commit: ${fields.code}`, async () => {
      await assert.rejects(
        look({ [writeBeat]: failing(fields) }),
        (error) => error instanceof CannotCommit && error.message === `a small write fails (${fields.code})`,
      );
    });
  }

  it("a connection that is lost under way is no answer", async () => {
    const lost = failing({ code: "PROTOCOL_CONNECTION_LOST" });
    await assert.rejects(look({ [writeBeat]: lost }), (error) => !(error instanceof CannotCommit));
  });

  for (const errno of [1146, 1049, 1142, 1044]) {
    it(`goes by the state where the database hosts have no table for it yet (error ${errno})`, async () => {
      assert.equal((await look({ [writeBeat]: failing({ errno }) })).fitness, "fit");
    });
  }

  it("finds a member that lacks what another one has committed", async () => {
    const beats = new Beats();
    beats.lagMs("db-2", [{ member: "db-2", beat: 7 }], 0);
    const query = answering({ [memberStateQuery]: [state], [readBeats]: [{ member: "db-2", beat: 6 }] });
    const verdict = await examine("group", beats, query, () => 3000);
    assert.deepEqual(verdict, { fitness: "impaired", reason: "behind the other members" });
  });
});
