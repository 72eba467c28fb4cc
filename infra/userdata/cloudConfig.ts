import type { HostFile } from "./types";

/**
 * The text of a cloud-config: its settings as JSON (which is YAML), then its files as literal blocks, so that a reader
 * and a diff see them as they land. Written here rather than by a YAML library for two reasons: each indented space
 * counts against the limit, and a library's next version may choose another form, which replaces every droplet.
 *
 * Throws where a text has what a literal block cannot hold.
 */
export function cloudConfig(settings: Readonly<Record<string, unknown>>, files: readonly HostFile[]): string {
  const lines = ["#cloud-config"];
  for (const [name, value] of Object.entries(settings)) lines.push(`${name}: ${JSON.stringify(value)}`);
  lines.push("write_files:");
  for (const { path, permissions, content } of files) {
    lines.push("-", ` path: ${path}`);
    // cloud-init's default is 0644.
    if (permissions !== "0644") lines.push(` permissions: "${permissions}"`);
    lines.push(...contentLines(path, content));
  }
  return `${lines.join("\n")}\n`;
}

function contentLines(path: string, content: string): string[] {
  // YAML 1.1, section 5.1: other control characters need a quoted form; a literal block folds carriage returns.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(content)) throw new Error(`${path} has control characters`);
  if (!content.endsWith("\n") || content.endsWith("\n\n"))
    throw new Error(`${path} must end with one line break`);
  const body = content.slice(0, -1).split("\n");
  // The digit says how far the block is indented: without it a first line that begins with spaces would set it.
  return [" content: |1", ...body.map((line) => (line === "" ? "" : `  ${line}`))];
}
