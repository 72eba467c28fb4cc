/**
 * The files, packages and commands that a droplet's user data contains, read as cloud-init reads it.
 *
 * Formats: cloud-init's manual ("User data formats") and cloudinit/user_data.py. Supported: cloud-config, shell
 * scripts, boot hooks, MIME multi-part messages and archives of these, each also with gzip or base64, and a jinja
 * template if it has nothing to render. Any other format (#include, part handlers, JSON patches) makes the whole user
 * data unknown. A reason never contains any part of the text.
 */
import { createHash } from "node:crypto";
import { gunzipSync } from "node:zlib";
import { parseMime } from "../parsers/mime";
import { addCloudConfig, parseYaml } from "./cloud-config";
import { mergeConfig } from "./config-merge";
import { type HostContent, maxTextBytes } from "./content";
import { contentOfDraft, emptyDraft } from "./draft";
import { addScript } from "./script";
import { Unreadable } from "./unreadable";

/** `script`: no part is a cloud-config, so the content is known only from the commands in scripts. */
export type UserData =
  | { readonly kind: "cloud-config"; readonly content: HostContent }
  | { readonly kind: "script"; readonly content: HostContent }
  | { readonly kind: "unreadable"; readonly reason: string };

/**
 * Looked up by digest. V8 hashes a string over 16 KiB by its length only, so a stack's user data, which are often a
 * thousand texts of equal length, would be compared character by character.
 */
const cache = new Map<string, UserData>();
/** The pack reads the same text once for each policy. The cache holds a stack of 1,000 droplets. */
const cacheLimit = 2_000;

export function parseUserData(text: string): UserData {
  const key = createHash("sha256").update(text).digest("base64");
  const cached = cache.get(key);
  if (cached !== undefined) return cached;
  const parsed = parseUncached(text);
  if (cache.size >= cacheLimit) cache.clear();
  cache.set(key, parsed);
  return parsed;
}

function parseUncached(text: string): UserData {
  const reading = new Reading();
  try {
    reading.add(decompressed(text));
    return reading.finish();
  } catch (error) {
    if (error instanceof Unreadable) return { kind: "unreadable", reason: error.message };
    throw error;
  }
}

const gzipMagic = Buffer.from([0x1f, 0x8b]);

function gunzipped(bytes: Buffer): string {
  try {
    return gunzipSync(bytes, { maxOutputLength: maxTextBytes }).toString("utf8");
  } catch {
    throw new Unreadable("compressed data that cannot be read");
  }
}

