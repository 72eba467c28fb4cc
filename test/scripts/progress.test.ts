import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_DIR } from "../../scripts/home";

/** Two steps side by side, of which each waits for the other to begin, and one after them. */
const PROGRAM = `
const { runSteps } = require(${JSON.stringify(join(PROJECT_DIR, "scripts/progress.ts"))});
const begun = {}; const has = {};
for (const name of ["a", "b"]) has[name] = new Promise((resolve) => { begun[name] = resolve; });
const step = (title, other) => ({ title, run: async (report, signal) => {
  report("begins");
  begun[title]?.();
  await has[other];
  if (process.env.FAIL === title) throw new Error("no " + title);
  if (process.env.FAIL) await new Promise((resolve) => signal.addEventListener("abort", resolve));
  if (signal.aborted) { console.error("b was told"); throw signal.reason; }
  return "done";
}});
runSteps([{ title: "both", together: [step("a", "b"), step("b", "a")] }, step("c")]).catch((error) => {
  console.error("ended with", error.message);
  process.exitCode = 1;
});`;

describe("progress of a command's steps", function () {
  this.timeout(30_000);
  let dir: string;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "progress-"));
    writeFileSync(join(dir, "program.ts"), PROGRAM);
  });
  after(() => rmSync(dir, { recursive: true, force: true }));
  const program = () => [process.execPath, "--import", "tsx", join(dir, "program.ts")];
  const plain = (fail = "") => {
    const [file = "", ...args] = program();
    const env = { ...process.env, FAIL: fail };
    return spawnSync(file, args, { cwd: PROJECT_DIR, encoding: "utf8", env });
  };
  const terminal = (fail = "") => {
    // script(1) gives it a terminal.
    const args = ["--quiet", "--return", "--command", `stty cols 100; ${program().join(" ")}`, "/dev/null"];
    const env = { ...process.env, FAIL: fail, TERM: "xterm" };
    return spawnSync("script", args, { cwd: PROJECT_DIR, encoding: "utf8", env });
  };

  it("in a log: each line says whose it is, side by side and then one after another", () => {
    const { stdout, status, stderr } = plain();
    assert.equal(status, 0, stderr);
    const lines = stdout.trim().split("\n");
    assert.deepEqual(lines.slice(0, 4).sort(), ["  a: begins", "  b: begins", "- a", "- b"]);
    assert.deepEqual(lines.slice(4, 6).sort(), ["✔ a: done", "✔ b: done"]);
    assert.deepEqual(lines.slice(6), ["- c", "  begins", "✔ c: done"]);
  });

  it("a failure aborts what runs beside it, and nothing follows", () => {
    const { stdout, status, stderr } = plain("a");
    assert.equal(status, 1);
    assert.equal(stderr, "b was told\nended with no a\n");
    assert.match(stdout, /✖ a\n✖ b\n$/);
  });

  it("in a terminal: the same", () => {
    const { stdout, status } = terminal();
    assert.equal(status, 0, stdout);
    for (const title of ["both", "a: done", "b: done", "c: done"]) assert.ok(stdout.includes(title), stdout);
    const failed = terminal("a");
    assert.equal(failed.status, 1);
    assert.match(failed.stdout, /b was told[\s\S]*ended with no a/);
    assert.doesNotMatch(failed.stdout, /c: done/);
  });
});
