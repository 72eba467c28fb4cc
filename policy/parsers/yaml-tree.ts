/** Values of YAML and JSON files, read without knowledge of their form. */
import { parseDocument } from "yaml";

export type YamlParse =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly line: number };

/** Parses one document of YAML 1.2, of which JSON is a part. */
export function parseYamlText(text: string): YamlParse {
  try {
    const document = parseDocument(text, { logLevel: "silent" });
    const [error] = document.errors;
    if (error !== undefined) return { ok: false, line: error.linePos?.[0].line ?? 1 };
    return { ok: true, value: document.toJS({ maxAliasCount: 100 }) as unknown };
  } catch {
    return { ok: false, line: 1 };
  }
}

export type YamlMap = Readonly<Record<string, unknown>>;

/** The mapping; empty if the value is none. */
export function mapOf(value: unknown): YamlMap {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as YamlMap) : {};
}

/** The list; empty if the value is none. */
export const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? (value as readonly unknown[]) : [];

/** The value at a path of keys; undefined if a part of the path is missing. */
export const valueAt = (value: unknown, ...keys: readonly string[]): unknown =>
  keys.reduce<unknown>((found, key) => mapOf(found)[key], value);

/** The value with all keys changed. */
function withKeys(value: unknown, change: (key: string) => string): unknown {
  if (Array.isArray(value)) return value.map((one) => withKeys(one, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [change(key), withKeys(one, change)]));
}

/** The value with all keys in lower case. */
export const lowerKeys = (value: unknown): unknown => withKeys(value, (key) => key.toLowerCase());

/** The value with keys of lowerCamelCase as snake_case: JSON of protocol buffers allows both. */
export const snakeKeys = (value: unknown): unknown =>
  withKeys(value, (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
