/**
 * Parser for MySQL option files (my.cnf), from the manual's "Using Option Files": groups, `name` and `name = value`,
 * `#` and `;` comments, quotes, escape sequences, `!include` and `!includedir`.
 *
 * Names are normalized: without the prefix `loose`, with underscores instead of dashes.
 */

export interface Option {
  readonly group: string;
  readonly name: string;
  /** Absent if the option has no value, which means ON for a flag. */
  readonly value?: string;
  /** Line, counted from 1. */
  readonly line: number;
}

export interface OptionFile {
  readonly options: readonly Option[];
  readonly includes: readonly {
    readonly kind: "file" | "directory";
    readonly path: string;
    readonly line: number;
  }[];
}

export type OptionFileParse =
  | { readonly ok: true; readonly file: OptionFile }
  | { readonly ok: false; readonly line: number; readonly reason: string };

/** Parses one file. Reasons never quote the text. */
export function parseOptionFile(text: string): OptionFileParse {
  const options: Option[] = [];
  const includes: { kind: "file" | "directory"; path: string; line: number }[] = [];
  let group: string | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    const line = index + 1;
    const content = raw.trim();
    if (content === "" || content.startsWith("#") || content.startsWith(";")) continue;
    if (content.startsWith("!")) {
      const match = /^!include(dir)?\s+(\S.*)$/.exec(content);
      if (match === null) return { ok: false, line, reason: "an unknown directive" };
      includes.push({
        kind: match[1] === undefined ? "file" : "directory",
        path: (match[2] ?? "").trim(),
        line,
      });
      continue;
    }
    if (content.startsWith("[")) {
      const end = content.indexOf("]");
      if (end === -1) return { ok: false, line, reason: "a group's name is not closed" };
      group = content.slice(1, end).trim();
      continue;
    }
    if (group === undefined) return { ok: false, line, reason: "an option precedes the first group" };
    options.push({ group, line, ...parseOption(content) });
  }
  return { ok: true, file: { options, includes } };
}

function parseOption(content: string): { name: string; value?: string } {
  const bare = withoutComment(content);
  const equals = bare.indexOf("=");
  if (equals === -1) return { name: canonicalName(bare) };
  return { name: canonicalName(bare.slice(0, equals)), value: parseValue(bare.slice(equals + 1)) };
}

/** Removes a `#` comment that starts in the middle of a line, outside quotes. */
function withoutComment(content: string): string {
  let quote: string | undefined;
  for (let at = 0; at < content.length; at += 1) {
    const char = content[at] ?? "";
    if (quote !== undefined) {
      if (char === "\\") at += 1;
      else if (char === quote) quote = undefined;
    } else if (char === '"' || char === "'") quote = char;
    else if (char === "#") return content.slice(0, at).trimEnd();
  }
  return content;
}

/** The normalized form in which the server compares names: `loose-Foo-bar` -> `foo_bar`. */
export function canonicalName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll("-", "_")
    .replace(/^loose_/, "");
}

const escapes: Readonly<Record<string, string>> = { b: "\b", t: "\t", n: "\n", r: "\r", s: " ", "\\": "\\" };

function parseValue(text: string): string {
  const trimmed = text.trim();
  const quote = trimmed[0];
  const isQuoted = (quote === '"' || quote === "'") && trimmed.length > 1 && trimmed.endsWith(quote);
  const body = isQuoted ? trimmed.slice(1, -1) : trimmed;
  return body.replace(/\\([btnrs\\])/g, (_, letter: string) => escapes[letter] ?? letter);
}
