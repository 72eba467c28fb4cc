import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { exportName, generatedParts } from "../../policy/generated-parts";
import { withPolicyTable } from "../../policy/index-table";
import * as library from "../../policy/library";
import { withExamples, withGeneratedParts } from "../../policy/page";
import { definitions } from "../../policy/registry";
import { policiesDir, policyFolders, registeredPolicies } from "./registered";

/** Names that the SDK keeps for itself. */
const reservedNames = ["all", "environments"];

describe("the registry of policies", () => {
  it("lists every folder under policies/, by its name", () => {
    assert.deepEqual(definitions.map(({ name }) => name).sort(), policyFolders);
  });

  for (const folder of policyFolders) {
    for (const part of ["policy.ts", "fixtures.ts", "README.md"]) {
      it(`${folder} has ${part}`, () => assert.ok(existsSync(join(policiesDir, folder, part))));
    }
  }

  for (const { definition, fixtures } of registeredPolicies) {
    describe(definition.name, () => {
      const page = readFileSync(join(policiesDir, definition.name, "README.md"), "utf8");

      it("has a name in kebab-case that is not reserved", () => {
        assert.match(definition.name, /^[a-z]+(-[a-z]+)+$/);
        assert.ok(!reservedNames.includes(definition.name));
      });

      it("says what it demands and how to remedy it", () => {
        for (const text of [definition.description, definition.remediationSteps, definition.displayName])
          assert.ok(text.length > 10);
        assert.ok(definition.judgeResource !== undefined || definition.judgeStack !== undefined);
      });

      it("has a page that says what, why, how to fix, and references, and is named by it", () => {
        assert.ok(page.startsWith(`# ${definition.name}\n`));
        for (const heading of ["What", "Why", "How to fix", "References", "Examples"]) {
          assert.match(page, new RegExp(`^## ${heading}\\n+(?!#)\\S`, "m"), `no section ${heading}`);
        }
      });

      it("shows on its page its facts and the examples that run (else: node --import tsx policy/write-pages.ts)", () => {
        assert.equal(withGeneratedParts(page, definition, fixtures), page);
      });

      it("has one valid example and two invalid ones at least, each with a title of its own", () => {
        assert.ok(fixtures.valid.length >= 1 && fixtures.invalid.length >= 2);
        const titles = [...fixtures.valid, ...fixtures.invalid].map(({ title }) => title);
        assert.equal(new Set(titles).size, titles.length);
        for (const { violations } of fixtures.invalid) assert.ok(violations.length > 0);
      });
    });
  }

  it("is what the package exports (else: node --import tsx policy/write-pages.ts)", () => {
    for (const { path, content } of generatedParts())
      assert.equal(readFileSync(join(policiesDir, "..", path), "utf8"), content, path);
    for (const definition of definitions)
      assert.equal((library as Readonly<Record<string, unknown>>)[exportName(definition.name)], definition);
  });

  it("is the table of the pack's README (else: node --import tsx policy/write-pages.ts)", () => {
    const readme = readFileSync(join(policiesDir, "../README.md"), "utf8");
    assert.equal(withPolicyTable(readme, definitions), readme);
  });

  it("sees a stale page", () => {
    const { fixtures, definition } = registeredPolicies.find(
      (one) => one.definition.name === "end-to-end-encryption",
    )!;
    const page = readFileSync(join(policiesDir, definition.name, "README.md"), "utf8");
    const stale = page.replace("entryPort: 443", "entryPort: 444");
    assert.notEqual(stale, page);
    assert.equal(withExamples(stale, fixtures), page);
    assert.throws(() => withExamples("# no place", fixtures), /expected the lines/);
  });
});
