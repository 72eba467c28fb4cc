/** The table of docs/architecture.md that says which part may import which, made from dependency-cruiser's rules. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryFiles } from "./repositoryFiles";

type Pattern = string | readonly string[];

/** The used part of a dependency-cruiser rule (its documentation, "rules reference"). */
interface Rule {
  readonly from: { readonly path?: Pattern; readonly pathNot?: Pattern };
  readonly to: { readonly path?: Pattern; readonly pathNot?: Pattern };
}

/** The parts of the repository, by the paths of their files. */
const parts: readonly (readonly [name: string, paths: RegExp])[] = [
  ["infra/config", /^infra\/config\//],
  ["infra/topology.ts", /^infra\/topology\.ts$/],
  ["infra/firewallMatrix.ts", /^infra\/firewallMatrix\.ts$/],
  ["infra/monitoring", /^infra\/monitoring\//],
  ["infra/userdata", /^infra\/userdata\//],
  ["infra/releases", /^infra\/releases\//],
  ["infra/components", /^infra\/components\//],
  ["infra/index.ts", /^infra\/index\.ts$/],
  ["examples", /^examples\//],
  ["app", /^app\//],
  ["policy", /^policy\//],
  ["sandbox", /^sandbox\/(?!plugins\/)/],
  ["sandbox/plugins", /^sandbox\/plugins\//],
  ["scripts", /^scripts\//],
  ["test", /^test\//],
  ["Pulumi's SDKs", /^node_modules\/@pulumi\//],
];

/** Of a part that may be imported only in places, so many files are named. */
const mostNames = 4;

/** One row a part: what it may import of the others. */
export function importTable(rules: readonly Rule[], files: readonly string[]): string {
  const known = [
    ...files.filter((path) => /\.(ts|mjs|cjs)$/.test(path)),
    "node_modules/@pulumi/pulumi/index.js",
  ];
  const groups = parts.map(([name, paths]) => ({ name, files: known.filter((path) => paths.test(path)) }));
  const rows = groups
    .filter(({ name }) => name !== "Pulumi's SDKs")
    .map((from) => {
      const others = groups.filter((to) => to !== from).flatMap((to) => allowed(rules, from, to) ?? []);
      return `| ${quoted(from.name)} | ${others.join(", ") || "nothing"} |`;
    });
  return ["| part | may import |", "|---|---|", ...rows].join("\n");
}

interface Group {
  readonly name: string;
  readonly files: readonly string[];
}

/** The part's name if any file of `from` may import it, with the files if only a few may. */
function allowed(rules: readonly Rule[], from: Group, to: Group): string | undefined {
  const open = to.files.filter((target) =>
    from.files.some((source) => !rules.some((rule) => forbids(rule, source, target))),
  );
  if (open.length === 0) return undefined;
  if (open.length === to.files.length) return quoted(to.name);
  return `${quoted(to.name)} (${open.length <= mostNames ? open.map(quoted).join(", ") : "in part"})`;
}

function quoted(name: string): string {
  return /^[a-z/.A-Z-]+$/.test(name) ? `\`${name}\`` : name;
}

function forbids({ from, to }: Rule, source: string, target: string): boolean {
  if (to.path === undefined) return false;
  const match = from.path === undefined ? [] : matchOf(from.path, source);
  if (!match || (from.pathNot !== undefined && matchOf(from.pathNot, source))) return false;
  const filled = (pattern: Pattern) =>
    [pattern].flat().map((text) => text.replace(/\$(\d)/g, (_, group) => match[group] ?? ""));
  if (!matchOf(filled(to.path), target)) return false;
  return to.pathNot === undefined || !matchOf(filled(to.pathNot), target);
}

function matchOf(pattern: Pattern, path: string): RegExpExecArray | null {
  return new RegExp([pattern].flat().join("|")).exec(path);
}

const begin = "<!-- Generated from .dependency-cruiser.cjs: npm run docs -->\n";
const end = "<!-- End of the generated table -->";

/** docs/architecture.md with its table regenerated. */
export function architecturePage(projectDir: string): string {
  const { forbidden } = require("../../.dependency-cruiser.cjs") as { forbidden: readonly Rule[] };
  const page = readFileSync(join(projectDir, "docs/architecture.md"), "utf8");
  const [head, rest = ""] = page.split(begin);
  const tail = rest.split(end)[1];
  if (tail === undefined) throw new Error(`docs/architecture.md lacks the lines ${begin.trim()} and ${end}`);
  return `${head}${begin}${importTable(forbidden, repositoryFiles(projectDir))}\n${end}${tail}`;
}
