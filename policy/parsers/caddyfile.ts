/**
 * Parser for Caddyfiles: tokens, quotes, backticks, here-documents, comments, and blocks in braces (Caddy's
 * documentation, "Caddyfile Concepts"). It does not replace environment variables and placeholders; they stay in the
 * tokens.
 */

import type { Directive, ParseFailure } from "./directives";

/** A part of a Caddyfile: global options (no keys), a snippet (`(name)`), a named route (`&(name)`), a site or an import. */
export interface CaddyBlock {
  readonly keys: readonly string[];
  readonly line: number;
  readonly directives: readonly Directive[];
}

export type CaddyParse = { readonly ok: true; readonly blocks: readonly CaddyBlock[] } | ParseFailure;

interface Token {
  readonly text: string;
  readonly line: number;
  readonly quoted: boolean;
}

class CaddySyntaxError extends Error {
  constructor(
    readonly line: number,
    readonly reason: string,
  ) {
    super(reason);
  }
}

/** Parses one file. Reasons never quote the text. */
export function parseCaddyfile(text: string): CaddyParse {
  try {
    return { ok: true, blocks: new Parser(tokensOf(text)).parse() };
  } catch (error) {
    if (error instanceof CaddySyntaxError) return { ok: false, line: error.line, reason: error.reason };
    throw error;
  }
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern =
    /[^\S\n]+|\n|\\\r?\n|#[^\n]*|"(?:\\[\s\S]|[^"\\])*"|`[^`]*`|<<([\w-]+)\r?\n[\s\S]*?\n[^\S\n]*\1(?=\s|$)|["`]|\S+/gy;
  let line = 1;
  for (const [piece] of text.matchAll(pattern)) {
    const quoted = /^(?:"|`)/.test(piece);
    if (quoted && piece.length === 1) throw new CaddySyntaxError(line, "a quote is not closed");
    const isBlank = /^(?:\s|\\\r?\n$)/.test(piece);
    if (!isBlank && !piece.startsWith("#"))
      tokens.push({ text: quoted ? piece.slice(1, -1) : piece, line, quoted });
    line += piece.split("\n").length - 1;
  }
  return tokens;
}

const maxDepth = 64;

class Parser {
  private at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  parse(): readonly CaddyBlock[] {
    const blocks: CaddyBlock[] = [];
    while (this.at < this.tokens.length) blocks.push(this.block());
    return blocks;
  }

  private is(brace: "{" | "}", token = this.tokens[this.at]): boolean {
    return token !== undefined && !token.quoted && token.text === brace;
  }

  /** Keys up to the brace. A site without braces is the only one, and the rest of the file is its block. */
  private block(): CaddyBlock {
    const keys: string[] = [];
    const line = this.tokens[this.at]?.line ?? 1;
    for (let last: Token | undefined; this.at < this.tokens.length && !this.is("{"); this.at += 1) {
      const token = this.tokens[this.at];
      if (token === undefined || this.is("}"))
        throw new CaddySyntaxError(line, "a closing brace has no block");
      const continues = last === undefined || last.line === token.line || last.text.endsWith(",");
      if (!continues)
        return { keys, line, directives: keys[0] === "import" ? [] : this.directives(0, false) };
      keys.push(...token.text.split(",").filter((key) => key !== ""));
      last = token;
    }
    if (!this.is("{")) return { keys, line, directives: [] };
    this.at += 1;
    return { keys, line, directives: this.directives(0, true) };
  }

  private directives(depth: number, isInBraces: boolean): readonly Directive[] {
    const found: Directive[] = [];
    const opened = this.tokens[this.at - 1]?.line ?? 1;
    if (depth > maxDepth) throw new CaddySyntaxError(opened, "its blocks are nested too deeply");
    while (this.at < this.tokens.length && !this.is("}")) found.push(this.directive(depth));
    if (this.is("}") !== isInBraces)
      throw new CaddySyntaxError(
        opened,
        isInBraces ? "a block is not closed" : "a closing brace has no block",
      );
    this.at += 1;
    return found;
  }

  private directive(depth: number): Directive {
    const first = this.tokens[this.at];
    if (first === undefined || this.is("{"))
      throw new CaddySyntaxError(first?.line ?? 1, "a directive has no name");
    this.at += 1;
    const args: string[] = [];
    let token = this.tokens[this.at];
    while (token !== undefined && token.line === first.line && !this.is("{") && !this.is("}")) {
      args.push(token.text);
      this.at += 1;
      token = this.tokens[this.at];
    }
    const directive = { name: first.text, args, line: first.line };
    if (!this.is("{") || token?.line !== first.line) return directive;
    this.at += 1;
    return { ...directive, block: this.directives(depth + 1, true) };
  }
}
