/** The table of policies in the pack's README. */
import type { PolicyDefinition } from "./frame/definition";
import { withGenerated } from "./page";

const start = "<!-- policies: generated from registry.ts by `node --import tsx policy/write-pages.ts` -->";
const end = "<!-- end of policies -->";

/** The README with its table made anew. */
export function withPolicyTable(page: string, definitions: readonly PolicyDefinition[]): string {
  const rows = definitions.map(
    ({ name, severity, description }) =>
      `| [${name}](policies/${name}/README.md) | ${severity} | ${description} |`,
  );
  return withGenerated(
    page,
    start,
    end,
    ["| policy | severity | demands |", "|---|---|---|", ...rows, ""].join("\n"),
  );
}
