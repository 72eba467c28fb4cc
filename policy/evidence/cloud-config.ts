/**
 * The effect of a cloud-config on a host: files, packages and commands (cloud-init's manual, "All cloud config
 * examples").
 */
import { posix } from "node:path";
import { gunzipSync } from "node:zlib";
import { parseDocument } from "yaml";
import { type FileMode, maxTextBytes } from "./content";
import type { HostDraft } from "./draft";
import { addPasswords } from "./passwords";
import { unpackFirstRelease } from "./release-form";
import { addScript } from "./script";

/** Parses YAML as PyYAML does, which cloud-init uses: YAML 1.1, and the last of two equal keys counts. */
export function parseYaml(
  text: string,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false } {
  try {
    const document = parseDocument(text, {
      version: "1.1",
      uniqueKeys: false,
      logLevel: "silent",
      prettyErrors: false,
    });
    return document.errors.length > 0
      ? { ok: false }
      : { ok: true, value: document.toJS({ maxAliasCount: 100 }) as unknown };
  } catch {
    return { ok: false };
  }
}

/** Modules that let another system configure the host. */
const remoteModules = ["ansible", "chef", "puppet", "salt_minion", "mcollective", "landscape"];

/**
 * Adds the effects of a cloud-config, in the order in which cloud-init runs its modules. A first release is unpacked by
 * a script, before the commands of runcmd.
 *
 * Throws Unreadable if the first release is malformed.
 */
export function addCloudConfig(draft: HostDraft, config: Readonly<Record<string, unknown>>): void {
  addCommands(draft, config.bootcmd);
  const files = Array.isArray(config.write_files) ? (config.write_files as readonly unknown[]) : [];
  addFiles(
    draft,
    files.filter((entry) => !isDeferred(entry)),
  );
  // cloud-init writes deferred files in its last stage, after packages and before the commands of runcmd.
  addFiles(draft, files.filter(isDeferred));
  unpackFirstRelease(draft);
  addPasswords(draft.passwords, config);
  for (const name of textsWithin(config.packages)) draft.packages.add(name);
  for (const module of remoteModules) {
    if (config[module] !== undefined && config[module] !== null)
      draft.unknownCommands.add(`the module ${module}, which lets another system configure the host`);
  }
  const { snap } = config;
  if (typeof snap === "object" && snap !== null)
    addCommands(draft, (snap as { commands?: unknown }).commands);
  addCommands(draft, config.runcmd);
}

/** True as cloud-init reads options (cloudinit/util.py, translate_bool): also the text "true", "yes", "on" and "1". */
function isTrue(value: unknown): boolean {
  return value === true || /^\s*(?:true|yes|on|1)\s*$/i.test(String(value));
}

const isDeferred = (entry: unknown) =>
  typeof entry === "object" && entry !== null && isTrue((entry as { defer?: unknown }).defer);

/** Commands are strings for a shell, or lists of arguments. cloud-init writes one script from them. */
function addCommands(draft: HostDraft, value: unknown): void {
  if (value === undefined || value === null) return;
  const items: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === "object"
      ? Object.values(value)
      : [value];
  const lines = items.map((item) =>
    Array.isArray(item) ? textsWithin(item).map(shellQuoted).join(" ") : String(item),
  );
  addScript(draft, lines.join("\n"), 1);
}

function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** All strings within lists and mappings: cloud-init accepts several nested formats for packages. */
function textsWithin(value: unknown, depth = 0): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value === "number" || typeof value === "boolean") return depth > 0 ? [String(value)] : [];
  if (typeof value !== "object" || value === null || depth > 8) return [];
  return Object.values(value).flatMap((item) => textsWithin(item, depth + 1));
}

function addFiles(draft: HostDraft, entries: readonly unknown[]): void {
  for (const entry of entries) {
    if (typeof entry !== "object" || entry === null) continue;
    const fields = entry as Record<string, unknown>;
    const { content, encoding, source, permissions, owner } = fields;
    if (typeof fields.path !== "string") continue;
    const path = posix.resolve("/", fields.path);
    const append = isTrue(fields.append);
    if (!append || permissions !== undefined)
      draft.modes.set(path, { ...modeText("permissions", permissions), ...modeText("owner", owner) });
    const decoded = source === undefined ? decode(content, encoding) : undefined;
    if (decoded === undefined) {
      draft.files.delete(path);
      draft.unreadableFiles.set(
        path,
        source === undefined ? "its encoding cannot be read" : "it comes from another address",
      );
      continue;
    }
    if (!append) draft.unreadableFiles.delete(path);
    if (draft.unreadableFiles.has(path)) continue;
    draft.files.set(path, append ? (draft.files.get(path) ?? "") + decoded : decoded);
  }
}

/** YAML 1.1 reads 0600 without quotes as an octal number. */
function modeText(key: "permissions" | "owner", value: unknown): FileMode {
  if (typeof value === "string") return { [key]: value };
  return typeof value === "number" ? { [key]: `0${value.toString(8)}` } : {};
}

/** The content as cloud-init's cc_write_files decodes it; undefined if it cannot be decoded. */
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
          : gunzipSync(decoded, { maxOutputLength: maxTextBytes });
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
