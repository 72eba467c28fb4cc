import { gzipped } from "./gzip";
import type { HostFile } from "./types";

/** A file in a cloud-config. */
export interface CloudConfigFile extends HostFile {
  readonly isCompressed?: boolean;
}

/**
 * The text of a cloud-config: its settings as JSON (which is YAML), then its files, plain ones as literal blocks. It does not use
 * a YAML library for two reasons: every indentation space counts against DigitalOcean's limit, and a new version of
 * the library could format differently, which would replace every droplet.
 *
 * Throws if a plain file contains characters that a literal block cannot.
 */
export function cloudConfig(
  settings: Readonly<Record<string, unknown>>,
  files: readonly CloudConfigFile[],
): string {
  const lines = ["#cloud-config"];
  for (const [name, value] of Object.entries(settings)) lines.push(`${name}: ${JSON.stringify(value)}`);
  lines.push("write_files:");
  for (const file of files) {
    lines.push("-", ` path: ${file.path}`);
    // cloud-init's default is 0644.
    if (file.permissions !== "0644") lines.push(` permissions: "${file.permissions}"`);
    lines.push(...(file.isCompressed ? compressedLines(file) : plainLines(file)));
  }
  return `${lines.join("\n")}\n`;
}

function compressedLines({ content }: HostFile): string[] {
  return [" encoding: gz+b64", ` content: ${gzipped(content).toString("base64")}`];
}

function plainLines({ path, content }: HostFile): string[] {
  // YAML 1.1, section 5.1: other control characters need a quoted form, and a literal block folds carriage returns.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(content))
    throw new Error(`${path} contains control characters`);
  if (!content.endsWith("\n") || content.endsWith("\n\n"))
    throw new Error(`${path} must end with exactly one line break`);
  const body = content.slice(0, -1).split("\n");
  // The digit sets the block's indentation. Without it, leading spaces in the first line would.
  return [" content: |1", ...body.map((line) => (line === "" ? "" : `  ${line}`))];
}
