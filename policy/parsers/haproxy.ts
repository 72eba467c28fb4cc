/**
 * Parser for HAProxy configuration: sections of lines of words, with quotes, backslash escapes and comments as in
 * section 2.2 of the manual (Quoting and escaping). It does not resolve environment variables; it marks words that
 * contain one.
 */

import type { ParseFailure } from "./directives";

export interface HaproxyLine {
  readonly words: readonly string[];
  /** Line number, counted from 1. */
  readonly line: number;
}

export interface HaproxySection {
  /** global, defaults, frontend, backend, listen, ... */
  readonly kind: string;
  readonly name?: string;
  /** The named defaults section that this section uses. */
  readonly from?: string;
  readonly line: number;
  readonly lines: readonly HaproxyLine[];
}

export type HaproxyParse = { readonly ok: true; readonly sections: readonly HaproxySection[] } | ParseFailure;

/** The section keywords in the manual of HAProxy 3.x. One of them at the start of a line opens a section. */
const sectionKinds = new Set([
  "global",
  "defaults",
  "frontend",
  "backend",
  "listen",
  "peers",
  "mailers",
  "resolvers",
  "userlist",
  "program",
  "cache",
  "ring",
  "http-errors",
  "fcgi-app",
  "log-forward",
  "log-profile",
  "crt-store",
  "traces",
  "acme",
]);

/** Parses one file. Reasons never quote the text. */
export function parseHaproxy(text: string): HaproxyParse {
  const sections: (HaproxySection & { lines: HaproxyLine[] })[] = [];
  const lines = text.split("\n");
  for (const [index, content] of lines.entries()) {
    const line = index + 1;
    const words = splitWords(content);
    if (words === undefined) return { ok: false, line, reason: "a quote is not closed" };
    const [keyword, ...rest] = words;
    if (keyword === undefined) continue;
    if (keyword.startsWith(".")) return { ok: false, line, reason: "a conditional block cannot be checked" };
    const section = sections.at(-1);
    if (sectionKinds.has(keyword)) sections.push(openSection(keyword, rest, line));
    else if (section === undefined)
      return { ok: false, line, reason: "a keyword precedes the first section" };
    else section.lines.push({ words, line });
  }
  return { ok: true, sections };
}

function openSection(kind: string, words: readonly string[], line: number) {
  const fromAt = words.indexOf("from");
  const from = fromAt === -1 ? undefined : words[fromAt + 1];
  const name = fromAt === 0 ? undefined : words[0];
  return {
    kind,
    line,
    lines: [],
    ...(name === undefined ? {} : { name }),
    ...(from === undefined ? {} : { from }),
  };
}

/** The words of a line; undefined if a quote is open at its end. */
function splitWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < line.length; at += 1) {
    const char = line[at] ?? "";
    if (quote === "'") {
      if (char === "'") quote = undefined;
      else word = (word ?? "") + char;
    } else if (char === "\\" && at + 1 < line.length) {
      at += 1;
      word = (word ?? "") + (line[at] ?? "");
    } else if (quote === '"') {
      if (char === '"') quote = undefined;
      else word = (word ?? "") + char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (char === "#") break;
    else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (quote !== undefined) return undefined;
  if (word !== undefined) words.push(word);
  return words;
}
