/** User data as a host takes it: cloud-init's settings, the files that cloud-init writes, and all files of the host. */
import { gunzipSync } from "node:zlib";
import { parse } from "yaml";
import { firstReleasePath } from "../../infra/userdata/firstRelease";
import type { ReleaseFile } from "../../infra/userdata/releaseForm";
import { firstReleaseJson } from "../../policy/evidence/release-form";

export interface ParsedFile {
  readonly path: string;
  readonly mode: number;
  readonly text: string;
}

export interface ParsedUserData {
  readonly settings: Record<string, unknown>;
  /** The files that cloud-init writes. */
  readonly written: readonly ParsedFile[];
  /** The files of the first release, which the host unpacks, by path. Without one, those that cloud-init writes. */
  readonly files: readonly ParsedFile[];
}

export function parseUserData(userData: string): ParsedUserData {
  const { write_files, ...settings } = parse(userData, { version: "1.1" }) as {
    write_files: { path: string; permissions?: string; encoding?: string; content: string }[];
  } & Record<string, unknown>;
  const written = write_files.map(({ path, permissions = "0644", encoding, content }) => ({
    path,
    mode: Number.parseInt(permissions, 8),
    text: encoding === "gz+b64" ? gunzipSync(Buffer.from(content, "base64")).toString("utf8") : content,
  }));
  const document = written.find(({ path }) => path === firstReleasePath)?.text;
  if (document === undefined) return { settings, written, files: written };
  const { files } = JSON.parse(firstReleaseJson(document)) as {
    files: readonly ReleaseFile[];
  };
  return {
    settings,
    written,
    files: files
      .map(({ path, mode, content }) => ({ path, mode: Number.parseInt(mode, 8), text: content }))
      .sort((a, b) => (a.path < b.path ? -1 : 1)),
  };
}

/** Everything that user data says, decoded: the settings, and path, mode and text of each file. */
export function textOf(userData: string): string {
  const { settings, written, files } = parseUserData(userData);
  const seed = written.filter(({ path }) => path !== firstReleasePath && files !== written);
  const all = [...seed, ...files].map(({ path, mode, text }) => `${path} ${mode.toString(8)}\n${text}`);
  return [JSON.stringify(settings), ...all].join("\n");
}
