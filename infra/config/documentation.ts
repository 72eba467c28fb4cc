import type { Setting } from "./kinds";
import { projectName, table } from "./table";

/** docs/configuration.md, generated from the table of settings. */
export function configurationPage(): string {
  const rows = Object.entries<Setting<unknown>>(table).map(([path, setting]) => {
    const development = describe(setting.defaultFor("development"));
    const production = describe(setting.defaultFor("production"));
    const given = development === production ? development : `${development}; production: ${production}`;
    return `| \`${path}\` | ${setting.type} | ${given} | ${setting.allowed} | ${setting.doc} |`;
  });
  return [
    "# Configuration",
    "",
    `All settings of a stack, in the namespace \`${projectName}\`. A path with a dot is a key of a structured setting:`,
    `\`pulumi config set --path ${projectName}:web.count 3\`. Use \`--secret\` for secrets.`,
    "`npm run docs` generates this page from infra/config/table.ts.",
    "",
    "| setting | type | default | allowed | description |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function describe(value: unknown): string {
  if (value === undefined) return "none";
  return Array.isArray(value) && value.length === 0 ? "empty" : `\`${String(value)}\``;
}
