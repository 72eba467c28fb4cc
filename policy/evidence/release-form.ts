/**
 * The form of a release: the files of one host as a JSON document (releases.md in the pack's folder).
 *
 * A host's first release is a file in its user data. The host writes the document's files before it runs anything
 * else. A later release is a signed object (DSSE: github.com/secure-systems-lab/dsse) that a running host fetches.
 */
import { gunzipSync } from "node:zlib";
import { fromBase85 } from "./base85";
import { maxTextBytes } from "./content";
import type { HostDraft } from "./draft";
import { Unreadable } from "./unreadable";

/** A file of one of these paths in user data is a first release: as JSON, or compressed with gzip in base85. */
export const firstReleasePath = "/var/lib/secured-web/first-release.json";
export const compressedFirstReleasePath = "/var/lib/secured-web/first-release.gz.b85";

/** A file of a release with the addresses that the host uses: `{ "releases": "https://...", ... }`. */
export const releaseAddressPath = "/etc/secured-web/release.json";

/** Type of the signed payload: the document, compressed with gzip. */
export const releasePayloadType = "application/vnd.secured-web.release.v1+gzip";

/** Content type of the object. With it, an object counts as a release even if its content cannot be read. */
export const releaseContentType = "application/vnd.secured-web.release+json";

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

/** True if a text looks like the object of a release, of any version. */
export function isReleaseEnvelope(text: string): boolean {
  return /"payloadType"\s*:\s*"application\/vnd\.secured-web\.release\./.test(text);
}

/** The document in the text of a release object. Throws Unreadable if there is none. */
export function parseReleaseEnvelope(text: string): ReleaseDocument {
  const { payloadType, payload, signatures } = parsedObject(text);
  if (payloadType !== releasePayloadType) throw new Unreadable("a release of another version");
  if (!Array.isArray(signatures) || signatures.length === 0)
    throw new Unreadable("a release without a signature");
  if (typeof payload !== "string") throw new Unreadable("a release without a payload");
  return parseReleaseDocument(decompressed(Buffer.from(payload, "base64")));
}

function decompressed(bytes: Buffer): string {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxTextBytes }).toString("utf8");
  } catch {
    throw new Unreadable("a release whose payload is not compressed with gzip");
  }
}

/** The address from which a host fetches its releases, from its files; undefined if it fetches none. */
export function releaseAddress(files: ReadonlyMap<string, string>): string | undefined {
  const text = files.get(releaseAddressPath);
  if (text === undefined) return undefined;
  try {
    const { releases } = parsedObject(text);
    return typeof releases === "string" ? releases : undefined;
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
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

/** The JSON in a compressed first release, whose texts may have line breaks and tabs as they are. Throws Unreadable. */
export function firstReleaseJson(encoded: string): string {
  const text = decompressed(fromBase85(encoded.trim()));
  return text.replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

/** Adds the files of the first release among those of a draft. Throws Unreadable if it is none. */
export function unpackFirstRelease(draft: HostDraft): void {
  if ([firstReleasePath, compressedFirstReleasePath].some((path) => draft.unreadableFiles.has(path)))
    throw new Unreadable("a cloud-config with a first release that cannot be decoded");
  const text = draft.files.get(firstReleasePath);
  if (text !== undefined) addReleaseFiles(draft, parseReleaseDocument(text));
  const encoded = draft.files.get(compressedFirstReleasePath);
  if (encoded !== undefined) addReleaseFiles(draft, parseReleaseDocument(firstReleaseJson(encoded)));
}
