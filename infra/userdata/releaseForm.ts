/** The form of a host's files in a release. */
import type { HostFile } from "./types";

export interface ReleaseFile {
  /** Absolute path. */
  readonly path: string;
  /** Octal, four digits, for example "0644". */
  readonly mode: string;
  readonly content: string;
}

export function releaseFiles(files: readonly HostFile[]): ReleaseFile[] {
  return files.map(({ path, permissions, content }) => ({ path, mode: permissions, content }));
}
