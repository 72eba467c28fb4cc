/**
 * Parser for the configuration of Apache httpd: lines of words, sections in angle brackets, quotes, comments and lines
 * that a backslash continues (Apache HTTP Server 2.4, "Configuration Files", Syntax). It has no knowledge of
 * directives.
 */

import type { Directive, DirectivesParse } from "./directives";

interface OpenSection {
  readonly name: string;
  readonly line: number;
  readonly outer: Directive[];
}

/** Parses one file. */
export function parseApache(text: string): DirectivesParse {
  const root: Directive[] = [];
  const open: OpenSection[] = [];
  let current = root;
  for (const { content, line } of logicalLines(text)) {
    const closing = /^<\/\s*([\w-]+)\s*>$/.exec(content)?.[1]?.toLowerCase();
    if (closing !== undefined) {
      const section = open.pop();
      if (section?.name !== closing)
        return { ok: false, line, reason: "a section ends that is not the last open one" };
      current = section.outer;
      continue;
    }
    const isSection = content.startsWith("<");
    if (isSection && !content.endsWith(">"))
      return { ok: false, line, reason: "the brackets of a section are not closed" };
    const words = splitWords(isSection ? content.slice(1, -1) : content);
    if (words === undefined) return { ok: false, line, reason: "a quote is not closed" };
    const [name, ...args] = words;
    if (name === undefined) return { ok: false, line, reason: "a section has no name" };
    const directive = { name: name.toLowerCase(), args, line };
    if (!isSection) {
      current.push(directive);
      continue;
    }
    const block: Directive[] = [];
    current.push({ ...directive, block });
    open.push({ name: directive.name, line, outer: current });
    current = block;
  }
  const last = open.at(-1);
  return last === undefined
    ? { ok: true, directives: root }
    : { ok: false, line: last.line, reason: "a section is not closed" };
}

/** Lines without comments and blanks, each joined with those that a backslash at its end adds. */
function logicalLines(text: string): readonly { readonly content: string; readonly line: number }[] {
  const found: { content: string; line: number }[] = [];
  let begun: { content: string; line: number } | undefined;
  for (const [index, raw] of text.split("\n").entries()) {
    const physical = raw.replace(/\r$/, "");
    const continues = physical.endsWith("\\");
    const part = continues ? physical.slice(0, -1) : physical;
    begun =
      begun === undefined
        ? { content: part, line: index + 1 }
        : { ...begun, content: `${begun.content}${part}` };
    if (continues) continue;
    found.push(begun);
    begun = undefined;
  }
  if (begun !== undefined) found.push(begun);
  return found
    .map(({ content, line }) => ({ content: content.trim(), line }))
    .filter(({ content }) => content !== "" && !content.startsWith("#"));
}

/** The words of a line; undefined if a quote is open at its end. A backslash in quotes escapes the quote or itself. */
function splitWords(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let at = 0;
  while (at < line.length) {
    const char = line[at] ?? "";
    if (/\s/.test(char)) {
      at += 1;
      continue;
    }
    if (char !== '"' && char !== "'") {
      const end = line.slice(at).search(/\s/);
      words.push(end === -1 ? line.slice(at) : line.slice(at, at + end));
      at = end === -1 ? line.length : at + end;
      continue;
    }
    let word = "";
    at += 1;
    while (at < line.length && line[at] !== char) {
      if (line[at] === "\\" && (line[at + 1] === char || line[at + 1] === "\\")) at += 1;
      word += line[at];
      at += 1;
    }
    if (at >= line.length) return undefined;
    words.push(word);
    at += 1;
  }
  return words;
}
