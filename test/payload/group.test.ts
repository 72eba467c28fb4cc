import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { configurationFiles } from "../../infra/userdata/files";
import { contextOf } from "./contexts";

describe("payload: the group's supervisor (Python)", function () {
  this.timeout(60_000);
  let directory: string;
  before(function () {
    if (spawnSync("python3", ["--version"]).status !== 0) {
      console.log("      skipped: there is no python3 on this machine");
      this.skip();
    }
    directory = mkdtempSync(join(tmpdir(), "secured-web-group-"));
    // As they land on a host, not as they stand in the repository.
    for (const { path, content } of configurationFiles(contextOf({ topology: "converged" }, "node-1"))) {
      if (/\/secured-web\/(release\/)?group\w*\.py$/.test(path))
        writeFileSync(join(directory, basename(path)), content);
    }
  });
  after(() => directory && rmSync(directory, { recursive: true, force: true }));

  const python = (args: readonly string[]) =>
    spawnSync("python3", ["-B", ...args], {
      encoding: "utf8",
      env: { ...process.env, TEST_DIR: directory, USER: "tester", CREDENTIALS_DIRECTORY: directory },
    });

  it("passes its own tests", () => {
    const { status, stderr } = python([join(__dirname, "group_test.py"), directory]);
    assert.equal(status, 0, stderr);
    const count = Number(/^Ran (\d+) tests/m.exec(stderr)?.[1]);
    assert.ok(count >= 50, `only ${count} tests ran`);
  });

  for (const [what, rule, tests] of [
    ["starts a group without hearing every member", "if silent:", "Start"],
    ["joins a group that has not missed it yet", "if stale:", "Join"],
  ] as const) {
    it(`fails them where it ${what}`, () => {
      const careless = mkdtempSync(join(directory, "careless-"));
      const run = spawnSync("sh", [
        "-c",
        `cp ${directory}/*.py ${careless}/ && sed -i 's/^\\t${rule}/\\tif False:/' ${careless}/group_decision.py && ! cmp -s ${directory}/group_decision.py ${careless}/group_decision.py`,
      ]);
      assert.equal(run.status, 0, "the rule was not found");
      assert.notEqual(python([join(__dirname, "group_test.py"), careless, tests]).status, 0);
    });
  }
});
