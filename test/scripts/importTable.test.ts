import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { importTable } from "../../scripts/verify/importTable";

const files = [
  "infra/config/a.ts",
  "infra/index.ts",
  "policy/a.ts",
  "policy/b.ts",
  "sandbox/a.ts",
  "scripts/a.ts",
];
const rowOf = (rules: Parameters<typeof importTable>[0], part: string) =>
  importTable(rules, files)
    .split("\n")
    .find((row) => row.startsWith(`| \`${part}\` |`));

describe("the table of imports in docs/architecture.md", () => {
  it("lets a part import all others where no rule forbids it", () => {
    assert.equal(
      rowOf([], "policy"),
      "| `policy` | `infra/config`, `infra/index.ts`, `sandbox`, `scripts`, Pulumi's SDKs |",
    );
  });

  it("leaves out what a rule forbids, and names the files that are still open", () => {
    const rules = [
      { from: { path: "^scripts/" }, to: { path: "^infra/" } },
      { from: { path: "^scripts/" }, to: { path: "^policy/", pathNot: "^policy/a[.]ts$" } },
      { from: { pathNot: "^infra/" }, to: { path: ["^sandbox/", "^node_modules/@pulumi/"] } },
      { from: { path: "^(infra)/config/" }, to: { path: "^", pathNot: "^$1/" } },
    ];
    assert.equal(rowOf(rules, "scripts"), "| `scripts` | `policy` (`policy/a.ts`) |");
    assert.equal(rowOf(rules, "infra/config"), "| `infra/config` | `infra/index.ts` |");
  });

  it("has a row that says so for a part that may import nothing", () => {
    assert.equal(
      rowOf([{ from: { path: "^sandbox/" }, to: { path: "" } }], "sandbox"),
      "| `sandbox` | nothing |",
    );
  });
});

describe("docs/architecture.md", () => {
  const root = join(__dirname, "../..");
  const page = readFileSync(join(root, "docs/architecture.md"), "utf8");

  it("names no path that does not exist", () => {
    const named = [...page.matchAll(/(?<![\w/.])(?:infra|app|policy|sandbox|scripts|test|docs)\/[\w./-]+/g)];
    const paths = named.map(([path]) => path.replace(/\/?[A-Z][A-Z/]+$/, "").replace(/[.,]+$/, ""));
    assert.ok(paths.length > 40);
    assert.deepEqual(
      paths.filter((path) => !existsSync(join(root, path))),
      [],
    );
  });
});
