import type { Setting } from "./kinds";
import { projectName, table } from "./table";

/** docs/configuration.md: a table made from the settings' own table. */
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
    `Every setting of a stack, in the namespace \`${projectName}\`. A path with a dot is a key of a structured setting:`,
    `\`pulumi config set --path ${projectName}:web.count 3\`. Secrets are set with \`--secret\`.`,
    "This page is generated from the table in infra/config/table.ts by `npm run docs`.",
    "",
    "| setting | type | default | allowed | what it is |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function describe(value: unknown): string {
  if (value === undefined) return "none";
  return Array.isArray(value) && value.length === 0 ? "empty" : `\`${String(value)}\``;
}
