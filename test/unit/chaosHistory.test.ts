import assert from "node:assert/strict";
import * as fc from "fast-check";
import {
  type Attempt,
  History,
  judge,
  type Member,
  type Note,
  type Operation,
  outcomeOf,
  type Rule,
  ranksAbove,
} from "../hosts/chaos/history";

const time = (ms: number) => new Date(ms).toISOString();
const note = (id: number, text = `n${id}`, at = id): Note => ({ id, text, createdAt: time(at) });
const answer = (status: number, retryAfter = false): Attempt => ({ start: 0, end: 1, status, retryAfter });
const append = (session: string, stored: Note, ...attempts: Attempt[]): Operation[] => [
  { kind: "invoke", session, text: stored.text },
  {
    kind: "append",
    session,
    text: stored.text,
    attempts: attempts.length > 0 ? attempts : [answer(201)],
    ...(attempts.length === 0 || attempts.some(({ status }) => status === 201) ? { note: stored } : {}),
  },
];
const read = (session: string, ...notes: Note[]): Operation => ({
  kind: "read",
  session,
  attempts: [answer(200)],
  notes,
});
const holding = (...notes: Note[]): Member[] =>
  ["one", "two", "three"].map((name) => ({ name, notes, checksum: "same" }));
const replaced = (members: Member[], change: Partial<Member>): Member[] => [
  ...members.slice(0, 2),
  { ...members[2]!, ...change },
];
const rulesOf = (operations: Operation[], members: Member[], limit?: number): Rule[] => [
  ...new Set(judge(operations, members, limit).violations.map(({ rule }) => rule)),
];

const [a, b, c, d] = [note(1), note(2), note(3), note(4)];
const GOOD = [...append("x", a), read("x", a), ...append("y", b), read("y", b, a), read("x", b, a)];

