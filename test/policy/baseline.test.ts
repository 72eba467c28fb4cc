import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { baselineOf, isDay, readBaseline, withBaseline } from "../../policy/check/baseline";
import { jsonReport } from "../../policy/check/json-report";
import { type Exception, judgeState } from "../../policy/check/judge";
import { junitReport } from "../../policy/check/junit-report";
import { sarifReport } from "../../policy/check/sarif-report";
import { SettingsError } from "../../policy/check/settings";
import { readState } from "../../policy/check/state";
import { textReport } from "../../policy/check/text-report";
import { droplet } from "../../policy/fixtures/texts";
import { dropletMonitoring } from "../../policy/policies/droplet-monitoring/policy";
import { supportedImages } from "../../policy/policies/supported-images/policy";
import { exportedState } from "./exportedState";
import { sarifValidator } from "./sarifValidator";

const root = join(__dirname, "../..");
const definitions = [dropletMonitoring, supportedImages];
const resources = {
  "web-1": droplet("web-1"),
  "web-2": droplet("web-2"),
  "old-1": droplet("old-1", { image: "ubuntu-18-04-x64", monitoring: true }),
};
const text = JSON.stringify(exportedState({ title: "hosts", stack: "prod", resources }), null, 2);
const whole = judgeState(readState(text), definitions, { stack: "prod" });
const today = "2026-11-30";
const exception = (more: Partial<Exception> = {}): Exception => ({
  policy: "droplet-monitoring",
  resource: "web-1",
  reason: "the agent of the old provider",
  until: "2027-01-31",
  ...more,
});
const open = (...exceptions: Exception[]) =>
  withBaseline(whole, exceptions, today).findings.map(
    ({ policy, resource }) => `${policy.name} ${resource.name}`,
  );
const all = ["supported-images old-1", "droplet-monitoring web-1", "droplet-monitoring web-2"];

describe("a baseline", () => {
  it("accepts the violations of one policy by one resource, by its name or URN", () => {
    assert.deepEqual(open(), all);
    const others = ["supported-images old-1", "droplet-monitoring web-2"];
    assert.deepEqual(open(exception()), others);
    const urn = whole.findings.find(({ resource }) => resource.name === "web-1")?.resource.urn ?? "";
    assert.deepEqual(open(exception({ resource: urn })), others);
  });

  it("accepts only the violation with its message, if it has one", () => {
    const message = whole.findings.find(({ resource }) => resource.name === "web-1")?.message ?? "";
    assert.equal(open(exception({ message })).length, 2);
    assert.deepEqual(open(exception({ message: `${message} ` })), all);
  });

  it("accepts on its last day; on the next day the violation counts again", () => {
    assert.equal(open(exception({ until: today })).length, 2);
    assert.deepEqual(open(exception({ until: "2026-11-29" })), all);
  });

  it("of all violations leaves none, and is read as it was written", () => {
    const exceptions = readBaseline(baselineOf(whole, "before: the # migration", "2027-01-31"), definitions);
    assert.equal(exceptions.length, 3);
    assert.deepEqual(open(...exceptions), []);
    assert.ok(exceptions.every(({ reason }) => reason === "before: the # migration"));
  });

  it("may be empty", () => assert.deepEqual(readBaseline("", definitions), []));

  it("with a mistake is refused, with the place, and without a value of the file", () => {
    const marker = "Marker5f1cSecret";
    for (const [given, says] of [
      ["a: [", /not YAML/],
      ["policy: x", /not a list/],
      ["- 5", /exception 1 is not a mapping/],
      [[exception(), { ...exception(), [marker]: 1 }], /exception 2 has another field than policy, resource/],
      [[exception({ reason: " " })], /exception 1: "reason" is missing/],
      [[{ ...exception(), reason: undefined }], /"reason" is missing/],
      [[exception({ until: marker })], /"until" is not a day/],
      [[exception({ until: "2027-02-30" })], /"until" is not a day/],
      [[exception({ policy: "all" })], /for one policy/],
      [[exception({ policy: "droplet-monitorin" })], /did you mean droplet-monitoring\?/],
      [[exception({ policy: `${marker} x` })], /no policy with that name/],
    ] as const) {
      const file = typeof given === "string" ? given : JSON.stringify(given);
      assert.throws(
        () => readBaseline(file, definitions),
        (error: Error) =>
          error instanceof SettingsError && says.test(error.message) && !error.message.includes(marker),
      );
    }
  });

  it("knows days of the calendar", () => {
    for (const day of ["2027-01-31", "2028-02-29"]) assert.equal(isDay(day), true, day);
    for (const day of ["2027-02-29", "2027-1-3", "tomorrow", "2027-01-31T00:00:00Z", ""])
      assert.equal(isDay(day), false, day);
  });
});

