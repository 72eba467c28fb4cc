import { gzipSync, strToU8 } from "fflate";
import type { HostFile } from "./types";

/**
 * Programs are compressed, and the agent's files; other configuration stands in plain text, so that a reader and a
 * policy see it as it lands.
 */
const programs =
  /^\/(usr\/local\/lib\/secured-web\/.*(?<!\.json)|etc\/datadog-agent\/(datadog|conf\.d\/mysql\.d\/conf)\.yaml)$/;

/**
 * The text of a cloud-config: its settings as JSON (which is YAML), then its files as literal blocks. Written here
 * rather than by a YAML library for two reasons: each indented space counts against DigitalOcean's limit, and a
 * library's next version may choose another form, which replaces every droplet.
 *
 * Throws where a text has what a literal block cannot hold.
 */
export function cloudConfig(settings: Readonly<Record<string, unknown>>, files: readonly HostFile[]): string {
  const lines = ["#cloud-config"];
  for (const [name, value] of Object.entries(settings)) lines.push(`${name}: ${JSON.stringify(value)}`);
  lines.push("write_files:");
  for (const file of files) {
    lines.push("-", ` path: ${file.path}`);
    // cloud-init's default is 0644.
    if (file.permissions !== "0644") lines.push(` permissions: "${file.permissions}"`);
    lines.push(...(programs.test(file.path) ? compressedLines(file) : plainLines(file)));
  }
  return `${lines.join("\n")}\n`;
}

/**
 * gzip by a compressor that is JavaScript and pinned to one version: Node's own zlib gives other bytes on another
 * processor or release, and a changed byte replaces the droplet.
 */
function compressedLines({ content }: HostFile): string[] {
  const bytes = gzipSync(strToU8(content), { level: 9, mem: 8, mtime: 0 });
  return [" encoding: gz+b64", ` content: ${Buffer.from(bytes).toString("base64")}`];
}

function plainLines({ path, content }: HostFile): string[] {
  // YAML 1.1, section 5.1: other control characters need a quoted form, and a literal block folds carriage returns.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(content)) throw new Error(`${path} has control characters`);
  if (!content.endsWith("\n") || content.endsWith("\n\n"))
    throw new Error(`${path} must end with one line break`);
  const body = content.slice(0, -1).split("\n");
  // The digit says how far the block is indented: without it a first line that begins with spaces would set it.
  return [" content: |1", ...body.map((line) => (line === "" ? "" : `  ${line}`))];
}
