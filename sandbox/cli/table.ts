export type Rows = readonly (readonly string[])[];

/** Aligned columns; empty if there are no rows below the heading. */
export function table(title: string, rows: Rows): string {
  if (rows.length < 2) return "";
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd();
  return [title, ...rows.map(line)].join("\n");
}