describe("a report with a baseline", () => {
  const judgment = withBaseline(
    whole,
    [exception(), exception({ resource: "web-2", until: "2026-01-01" }), exception({ resource: "gone" })],
    today,
  );

  it("in text lists every exception, and counts only what is open", () => {
    const report = textReport(judgment);
    assert.match(
      report,
      /accepted \(1\) {2}droplet-monitoring of "web-1" until 2027-01-31: the agent of the old/,
    );
    assert.match(report, /ended, counts again {2}droplet-monitoring of "web-2"/);
    assert.match(report, /without a violation, can be removed {2}droplet-monitoring of "gone"/);
    assert.match(report, /^2 mandatory, 0 advisory/m);
    assert.doesNotMatch(textReport(whole), /Exceptions/);
  });

  it("in JSON has the accepted violations apart", () => {
    const { summary, violations, exceptions } = JSON.parse(jsonReport(judgment)) as {
      summary: object;
      violations: { name: string }[];
      exceptions: { accepted: { violations: { name: string }[] }[]; ended: object[]; unused: object[] };
    };
    assert.deepEqual(summary, { mandatory: 2, advisory: 0 });
    assert.deepEqual(violations.map(({ name }) => name).sort(), ["old-1", "web-2"]);
    assert.deepEqual(
      exceptions.accepted[0]?.violations.map(({ name }) => name),
      ["web-1"],
    );
    assert.deepEqual([exceptions.ended.length, exceptions.unused.length], [1, 1]);
  });

  it("in SARIF has them as suppressions, which OASIS's schema accepts", () => {
    const log = JSON.parse(sarifReport(judgment, { name: "x", version: "1.0.0" }, "a.json")) as {
      runs: { results: { suppressions?: { justification: string }[] }[] }[];
    };
    const validate = sarifValidator();
    assert.ok(validate(log), JSON.stringify(validate.errors));
    const suppressions = log.runs[0]?.results.map((result) => result.suppressions?.length);
    assert.deepEqual(suppressions, [0, 0, 1]);
  });

  it("has a violation once that two exceptions accept, with the reason of the first", () => {
    const twice = withBaseline(whole, [exception(), exception({ reason: "another" })], today);
    const xml = junitReport(twice);
    assert.match(xml, /<testsuites name="prod" tests="3"/);
    assert.match(xml, /accepted: the agent/);
    assert.equal(xml.split("<skipped").length, 2);
    const log = JSON.parse(sarifReport(twice, { name: "x", version: "1.0.0" }, "a.json")) as {
      runs: { results: object[] }[];
    };
    assert.equal(log.runs[0]?.results.length, 3);
  });

  it("in JUnit has them as skipped, with the reason", () => {
    const xml = junitReport(judgment);
    const head = /<testsuites name="prod" tests="(\d+)" failures="(\d+)"/.exec(xml);
    assert.deepEqual([head?.[1], head?.[2]], ["3", "2"]);
    assert.match(xml, /<skipped message="accepted: the agent of the old provider"\/>/);
    assert.match(xml, /skipped="1"/);
  });
});

describe("npm run policy -- check, with a baseline", function () {
  this.timeout(300_000);
  const dir = mkdtempSync(join(tmpdir(), "secured-web-baseline-"));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const [state, file] = [join(dir, "state.json"), join(dir, "baseline.yaml")];
  const check = (...args: string[]) =>
    spawnSync(process.execPath, ["scripts/run.mjs", "policy", "check", state, ...args], {
      cwd: root,
      encoding: "utf8",
    });

  it("is refused without one, accepted with the one that it wrote, and lists what it accepts", () => {
    writeFileSync(state, text);
    assert.equal(check().status, 3);
    const written = check("--write-baseline", file, "--reason", "the migration", "--until", "2999-12-31");
    assert.equal(written.status, 0, written.stderr);
    assert.match(written.stdout, /accepts \d+ violations until 2999-12-31/);
    const { status, stdout } = check("--baseline", file);
    assert.equal(status, 0, stdout);
    assert.match(stdout, /accepted \(1\) .*"web-1" until 2999-12-31: the migration/);
  });

  it("names the missing option, and never replaces a baseline", () => {
    const before = readFileSync(file, "utf8");
    for (const [args, says] of [
      [["--write-baseline", file, "--reason", "x", "--until", "2999-12-31"], /exists/],
      [["--write-baseline", join(dir, "new"), "--until", "2999-12-31"], /requires --reason/],
      [["--write-baseline", join(dir, "new"), "--reason", "x"], /requires --until/],
      [["--write-baseline", join(dir, "new"), "--baseline", file], /cannot be used together/],
      [
        ["--write-baseline", join(dir, "new"), "--output", join(dir, "x")],
        /--output cannot be used together, because/,
      ],
      [["--write-baseline", join(dir, "new"), "--format", "json"], /--format cannot be used together/],
      [["--reason", "x"], /--reason requires --write-baseline/],
      [["--baseline", join(dir, "none")], /none: there is no such file/],
      [["--baseline", state], /state\.json: it is not a list of exceptions/],
    ] as const) {
      const { status, stderr } = check(...args);
      assert.equal(status, 2, stderr);
      assert.match(stderr, says);
    }
    assert.equal(readFileSync(file, "utf8"), before);
    for (const name of ["new", "x"]) assert.equal(existsSync(join(dir, name)), false);
  });
});
