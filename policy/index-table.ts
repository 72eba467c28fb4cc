/** The table of policies in the pack's README. */
import { categories, type PolicyDefinition } from "./frame/definition";
import { describeEnforcement } from "./frame/enforcement";
import { pageLink, withGenerated } from "./page";

const start = "<!-- policies: generated from registry.ts by `node --import tsx policy/write-pages.ts` -->";
const end = "<!-- end of policies -->";

/** The README with its table regenerated. */
export function withPolicyTable(page: string, definitions: readonly PolicyDefinition[]): string {
  const rows = [...definitions]
    .sort((one, other) => categories.indexOf(one.category) - categories.indexOf(other.category))
    .map(
      ({ name, category, severity, enforcement, description }) =>
        `| ${category} | ${pageLink(name)} | ${severity} | ${describeEnforcement(enforcement)} | ${description} |`,
    );
  return withGenerated(
    page,
    start,
    end,
    [
      "| category | policy | severity | enforcement | requirement |",
      "|---|---|---|---|---|",
      ...rows,
      "",
    ].join("\n"),
  );
}
