import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freshness, shellFiles, verifyChecks } from "../scripts/verify/checks";

describe("npm run verify", function () {
  this.timeout(180_000);

  for (const { name, run } of verifyChecks()) {
    it(name, async function () {
      const { kind, detail } = await run();
      if (kind === "skipped") {
        console.log(`      skipped: ${detail}`);
        this.skip();
      }
      assert.equal(kind, "passed", detail);
    });
  }
});

describe("the checks of npm run verify", () => {
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), "verify-"));
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  it("see a generated file that is stale or missing", () => {
    writeFileSync(join(dir, "page.md"), "old");
    assert.equal(freshness([{ path: "page.md", content: "old" }], dir).kind, "passed");
    assert.match(freshness([{ path: "page.md", content: "new" }], dir).detail, /stale: page\.md/);
    assert.match(freshness([{ path: "absent.md", content: "new" }], dir).detail, /stale: absent\.md/);
  });

  it("find shell files by name and by their first line", () => {
    const found = shellFiles(join(__dirname, ".."));
    assert.ok(found.includes(".ci/run"), `.ci/run is not among ${found.join(", ")}`);
    assert.ok(!found.some((file) => file.endsWith(".ts")));
  });
});
