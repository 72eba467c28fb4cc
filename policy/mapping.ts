/** The page and the report that map the pack's policies to published rules. */
import type { PolicyDefinition } from "./frame/definition";
import { pageLink, withGenerated } from "./page";
import { type PublishedRule, publishedRules, rulesOf } from "./published-rules";

const start =
  "<!-- mapping: generated from published-rules.ts by `node --import tsx policy/write-pages.ts` -->";
const end = "<!-- end of mapping -->";

const isCovered = ({ coveredBy }: PublishedRule) => Array.isArray(coveredBy);

/** The page with its tables regenerated. */
export function withMapping(page: string, definitions: readonly PolicyDefinition[]): string {
  const names = definitions.map(({ name }) => name).sort();
  const covered = publishedRules.filter(isCovered);
  const others = publishedRules.filter((rule) => !isCovered(rule));
  const rowOf = ({ source, id, coveredBy }: PublishedRule) =>
    `| ${source} | ${id} | ${Array.isArray(coveredBy) ? coveredBy.map(pageLink).join(", ") : coveredBy} |`;
  const own = names.filter((name) => rulesOf(name).length === 0);
  const lines = [
    `${covered.length} of ${publishedRules.length} published rules have a policy here. ${own.length} of ${names.length} policies have no published rule.\n`,
    "## Rules that policies of this pack cover\n",
    "| source | rule | policies |",
    "|---|---|---|",
    ...covered.map(rowOf),
    "\n## Rules that no policy covers\n",
    "| source | rule | reason |",
    "|---|---|---|",
    ...others.map(rowOf),
    "\n## Policies without a published rule\n",
    ...own.map((name) => `- ${pageLink(name)}`),
    "",
  ];
  return withGenerated(page, start, end, lines.join("\n"));
}

/** Each policy with its published rules, one per line, and then the rules that no policy covers. */
export function mappingReport(definitions: readonly PolicyDefinition[]): string {
  const width = Math.max(...definitions.map(({ name }) => name.length));
  const shown = ({ source, id }: PublishedRule) => (source === "Mondoo" ? `Mondoo ${id}` : id);
  const lines = definitions.map(({ name }) => {
    const rules = rulesOf(name).map(shown);
    return `${name.padEnd(width)}  ${rules.length > 0 ? rules.join(", ") : "-"}`;
  });
  const others = publishedRules.filter((rule) => !isCovered(rule));
  return [
    ...lines,
    "",
    "Not covered:",
    ...others.map((rule) => `${shown(rule)}: ${String(rule.coveredBy)}`),
    "",
  ].join("\n");
}
