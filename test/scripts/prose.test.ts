import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkText } from "../../scripts/prose/check";
import { lineAt, passagesOf } from "../../scripts/prose/passages";
import { rules } from "../../scripts/prose/rules";
import { proseVerdict } from "../../scripts/verify/checks";

const found = (path: string, content: string) =>
  checkText(path, content).map(({ line, message }) => `${line} ${message.split(":")[0]}`);

describe("prose rules", () => {
  for (const { name, bad, good } of rules) {
    it(`${name}: finds the bad example, and nothing in the good one`, () => {
      const asComment = (text: string) => `/** ${text} */\nexport const value = 1;\n`;
      assert.ok(found("file.ts", asComment(bad)).includes(`1 ${name}`), `${name} is not found in: ${bad}`);
      assert.deepEqual(found("file.ts", asComment(good)), []);
    });
  }

  it("have different names", () => {
    assert.equal(new Set(rules.map(({ name }) => name)).size, rules.length);
  });
});

describe("prose check", () => {
  it("reads paragraphs, headings, lists and table cells of Markdown, and no code", () => {
    const page = [
      "# Made anew",
      "",
      "A paragraph that is made",
      "anew over two lines, `anew` in code.",
      "",
      "- an item, anew",
      "",
      "| a | anew |",
      "|---|---|",
      "| anew | b |",
      "",
      "```sh",
      "echo anew",
      "```",
    ].join("\n");
    assert.deepEqual(found("page.md", page), ["1 anew", "4 anew", "6 anew", "8 anew", "10 anew"]);
  });

  it("finds a form that a line break divides", () => {
    assert.deepEqual(found("page.md", "It waits for\never.\n"), ["1 for-ever"]);
    assert.deepEqual(found("file.ts", "// It waits for\n// ever.\nlet a;\n"), ["1 for-ever"]);
  });

  it("reads comments of every place in TypeScript, strings, templates and joined strings", () => {
    const code = [
      "/** Made anew. */",
      "function work(name: string) { // made anew",
      "  const one = 'made anew';",
      `  const two = \`made \${name ? "or anew" : name} and`,
      "    anew`;",
      "  const three = 'it waits for ' +",
      "    'ever';",
      "  return [one, two, three /* anew */];",
      "  // anew at the end of a block",
      "}",
      "const anew = /anew/;",
      "// anew at the end of the file",
    ].join("\n");
    assert.deepEqual(found("file.ts", code), [
      "1 anew",
      "2 anew",
      "3 anew",
      "4 anew",
      "5 anew",
      "6 for-ever",
      "8 anew",
      "9 anew",
      "12 anew",
    ]);
  });

  it("does not read the names of modules", () => {
    const code = ["import 'anew';", "export * from 'anew';", "require('anew'); import('anew');"].join("\n");
    assert.deepEqual(found("file.ts", code), []);
  });

  it("reads comments of shell, Python, YAML, SQL and Go, and no code", () => {
    assert.deepEqual(found("a.sh", "#!/bin/sh\n# made anew\necho anew\n"), ["2 anew"]);
    assert.deepEqual(found("run", "#!/bin/bash\n# made\n# anew\n"), ["3 anew"]);
    assert.deepEqual(found("a.py", "# made anew\nanew = 1\n"), ["1 anew"]);
    assert.deepEqual(found("a.yaml", "# made anew\nanew: 1\n"), ["1 anew"]);
    assert.deepEqual(found("a.sql", "-- made anew\nSELECT anew;\n"), ["1 anew"]);
    assert.deepEqual(found("a.go", "// made anew\nvar anew = 1\n"), ["1 anew"]);
    assert.deepEqual(found("a.bin", "# made anew\n"), []);
  });

  it("knows the line of each position of a passage", () => {
    const [passage] = passagesOf("file.ts", "\n/**\n * one\n * two\n */\nlet a;\n");
    assert.ok(passage);
    assert.equal(lineAt(passage, passage.text.indexOf("one")), 3);
    assert.equal(lineAt(passage, passage.text.indexOf("two")), 4);
  });

  it("accepts an exception with a reason, for its rule and place only", () => {
    const line = "// prose-allow anew: a quotation\n";
    assert.deepEqual(found("file.ts", `${line}let a = "made anew";\n`), []);
    assert.deepEqual(found("file.ts", `let a = "made anew"; ${line}`), []);
    assert.deepEqual(found("page.md", "<!-- prose-allow anew: a quotation -->\nMade anew.\n"), []);
    assert.deepEqual(found("file.ts", `${line}let a = "made anew";\nlet b = "made anew";\n`), ["3 anew"]);
    assert.deepEqual(found("file.ts", `${line}let a = "it waits for ever";\n`), [
      "1 the exception from anew is not needed",
      "2 for-ever",
    ]);
    assert.deepEqual(found("file.ts", `// prose-allow anew:\nlet a = "made anew";\n`), [
      "1 the exception from anew lacks a reason",
    ]);
  });

  describe("in npm run verify", () => {
    let dir: string;
    beforeEach(() => {
      dir = mkdtempSync(join(tmpdir(), "prose-"));
      execFileSync("git", ["init", "--quiet", dir]);
      mkdirSync(join(dir, "docs"));
    });
    afterEach(() => rmSync(dir, { recursive: true }));

    it("fails for a finding, and names the file, the line and what to write", () => {
      writeFileSync(join(dir, "docs", "page.md"), "A page.\n\nMade anew.\n");
      const { kind, detail } = proseVerdict(dir);
      assert.equal(kind, "failed");
      assert.match(detail, /^docs\/page\.md:3: anew: "anew"\. Write: again/);
    });

    it("passes for plain English, and fails if there is no file to check", () => {
      assert.equal(proseVerdict(dir).kind, "failed");
      writeFileSync(join(dir, "docs", "page.md"), "A page.\n");
      assert.equal(proseVerdict(dir).kind, "passed");
    });
  });
});
