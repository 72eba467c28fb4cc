import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Sandbox } from "./sandbox";

describe("a sandbox keeps what it was started with", function () {
  this.timeout(240_000);
  let sandbox: Sandbox;
  before(async () => {
    // No machine runs hosts in a folder with a space in its name, so this boots nothing even if the test fails.
    sandbox = await Sandbox.make(join(mkdtempSync(join(tmpdir(), "kept-")), "my sandbox"));
  });
  after(async () => {
    await sandbox?.run("stop", ["--force"]);
  });

  it("--hosts off, in a later command without it", async () => {
    const started = await sandbox.run("start", ["--hosts", "off"], { SECURED_WEB_HOSTS: "" });
    assert.equal(started.exitCode, 0, started.stderr);
    const { stdout } = await sandbox.run("up", [], { SECURED_WEB_HOSTS: "" });
    assert.match(stdout, /droplets are only records: --hosts off/);
  });

  it("its port, for npm stop", async () => {
    const { exitCode, stderr } = await sandbox.run("stop", [], { SECURED_WEB_API_PORT: "" });
    assert.equal(exitCode, 0, stderr);
  });
});
