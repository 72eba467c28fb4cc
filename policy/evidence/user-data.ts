/**
 * What a droplet's user data says of the files, packages and commands of the host, as cloud-init will read it.
 *
 * Formats after cloud-init's manual ("User data formats"): cloud-config is read whole; a script is read for the words
 * that it holds; everything else (MIME multi-part, #include, jinja templates, compressed data) says that it cannot be
 * read. Nothing of the text stands in a reason.
 */
import { gunzipSync } from "node:zlib";
import { parseDocument } from "yaml";

export type UserData =
  | { readonly kind: "cloud-config"; readonly content: HostContent }
  | { readonly kind: "script"; readonly content: HostContent }
  | { readonly kind: "unreadable"; readonly reason: string };

/** What is known of a host. */
export interface HostContent {
  /** Absolute path -> text. */
  readonly files: ReadonlyMap<string, string>;
  /** Paths of files whose text cannot be known, with the reason. */
  readonly unreadableFiles: ReadonlyMap<string, string>;
  readonly packages: readonly string[];
  /** The words of all commands and scripts: enough to see what they install, never shown. */
  readonly words: ReadonlySet<string>;
}

const cache = new Map<string, UserData>();
/** The pack reads the same text once for each policy; a stack of 1,000 droplets fits. */
const cacheLimit = 2_000;

export function parseUserData(text: string): UserData {
  const cached = cache.get(text);
  if (cached !== undefined) return cached;
  const parsed = parseUncached(text);
  if (cache.size >= cacheLimit) cache.clear();
  cache.set(text, parsed);
  return parsed;
}

function parseUncached(text: string): UserData {
  const firstLine = text.trimStart().split("\n", 1)[0]?.trim() ?? "";
  if (/^#cloud-config(\s|$)/.test(firstLine)) return parseCloudConfig(text);
  if (firstLine.startsWith("#!"))
    return { kind: "script", content: { ...emptyContent, words: wordsOf([text]) } };
  const reason =
    firstLine.startsWith("Content-Type:") || firstLine.startsWith("MIME-Version:")
      ? "MIME multi-part user data"
      : firstLine.startsWith("#include")
        ? "user data that includes other addresses"
        : firstLine.startsWith("## template:")
          ? "a template that cloud-init renders on the host"
          : "user data of a form that cloud-init's manual does not name";
  return { kind: "unreadable", reason };
}

export const emptyContent: HostContent = {
  files: new Map(),
  unreadableFiles: new Map(),
  packages: [],
  words: new Set(),
};

function parseCloudConfig(text: string): UserData {
  let config: unknown;
  try {
    // As PyYAML, which cloud-init uses: YAML 1.1, and of two equal keys the last one counts.
    const document = parseDocument(text, { version: "1.1", uniqueKeys: false, logLevel: "silent" });
    if (document.errors.length > 0)
      return { kind: "unreadable", reason: "cloud-config that is not valid YAML" };
    config = document.toJS({ maxAliasCount: 100 });
  } catch {
    return { kind: "unreadable", reason: "cloud-config that is not valid YAML" };
  }
  if (config === null || config === undefined) return { kind: "cloud-config", content: emptyContent };
  if (typeof config !== "object" || Array.isArray(config)) {
    return { kind: "unreadable", reason: "cloud-config that is not a mapping" };
  }
  const record = config as Record<string, unknown>;
  const { files, unreadableFiles } = readFiles(record.write_files);
  return {
    kind: "cloud-config",
    content: {
      files,
      unreadableFiles,
      packages: textsWithin(record.packages),
      words: wordsOf([...textsWithin(record.bootcmd), ...textsWithin(record.runcmd)]),
    },
  };
}

/** Every string within lists and mappings: cloud-init takes packages and commands in several nested forms. */
function textsWithin(value: unknown, depth = 0): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null || depth > 8) return [];
  return Object.values(value).flatMap((item) => textsWithin(item, depth + 1));
}

function wordsOf(texts: readonly string[]): ReadonlySet<string> {
  return new Set(texts.flatMap((text) => text.toLowerCase().split(/[^a-z0-9._+-]+/)));
}

function readFiles(value: unknown): Pick<HostContent, "files" | "unreadableFiles"> {
  const files = new Map<string, string>();
  const unreadableFiles = new Map<string, string>();
  for (const entry of Array.isArray(value) ? value : []) {
    if (typeof entry !== "object" || entry === null) continue;
    const { path, content, encoding, append, source } = entry as Record<string, unknown>;
    if (typeof path !== "string") continue;
    const decoded = source === undefined ? decode(content, encoding) : undefined;
    if (decoded === undefined) {
      unreadableFiles.set(
        path,
        source === undefined ? "its encoding cannot be read" : "it comes from another address",
      );
      continue;
    }
    files.set(path, append === true ? (files.get(path) ?? "") + decoded : decoded);
  }
  return { files, unreadableFiles };
}

/** A file on a host is far smaller; a compressed bomb stops here. */
const maxFileBytes = 4 * 1024 * 1024;

/** The content as cloud-init's cc_write_files decodes it; nothing where it cannot be decoded. */
function decode(content: unknown, encoding: unknown): string | undefined {
  if (content === undefined || content === null) return "";
  const bytes =
    typeof content === "string"
      ? Buffer.from(content)
      : content instanceof Uint8Array
        ? Buffer.from(content)
        : undefined;
  if (bytes === undefined)
    return typeof content === "number" || typeof content === "boolean" ? String(content) : undefined;
  const steps = decodingSteps(encoding);
  if (steps === undefined) return undefined;
  try {
    let decoded = bytes;
    for (const step of steps) {
      decoded =
        step === "base64"
          ? Buffer.from(decoded.toString("latin1"), "base64")
          : gunzipSync(decoded, { maxOutputLength: maxFileBytes });
    }
    return decoded.toString("utf8");
  } catch {
    return undefined;
  }
}

function decodingSteps(encoding: unknown): readonly ("base64" | "gzip")[] | undefined {
  if (encoding === undefined || encoding === null) return [];
  if (typeof encoding !== "string") return undefined;
  const name = encoding.trim().toLowerCase();
  if (["gz", "gzip"].includes(name)) return ["gzip"];
  if (["gz+base64", "gzip+base64", "gz+b64", "gzip+b64"].includes(name)) return ["base64", "gzip"];
  if (["b64", "base64"].includes(name)) return ["base64"];
  return name === "text/plain" || name === "" ? [] : undefined;
}
