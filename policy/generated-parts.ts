/**
 * The files and parts in this folder that are generated from the policies: their pages, the README's table, the
 * tables of resource types and of published rules, and the package's exports.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { PolicyDefinition } from "./frame/definition";
import type { PolicyFixtures } from "./frame/fixture";
import { withPolicyTable } from "./index-table";
import { withMapping } from "./mapping";
import { withGeneratedParts } from "./page";
import { definitions } from "./registry";
import { withTypeTable } from "./type-table";

export interface GeneratedPart {
  /** Relative to this folder. */
  readonly path: string;
  readonly content: string;
}

export function generatedParts(): readonly GeneratedPart[] {
  const read = (path: string) => readFileSync(join(__dirname, path), "utf8");
  const pages = definitions.map((definition) => {
    const folder = join("policies", definition.name);
    const { fixtures } = require(join(__dirname, folder, "fixtures")) as { fixtures: PolicyFixtures };
    const path = join(folder, "README.md");
    return { path, content: withGeneratedParts(read(path), definition, fixtures) };
  });
  return [
    ...pages,
    { path: "README.md", content: withPolicyTable(read("README.md"), definitions) },
    { path: "resource-types.md", content: withTypeTable(read("resource-types.md"), definitions) },
    { path: "published-rules.md", content: withMapping(read("published-rules.md"), definitions) },
    { path: "exported-policies.ts", content: exportedPolicies(definitions) },
  ];
}

/** `no-single-writer` -> `noSingleWriter`: the name under which a policy is exported. */
export function exportName(policy: string): string {
  return policy.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function exportedPolicies(all: readonly PolicyDefinition[]): string {
  const names = all.map(({ name }) => name).sort();
  const exports = names.map((name) => `export { ${exportName(name)} } from "./policies/${name}/policy";`);
  const union = names.map((name) => `  | "${name}"`).join("\n");
  return `/** Generated from registry.ts by \`node --import tsx policy/write-pages.ts\`. Do not edit. */
${exports.join("\n")}

/** The names of the package's policies. */
export type PolicyName =
${union};
`;
}