describe("chaos: the checker of histories", () => {
  it("a history in which all is well is valid", () => {
    assert.deepEqual(judge(GOOD, holding(a, b)), { verdict: "valid", violations: [], doubts: [] });
  });

  it("knows from an answer whether a note is stored", () => {
    const table: [number, boolean, string][] = [
      [201, false, "stored"],
      [503, true, "refused"],
      // The load balancer's own.
      [503, false, "unknown"],
      [504, false, "unknown"],
      [502, false, "unknown"],
      [0, false, "unknown"],
      [429, false, "refused"],
      [422, false, "refused"],
      [408, false, "unknown"],
    ];
    for (const [status, retryAfter, outcome] of table)
      assert.equal(outcomeOf({ status, retryAfter }), outcome, String(status));
  });

  describe("finds", () => {
    const wrong: [Rule, string, Operation[], Member[]][] = [
      ["lost", "an acknowledged note that no member has", GOOD, holding(a)],
      [
        "lost",
        "an acknowledged note that one member lacks",
        GOOD,
        replaced(holding(a, b), { notes: [a], checksum: "same" }),
      ],
      [
        "lost",
        "a note that a repetition was told of",
        [...GOOD, ...append("x", c, answer(0), answer(201))],
        holding(a, b),
      ],
      ["doubled", "a note that is stored twice", GOOD, holding(a, b, note(9, "n2"))],
      [
        "doubled",
        "a note of unknown outcome that is stored twice",
        [...GOOD, ...append("x", c, answer(0), answer(504))],
        holding(a, b, c, note(9, "n3")),
      ],
      ["doubled", "a note that is twice in a list", [...GOOD, read("x", note(9, "n2"), b, a)], holding(a, b)],
      [
        "refused",
        "a note of which every answer said that it is not stored",
        [...GOOD, ...append("x", c, answer(503, true), answer(503, true))],
        holding(a, b, c),
      ],
      [
        "altered",
        "an answer that names another note",
        [
          ...GOOD,
          { kind: "append", session: "x", text: "n3", attempts: [answer(201)], note: note(3, "other") },
        ],
        holding(a, b, c),
      ],
      ["altered", "a note that has another number than was acknowledged", GOOD, holding(a, note(7, "n2"))],
      [
        "vanished",
        "a note that was read and is gone",
        [...append("x", a), ...append("y", b, answer(504), answer(504)), read("x", b, a)],
        holding(a),
      ],
      ["unexplained", "a note that no session has sent", GOOD, holding(a, b, c)],
      [
        "own write",
        "a session that does not read its own note",
        [...GOOD, ...append("x", c), read("x", b, a)],
        holding(a, b, c),
      ],
      [
        "went back",
        "a session whose reads go back",
        [...GOOD, ...append("y", c), read("x", c, b, a), read("x", b, a)],
        holding(a, b, c),
      ],
      ["unequal", "members that differ", GOOD, replaced(holding(a, b), { checksum: "another" })],
    ];
    for (const [rule, what, operations, members] of wrong) {
      it(`${rule}: ${what}`, () => {
        assert.deepEqual(rulesOf(operations, members), [rule]);
        assert.equal(judge(operations, members).verdict, "invalid");
      });
    }

    it("own write and went back in a full list: what ranks above its end must be in it", () => {
      const own = [...append("x", d), read("x", c, b)];
      assert.deepEqual(rulesOf([...append("y", b), ...append("y", c), ...own], holding(b, c, d), 2), [
        "own write",
      ]);
      const back = [read("x", d, c), read("x", c, b)];
      assert.deepEqual(
        rulesOf([b, c, d].flatMap((one) => append("y", one)).concat(back), holding(b, c, d), 2),
        ["went back"],
      );
    });
  });

  describe("does not blame", () => {
    const fine: [string, Operation[], Member[], number?][] = [
      [
        "an unknown outcome that is stored",
        [...GOOD, ...append("x", c, answer(0), answer(504))],
        holding(a, b, c),
      ],
      [
        "an unknown outcome that is not stored",
        [...GOOD, ...append("x", c, answer(0), answer(504))],
        holding(a, b),
      ],
      [
        "a write without an end, stored",
        [...GOOD, { kind: "invoke", session: "x", text: "n3" }],
        holding(a, b, c),
      ],
      [
        "a write without an end, not stored",
        [...GOOD, { kind: "invoke", session: "x", text: "n3" }],
        holding(a, b),
      ],
      [
        "a refusal whose repetition was stored",
        [...GOOD, ...append("x", c, answer(503, true), answer(201))],
        holding(a, b, c),
      ],
      [
        "a refusal after an unknown outcome",
        [...GOOD, ...append("x", c, answer(0), answer(503, true))],
        holding(a, b, c),
      ],
      ["a refusal that is not stored", [...GOOD, ...append("x", c, answer(503, true))], holding(a, b)],
      [
        "a note below the end of a full list",
        [...GOOD, ...append("y", c), read("x", c, b)],
        holding(a, b, c),
        2,
      ],
      [
        "an own note from a host whose clock is behind, below the end of a full list",
        [...append("x", c), ...append("x", d), ...append("x", note(5, "n5", 0)), read("x", d, c)],
        holding(c, d, note(5, "n5", 0)),
        2,
      ],
      [
        "another session's note that a session has not read yet",
        [...GOOD, ...append("y", c), read("x", b, a)],
        holding(a, b, c),
      ],
      [
        "a read that fails",
        [...GOOD, { kind: "read", session: "x", attempts: [answer(503)] }],
        holding(a, b),
      ],
    ];
    for (const [what, operations, members, limit] of fine) {
      it(what, () =>
        assert.deepEqual(judge(operations, members, limit), { verdict: "valid", violations: [], doubts: [] }),
      );
    }
  });

  describe("is not sure", () => {
    const unsure: [string, Operation[], Member[]][] = [
      ["without operations", [], holding()],
      ["without an acknowledged write", [read("x")], holding()],
      ["without a read", append("x", a), holding(a)],
      ["without members", GOOD, []],
      ["with one member", GOOD, holding(a, b).slice(0, 1)],
      [
        "with a member that is silent",
        GOOD,
        replaced(holding(a, b), { notes: undefined, checksum: undefined }),
      ],
      ["with a list that is not in order", [...GOOD, read("x", a, b)], holding(a, b)],
      [
        "with a list that cannot be read",
        [...GOOD, { kind: "read", session: "x", attempts: [answer(200)] }],
        holding(a, b),
      ],
      ["with a list that is longer than its limit", [...GOOD, read("x", c, b, a)], holding(a, b)],
      [
        "with an acknowledgement that cannot be read",
        [...GOOD, { kind: "append", session: "x", text: "n3", attempts: [answer(201)] }],
        holding(a, b, c),
      ],
      ["with a text that is used twice", [...GOOD, ...append("x", a)], holding(a, b)],
    ];
    for (const [what, operations, members] of unsure) {
      it(what, () => {
        const { verdict, violations, doubts } = judge(operations, members, 2);
        assert.deepEqual([verdict, violations], ["unknown", []]);
        assert.ok(doubts.length > 0);
      });
    }

    it("but a violation counts for more than a doubt", () => {
      assert.equal(judge(append("x", a), holding()).verdict, "invalid");
    });
  });

  describe("on a site that is right, and on one that is wrong somewhere", () => {
    /** Steps of sessions: who, writes (with a clock that is wrong by so much) or reads. */
    const steps = fc.array(
      fc.record({
        session: fc.constantFrom("x", "y", "z"),
        isWrite: fc.boolean(),
        skewMs: fc.constantFrom(0, 0, 0, -600_000, 600_000),
        end: fc.constantFrom("stored", "repeated", "refused", "unknown stored", "unknown absent"),
      }),
      { minLength: 1, maxLength: 60 },
    );
    type Steps = typeof steps extends fc.Arbitrary<infer T> ? T : never;

    /** A site with one copy of its notes, whose list shows the newest by the web host's clock. */
    function run(all: Steps, limit: number): { operations: Operation[]; notes: Note[] } {
      const operations: Operation[] = [];
      const notes: Note[] = [];
      for (const [index, { session, isWrite, skewMs, end }] of all.entries()) {
        if (!isWrite) {
          const list = [...notes].sort((one, other) => (ranksAbove(one, other) ? -1 : 1)).slice(0, limit);
          operations.push(read(session, ...list));
          continue;
        }
        const written = note(index, `n${index}`, 1e6 + index + skewMs);
        if (end !== "refused" && end !== "unknown absent") notes.push(written);
        const attempts = {
          stored: [answer(201)],
          repeated: [answer(504), answer(201)],
          refused: [answer(503, true), answer(503, true)],
          "unknown stored": [answer(0), answer(503, true)],
          "unknown absent": [answer(0), answer(504)],
        }[end];
        operations.push(...append(session, written, ...(attempts ?? [])));
      }
      return { operations, notes };
    }
    const isAcknowledged = (operation: Operation) =>
      operation.kind === "append" && operation.attempts.some(({ status }) => status === 201);

    it("never blames one that is right, whatever its list shows and its clocks say", () => {
      fc.assert(
        fc.property(steps, fc.integer({ min: 1, max: 8 }), (all, limit) => {
          const { operations, notes } = run(all, limit);
          const { verdict, violations } = judge(operations, holding(...notes), limit);
          assert.deepEqual(violations, []);
          const isJudged = operations.some(isAcknowledged) && operations.some(({ kind }) => kind === "read");
          assert.equal(verdict, isJudged ? "valid" : "unknown");
        }),
        { numRuns: 500 },
      );
    });

    it("never calls one valid that has lost or doubled an acknowledged note on any member", () => {
      fc.assert(
        fc.property(steps, fc.nat(), fc.boolean(), fc.boolean(), (all, pick, isLost, onAll) => {
          const { operations, notes } = run(all, 5);
          const acknowledged = operations.filter(isAcknowledged);
          fc.pre(acknowledged.length > 0);
          const { text } = acknowledged[pick % acknowledged.length] as { text: string };
          const wrong = isLost ? notes.filter((one) => one.text !== text) : [...notes, note(1000, text)];
          const members = onAll ? holding(...wrong) : replaced(holding(...notes), { notes: wrong });
          assert.deepEqual(rulesOf(operations, members, 5), [isLost ? "lost" : "doubled"]);
        }),
      );
    });

    it("never calls one valid that has kept a note which it said it had not stored", () => {
      fc.assert(
        fc.property(steps, (all) => {
          const { operations, notes } = run(
            [...all, { session: "x", isWrite: true, skewMs: 0, end: "refused" }],
            5,
          );
          const kept = note(999, `n${all.length}`);
          assert.deepEqual(rulesOf(operations, holding(...notes, kept), 5), ["refused"]);
        }),
      );
    });

    it("sees every read that lacks what its session knew, where the list is not full", () => {
      fc.assert(
        fc.property(steps, fc.nat(), (all, pick) => {
          const { operations, notes } = run(all, 1000);
          const reads = operations.flatMap((one, index) =>
            one.kind === "read" && one.notes!.length > 0 ? [index] : [],
          );
          fc.pre(reads.length > 0);
          const at = reads[pick % reads.length]!;
          const old = operations[at] as Extract<Operation, { kind: "read" }>;
          const gone = old.notes![pick % old.notes!.length]!;
          const isKnown = operations
            .slice(0, at)
            .some(
              (one) =>
                one.kind !== "invoke" &&
                one.session === old.session &&
                (one.kind === "read"
                  ? one.notes!.some(({ id }) => id === gone.id)
                  : isAcknowledged(one) && one.text === gone.text),
            );
          const stale = { ...old, notes: old.notes!.filter((one) => one !== gone) };
          const { verdict } = judge(operations.with(at, stale), holding(...notes), 1000);
          assert.equal(verdict === "invalid", isKnown);
        }),
        { numRuns: 500 },
      );
    });
  });

  it("a long session of writes and reads of a full list", () => {
    const history = new History(2);
    for (let id = 1; id <= 5000; id++) {
      for (const one of append("x", note(id))) history.add(one);
      history.add(read("x", ...[note(id), note(id - 1)].slice(0, id === 1 ? 1 : 2)));
    }
    assert.deepEqual(history.violations, []);
  });
});
