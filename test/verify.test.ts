import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { duplicates, freshness, shellFiles, verdictOn, verifyChecks } from "../scripts/verify/checks";
import { isProduct, longFiles } from "../scripts/verify/fileLength";
import { brokenLinks, headingAnchors, linkTargets } from "../scripts/verify/links";

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

  it("see passages that are there twice", async function () {
    this.timeout(60_000);
    const passage = Array.from(
      { length: 30 },
      (_, n) => `export const value${n} = compute(${n}, "text ${n}");\n`,
    ).join("");
    mkdirSync(join(dir, "infra"));
    writeFileSync(join(dir, "infra", "one.ts"), passage);
    const { kind, detail } = await duplicates(dir);
    if (kind === "skipped") this.skip();
    assert.equal(kind, "passed", detail);
    writeFileSync(join(dir, "infra", "two.ts"), `// Another file.\n${passage}`);
    const twice = await duplicates(dir);
    assert.equal(twice.kind, "failed");
    assert.match(twice.detail, /one\.ts[\s\S]*two\.ts/);
  });

  it("see links to what is not there, and external ones that are no https URL", () => {
    const page = [
      "# One `two`: three",
      "[file](other.md) [heading](#one-two-three) [there](other.md#a-b) [out](https://example.com/a_(b))",
      "[no file](gone.md) [no heading](#none) [nor there](other.md#none) [up](../gone.md)",
      "[plain](http://example.com) ![no picture](gone.svg) [local](http://127.0.0.1:8080/)",
      "`[code](gone-too.md)`",
      "```md",
      "[code](gone-too.md)",
      "# not a heading",
      "```",
      "[reference]: missing.md",
    ].join("\n");
    writeFileSync(join(dir, "page.md"), page);
    writeFileSync(join(dir, "other.md"), "# A (b)\n");
    assert.deepEqual(brokenLinks(dir, ["page.md"]), [
      "page.md: gone.md: there is no gone.md",
      "page.md: #none: page.md has no heading #none",
      "page.md: other.md#none: other.md has no heading #none",
      "page.md: ../gone.md is outside the repository",
      "page.md: http://example.com: expected https",
      "page.md: gone.svg: there is no gone.svg",
      "page.md: missing.md: there is no missing.md",
    ]);
  });

  it("know GitHub's anchors, and targets with a title or brackets", () => {
    assert.deepEqual([...headingAnchors("# A\n## A\n## What's `x_y`, 2?\n")], ["a", "a-1", "whats-x_y-2"]);
    assert.deepEqual(linkTargets('[a](b.md "title") [c](<d.md>) [e](f_(g).md)'), [
      "b.md",
      "d.md",
      "f_(g).md",
    ]);
  });

  it("see a file of the product that is too long without a reason", () => {
    writeFileSync(join(dir, "short.ts"), "x\n".repeat(300));
    writeFileSync(join(dir, "long.ts"), "x\n".repeat(301));
    writeFileSync(join(dir, "table.ts"), `// Over 300 lines because it is one table.\n${"x\n".repeat(301)}`);
    const problems = longFiles(dir, ["short.ts", "long.ts", "table.ts"]);
    assert.equal(problems.length, 1);
    assert.match(problems[0]!, /^long\.ts has 301 lines/);
    const paths = ["infra/a.ts", "app/b.ts", "app/package-lock.json", "sandbox/c.ts"];
    assert.deepEqual(paths.filter(isProduct), ["infra/a.ts", "app/b.ts"]);
  });

  it("do not pass where they find nothing to check", () => {
    assert.equal(verdictOn([], []).kind, "failed");
    assert.equal(verdictOn(["a"], []).kind, "passed");
    assert.equal(verdictOn(["a"], ["a is wrong"]).detail, "a is wrong");
  });
});
