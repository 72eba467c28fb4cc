import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { chaosOptions } from "../../scripts/chaos/options";
import { type ChaosReport, type ChaosRun, faultNames, reportText } from "../../scripts/chaos/report";
import { EXIT_CODES, Failure } from "../../scripts/failure";
import { PROJECT_DIR } from "../../scripts/home";

const options = (values: Record<string, string>, ...flags: string[]) =>
  chaosOptions({ text: (name) => values[name], flag: (name) => flags.includes(name) }, () => 42);
const DEFAULTS = { seed: 42, faults: faultNames, keepsMajority: false };

describe("npm run chaos: its options", () => {
  it("have defaults: 30 minutes, every failure, a new seed", () => {
    assert.deepEqual(options({}), { ...DEFAULTS, seconds: 1800 });
    assert.deepEqual(options({}, "majority"), { ...DEFAULTS, keepsMajority: true, seconds: 1800 });
  });

  it("end after minutes, after runs, or at whichever comes first", () => {
    assert.deepEqual(options({ minutes: "2", seed: "0" }), { ...DEFAULTS, seed: 0, seconds: 120 });
    assert.deepEqual(options({ runs: "100" }), { ...DEFAULTS, steps: 100 });
    const both = options({ runs: "9", minutes: "1", faults: "power-all, lock-table,power-all" });
    assert.deepEqual(both, { ...DEFAULTS, faults: ["power-all", "lock-table"], steps: 9, seconds: 60 });
  });

  const refused: [Record<string, string>, RegExp][] = [
    [{ minutes: "0" }, /^--minutes: expected a whole number from 1 to 1440, got "0"$/],
    [{ minutes: "half" }, /^--minutes: expected a whole number/],
    [{ minutes: "1.5" }, /^--minutes: expected a whole number/],
    [{ runs: "-1" }, /^--runs: expected a whole number from 1 to 10000, got "-1"$/],
    [{ seed: "4294967296" }, /^--seed: expected a whole number from 0 to 4294967295/],
    [{ faults: "power-one,flood" }, /^--faults: unknown name "flood"$/],
    [{ faults: "power-one," }, /^--faults: unknown name ""$/],
  ];
  for (const [values, message] of refused) {
    it(`refuse ${JSON.stringify(values)}`, () => {
      assert.throws(
        () => options(values),
        (error: unknown) => {
          assert.ok(error instanceof Failure);
          assert.equal(error.exitCode, EXIT_CODES.usage);
          assert.match(error.message, message);
          if ("faults" in values) assert.match(error.remedy ?? "", /^Names: power-one, /);
          return true;
        },
      );
    });
  }
});

describe("docs/reliability.md", () => {
  it("lists every failure, and no other", () => {
    const page = readFileSync(join(PROJECT_DIR, "docs", "reliability.md"), "utf8");
    const section = page.split("\n## Failures\n")[1]?.split("\n## ")[0] ?? "";
    const rows = section.split("\n").filter((line) => /^\| [a-z-]+(, [a-z-]+)* \|.*(\d|all) \|$/.test(line));
    const listed = rows.flatMap((row) => row.split(" | ")[0]?.slice(2).split(", ") ?? []);
    assert.deepEqual(listed, faultNames);
  });
});

describe("npm run chaos: its table", () => {
  const run = (values: Partial<ChaosRun>): ChaosRun => ({
    ...{ faults: ["power-one"], hosts: ["node-1"], at: 0, seconds: 5, wholeAfterSeconds: 10 },
    ...{ longestReadGapSeconds: 0.5, longestWriteGapSeconds: 3, lost: 0, doubled: 0, others: 0 },
    ...{ operations: 1000, rawGood: 990, retriedGood: 1000 },
    ...values,
  });
  const report = (runs: ChaosRun[], values: Partial<ChaosReport> = {}): string =>
    reportText({
      ...{
        seed: 7,
        runs,
        acknowledged: 500,
        verdict: "valid",
        violationsByRule: {},
        examples: [],
        doubts: [],
      },
      total: { operations: 30_000, rawGood: 29_000, retriedGood: 29_999 },
      ...values,
    });
  const lineOf = (text: string, name: string) =>
    text
      .split("\n")
      .find((line) => line.startsWith(name))
      ?.split(/ {2,}/);

  it("has a row for each failure, in the order of the list, and one for all", () => {
    const text = report([
      run({ faults: ["lock-all"], longestWriteGapSeconds: 1 }),
      run({ faults: ["lock-all", "power-one"] }),
      run({ longestWriteGapSeconds: 4.25 }),
      run({ longestWriteGapSeconds: 2 }),
    ]);
    const cells = ["2", "0.5 s", "4.3 s", "99.00 %", "100.00 %", "0", "0", "valid"];
    assert.deepEqual(lineOf(text, "power-one"), ["power-one", ...cells]);
    const names = text.split("\n").map((line) => line.split(/ {2,}/)[0]);
    assert.deepEqual(names.slice(1, 5), ["power-one", "lock-all", "two at once", "all"]);
    assert.match(text, /seed 7\n/);
    assert.match(text, /verdict: valid$/);
  });

  it("never rounds a failed request away", () => {
    const text = report([run({ operations: 1_000_000, rawGood: 999_999, retriedGood: 999_999 })]);
    assert.deepEqual(lineOf(text, "power-one")?.slice(4, 6), ["99.99 %", "99.99 %"]);
    assert.match(text, /good requests: 96\.66 % of a client that repeats nothing, 99\.99 %/);
  });

  it("shows what is wrong: lost and doubled notes, other rules, a site that did not serve, doubts", () => {
    const verdictOf = (values: Partial<ChaosRun>) => lineOf(report([run(values)]), "power-one")?.at(-1);
    assert.equal(verdictOf({ lost: 1 }), "invalid");
    assert.equal(verdictOf({ doubled: 1 }), "invalid");
    assert.equal(verdictOf({ others: 1 }), "invalid");
    assert.equal(verdictOf({ stalled: "no writes" }), "stalled 1");
    assert.equal(verdictOf({ operations: 0, rawGood: 0, retriedGood: 0 }), "unknown");
    const text = report([run({})], {
      verdict: "invalid",
      violationsByRule: { lost: 2 },
      examples: ["lost: node-1 lacks x"],
      doubts: ["node-2 did not answer"],
    });
    assert.match(
      text,
      /violations by rule:\n {2}lost: 2\n {2}lost: node-1 lacks x\nnot certain: node-2 did not answer\nverdict: invalid$/,
    );
  });
});
