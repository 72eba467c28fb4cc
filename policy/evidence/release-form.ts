/**
 * The form of a release: the files of one host as a JSON document (releases.md in the folder of the pack).
 *
 * A host's first release is a file in its user data. The host writes the document's files before it runs anything
 * else.
 */
import type { HostDraft } from "./script";
import { Unreadable } from "./unreadable";

/** A file of this path in user data is a first release. */
export const firstReleasePath = "/var/lib/secured-web/first-release.json";

export interface ReleaseFile {
  /** Absolute path. */
  readonly path: string;
  /** Octal, for example "0644". */
  readonly mode: string;
  readonly content: string;
}

/** The part of a release document that the policies read. */
export interface ReleaseDocument {
  readonly stack: string;
  readonly host: string;
  readonly files: readonly ReleaseFile[];
}

/** Throws Unreadable if the text is not a release document. */
export function parseReleaseDocument(text: string): ReleaseDocument {
  const { stack, host, files } = parsedObject(text);
  if (typeof stack !== "string" || typeof host !== "string")
    throw new Unreadable("a release without the name of its stack or host");
  if (!Array.isArray(files) || !files.every(isReleaseFile))
    throw new Unreadable("a release whose files lack a path, a mode or their content");
  if (new Set(files.map(({ path }) => path)).size < files.length)
    throw new Unreadable("a release with the same path twice");
  return { stack, host, files };
}

function parsedObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Unreadable("a release that is not JSON");
  }
  if (typeof value !== "object" || value === null) throw new Unreadable("a release that is not an object");
  return value as Readonly<Record<string, unknown>>;
}

function isReleaseFile(value: unknown): value is ReleaseFile {
  if (typeof value !== "object" || value === null) return false;
  const { path, mode, content } = value as Partial<Record<keyof ReleaseFile, unknown>>;
  return (
    typeof path === "string" &&
    path.startsWith("/") &&
    typeof mode === "string" &&
    /^[0-7]{3,4}$/.test(mode) &&
    typeof content === "string"
  );
}

/** Adds the files of a release, which replace files of the same path. */
export function addReleaseFiles(draft: HostDraft, { files }: ReleaseDocument): void {
  for (const { path, mode, content } of files) {
    draft.unreadableFiles.delete(path);
    draft.files.set(path, content);
    draft.modes.set(path, { permissions: mode });
  }
}

/** Adds the files of the first release among those of a draft. Throws Unreadable if it is none. */
export function unpackFirstRelease(draft: HostDraft): void {
  if (draft.unreadableFiles.has(firstReleasePath))
    throw new Unreadable("a cloud-config with a first release that cannot be decoded");
  const text = draft.files.get(firstReleasePath);
  if (text !== undefined) addReleaseFiles(draft, parseReleaseDocument(text));
}
