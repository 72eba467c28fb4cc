/** Writes the generated parts of the pack's pages: `node --import tsx policy/write-pages.ts`. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PolicyFixtures } from "./frame/fixture";
import { withPolicyTable } from "./index-table";
import { withGeneratedParts } from "./page";
import { definitions } from "./registry";

function rewrite(path: string, change: (page: string) => string): void {
  writeFileSync(path, change(readFileSync(path, "utf8")));
}

for (const definition of definitions) {
  const folder = join(__dirname, "policies", definition.name);
  const { fixtures } = require(join(folder, "fixtures")) as { fixtures: PolicyFixtures };
  rewrite(join(folder, "README.md"), (page) => withGeneratedParts(page, definition, fixtures));
}
rewrite(join(__dirname, "README.md"), (page) => withPolicyTable(page, definitions));
