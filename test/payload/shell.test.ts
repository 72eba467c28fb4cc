import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const payload = join(__dirname, "..", "..", "infra", "payload");
const scripts = readdirSync(payload, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((path) => readFileSync(path, "utf8").startsWith("#!/bin/bash"))
  .sort();

/** Each tool reads a script from standard input. */
const tools = [
  { name: "shellcheck", args: ["--shell=bash", "-"], fault: "rm -rf $1/*\n" },
  { name: "shfmt", args: ["--diff", "--language-dialect", "bash"], fault: "if true;then\n    x\nfi\n" },
] as const;

for (const { name, args, fault } of tools) {
  describe(`payload: ${name}`, () => {
    const check = (input: string) => spawnSync(name, args, { input, encoding: "utf8" });
    before(function () {
      if (!check("").error) return;
      console.log(`      skipped: ${name} is not installed (apt-get install ${name})`);
      this.skip();
    });

    it("finds the scripts", () => assert.ok(scripts.length >= 7));

    for (const path of scripts) {
      it(path.slice(payload.length + 1), () => {
        const { status, stdout } = check(readFileSync(path, "utf8"));
        assert.equal(status, 0, stdout);
      });
    }

    it("refuses a fault", () => assert.notEqual(check(`#!/bin/bash\n${fault}`).status, 0));
  });
}