/** gzip, base64, or gzip in base64 of user data; other text unchanged. */
function decompressed(text: string): string {
  if (/^\s*(#|Content-Type:|MIME-Version:)/i.test(text)) return text;
  const raw = Buffer.from(text, "latin1");
  if (raw.subarray(0, 2).equals(gzipMagic)) return gunzipped(raw);
  const bare = text.replace(/\s+/g, "");
  const isBase64 = bare.length >= 16 && bare.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(bare);
  if (!isBase64) return text;
  const bytes = Buffer.from(bare, "base64");
  return bytes.subarray(0, 2).equals(gzipMagic) ? gunzipped(bytes) : bytes.toString("utf8");
}

/** Prefixes of a text, longest first, with the content type that cloud-init derives from each. */
const beginnings: readonly (readonly [string, string])[] = [
  ["#cloud-config-archive", "text/cloud-config-archive"],
  ["#cloud-config-jsonp", "text/cloud-config-jsonp"],
  ["## template: jinja", "text/jinja2"],
  ["#cloud-boothook", "text/cloud-boothook"],
  ["#include-once", "text/x-include-once-url"],
  ["#part-handler", "text/part-handler"],
  ["#cloud-config", "text/cloud-config"],
  ["#upstart-job", "text/upstart-job"],
  ["#include", "text/x-include-url"],
  ["#!", "text/x-shellscript"],
];

function typeFromBeginning(text: string): string | undefined {
  const begin = text.trimStart().slice(0, 30).toLowerCase();
  return beginnings.find(([beginning]) => begin.startsWith(beginning))?.[1];
}

/**
 * Content types for which the content decides (cloudinit/user_data.py, TYPE_NEEDED, and a wrong text/x-shellscript).
 */
const undecidedTypes = new Set(["text/plain", "text/x-not-multipart", "text/x-shellscript"]);
const compressedType = /^application\/(x-)?(gzip|gunzip|compress)(ed|-compressed)?$/;
const scriptType = /^text\/(x-shellscript(-per-(boot|instance|once))?|cloud-boothook)$/;

const unreadableTypes: Readonly<Record<string, string>> = {
  "text/x-include-url": "user data that includes other addresses",
  "text/x-include-once-url": "user data that includes other addresses",
  "text/cloud-config-jsonp": "a JSON patch of a cloud-config",
  "text/part-handler": "a program that reads other parts of the user data",
  "text/upstart-job": "a job for upstart",
};

const maxParts = 500;
const maxNesting = 5;

class Reading {
  private readonly scripts: string[] = [];
  private config: Readonly<Record<string, unknown>> | undefined;
  private parts = 0;

  /** Adds a whole user data, or one of its parts. */
  add(text: string): void {
    if (!/mime-version:/i.test(text.slice(0, 4096))) {
      this.addPart("text/x-not-multipart", text, undefined, 0);
      return;
    }
    const message = parseMime(text);
    if (!message.ok) throw new Unreadable(`MIME multi-part user data: ${message.reason}`);
    for (const { type, headers, body } of message.parts) {
      const isCompressed = compressedType.test(type) || body.subarray(0, 2).equals(gzipMagic);
      const content = isCompressed ? gunzipped(body) : body.toString("utf8");
      const mergeType = headers.get("merge-type") ?? headers.get("x-merge-type");
      this.addPart(compressedType.test(type) ? "text/plain" : type, content, mergeType, 0);
    }
  }

  finish(): UserData {
    const draft = emptyDraft();
    if (this.config !== undefined) addCloudConfig(draft, this.config);
    for (const script of this.scripts) addScript(draft, script);
    return { kind: this.config === undefined ? "script" : "cloud-config", content: contentOfDraft(draft) };
  }

  private addPart(given: string, text: string, mergeType: string | undefined, depth: number): void {
    this.parts += 1;
    if (this.parts > maxParts || depth > maxNesting) throw new Unreadable("user data with too many parts");
    const type = undecidedTypes.has(given) ? (typeFromBeginning(text) ?? given) : given;
    const reason = unreadableTypes[type];
    if (reason !== undefined) throw new Unreadable(reason);
    if (type === "text/cloud-config") this.addConfig(text, mergeType);
    else if (scriptType.test(type)) this.scripts.push(text.replace(/^\s*#cloud-boothook[^\n]*\n/i, ""));
    else if (type === "text/cloud-config-archive") this.addArchive(text, depth);
    else if (type === "text/jinja2") this.addTemplate(text, mergeType, depth);
    // cloud-init ignores a part of an unknown type, with a warning. If the whole user data is of an unknown type,
    // that is an error.
    else if (given === "text/x-not-multipart")
      throw new Unreadable("user data in a format that cloud-init's manual does not name");
  }

  private addConfig(text: string, mergeType: string | undefined): void {
    const parsed = parseYaml(text);
    if (!parsed.ok) throw new Unreadable("cloud-config that is not valid YAML");
    const value = parsed.value ?? {};
    if (typeof value !== "object" || Array.isArray(value))
      throw new Unreadable("cloud-config that is not a mapping");
    const merged = mergeConfig(this.config ?? {}, value as Readonly<Record<string, unknown>>, mergeType);
    if (merged === undefined)
      throw new Unreadable("cloud-config with a merge type that cloud-init does not have");
    this.config = merged;
  }

  private addArchive(text: string, depth: number): void {
    const parsed = parseYaml(text);
    if (!parsed.ok || !Array.isArray(parsed.value))
      throw new Unreadable("an archive of user data that is not a list");
    for (const entry of parsed.value as readonly unknown[]) {
      const part = typeof entry === "string" ? { content: entry } : entry;
      if (typeof part !== "object" || part === null) continue;
      const { content, type, ...headers } = part as Record<string, unknown>;
      if (typeof content !== "string")
        throw new Unreadable("an archive of user data with a part that is not text");
      const mergeType = headers["Merge-Type"] ?? headers["merge-type"];
      this.addPart(
        typeof type === "string" ? type.toLowerCase() : (typeFromBeginning(content) ?? "text/cloud-config"),
        content,
        typeof mergeType === "string" ? mergeType : undefined,
        depth + 1,
      );
    }
  }

  private addTemplate(text: string, mergeType: string | undefined, depth: number): void {
    if (/\{\{|\{%|\{#/.test(text)) throw new Unreadable("a template that cloud-init renders on the host");
    const rest = text.trimStart().replace(/^[^\n]*\n?/, "");
    this.addPart("text/x-not-multipart", rest, mergeType, depth + 1);
  }
}
