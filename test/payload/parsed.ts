/** User data as cloud-init takes it: its settings, and its files with their whole text. */
import { gunzipSync } from "node:zlib";
import { parse } from "yaml";

export interface ParsedFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

export function parseUserData(userData: string): {
  readonly settings: Record<string, unknown>;
  readonly files: readonly ParsedFile[];
} {
  const { write_files, ...settings } = parse(userData, { version: "1.1" }) as {
    write_files: { path: string; permissions?: string; encoding?: string; content: string }[];
  } & Record<string, unknown>;
  const files = write_files.map(({ path, permissions = "0644", encoding, content }) => ({
    path,
    mode: Number.parseInt(permissions, 8),
    text: encoding === "gz+b64" ? gunzipSync(Buffer.from(content, "base64")).toString("utf8") : content,
  }));
  return { settings, files };
}
