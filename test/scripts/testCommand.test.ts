import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageAccess } from "../../sandbox/hosts/packages.mjs";
import { testFiles } from "../../scripts/commands/test";

const PROJECT = join(__dirname, "../..");

describe("npm test", function () {
  this.timeout(120_000);
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "tests-"));
    env = {};
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  /** Runs one test file of the given text; gives the exit code and the last line. */
  let env: NodeJS.ProcessEnv;
  function run(
    text: string,
    ...args: string[]
  ): { status: number | null; last: string | undefined; stdout: string } {
    const file = join(dir, "some.test.ts");
    writeFileSync(file, text);
    const { status, stdout } = spawnSync(process.execPath, ["scripts/run.mjs", "test", file, ...args], {
      cwd: PROJECT,
      encoding: "utf8",
      // Skips are no failure there, unless a test says that it is in CI.
      env: { ...process.env, CI: "", ...env },
    });
    return { status, last: stdout.trimEnd().split("\n").at(-1), stdout };
  }

  it("ends with the totals; skipped ones are named and do no harm", () => {
    const { status, last, stdout } = run(
      'it("a", () => {}); it("b", () => {}); it("c", function () { console.log("skipped: no such tool"); this.skip(); });',
    );
    assert.equal(status, 0);
    assert.equal(last, "2 passed, 0 failed, 1 skipped");
    assert.match(stdout, /skipped: no such tool/);
    assert.match(stdout, /Skipped \(the reasons are above\):\n +- c/);
  });

  it("fails with a failing test, whose error is told", () => {
    const { status, last, stdout } = run(
      'it("a", () => {}); it("bad", () => { throw new Error("wrong sum"); });',
    );
    assert.equal(status, 1);
    assert.equal(last, "1 passed, 1 failed, 0 skipped");
    // In full at the end, after the skipped: a log that is cut keeps its end.
    assert.match(
      stdout,
      /✖ bad: wrong sum.*1\) bad:\s+Error: wrong sum\n +at .*\n1 passed, 1 failed, 0 skipped\n$/s,
    );
  });

  const broken: [string, string, string[]?][] = [
    ["no test ran", 'describe("empty", () => {});'],
    ["all were skipped", 'it.skip("a", () => {});'],
    ["none matches", 'it("a", () => {});', ["--grep", "zzz"]],
    ["a file cannot be loaded", 'import "./absent";'],
    [
      "a hook fails",
      'describe("x", () => { before(() => { throw new Error("no"); }); it("a", () => {}); });',
    ],
    ["one is marked only", 'it.only("a", () => {});'],
  ];
  for (const [what, text, args = []] of broken) {
    it(`fails where ${what}`, () => {
      const { status, last } = run(text, ...args);
      assert.notEqual(status, 0);
      assert.match(last ?? "", /^\d+ passed, [1-9]\d* failed, \d+ skipped$/);
    });
  }

  it("fails in CI where a test is skipped that test/allowedSkips.json does not name", async function () {
    if ((await packageAccess()).problem !== undefined) {
      console.log("      skipped: packages cannot be installed here, so every skip is allowed");
      this.skip();
    }
    env = { CI: "true" };
    const skips = 'it("a", () => {}); it("needs a tool", function () { this.skip(); });';
    const { status, last, stdout } = run(skips);
    assert.equal(status, 1);
    assert.match(stdout, /Error: Skipped in CI, but not listed in test\/allowedSkips\.json: needs a tool\n/);
    assert.equal(last, "1 passed, 1 failed, 1 skipped");
    const [allowed] = JSON.parse(readFileSync(join(PROJECT, "test/allowedSkips.json"), "utf8"));
    assert.ok(allowed.reason.length > 10);
    const named = skips.replace("needs a tool", allowed.test);
    assert.deepEqual([run(named).status, run(named).last], [0, "1 passed, 0 failed, 1 skipped"]);
  });

  it("lets what a test has made be taken down at Ctrl-C, and is no pass", async () => {
    const text = `
      describe("x", () => {
        after(() => console.log("taken down"));
        it("long", async () => { console.log("under way"); await new Promise((resolve) => setTimeout(resolve, 1000)); });
        it("next", () => console.log("next began"));
      });`;
    const file = join(dir, "some.test.ts");
    writeFileSync(file, text);
    const child = spawn(process.execPath, ["scripts/run.mjs", "test", file], { cwd: PROJECT });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
      if (/under way\n$/.test(output)) child.kill("SIGINT");
    });
    const [status] = await once(child, "close");
    assert.notEqual(status, 0);
    assert.match(output, /✔ long.*taken down.*were interrupted.*\n1 passed, 1 failed, 0 skipped\n$/s);
    assert.doesNotMatch(output, /next began/);
  });

  it("runs every test file of the project, quick ones first", () => {
    const files = testFiles();
    assert.ok(files.includes(join("test", "scripts", "testCommand.test.ts")));
    assert.ok(
      files.indexOf(join("test", "verify.test.ts")) < files.findIndex((file) => file.includes("sandbox")),
    );
    assert.equal(new Set(files).size, files.length);
  });
});
