/**
 * Parser for nginx configuration, with the rules of nginx's own reader (ngx_conf_read_token in ngx_conf_file.c):
 * words, quotes that open at the start of a word, backslash escapes, comments, blocks. It has no knowledge of
 * directives, except that the body of a `..._by_lua_block` is Lua.
 */

import type { Directive, DirectivesParse } from "./directives";

interface Token {
  readonly kind: "word" | "open" | "close" | "end";
  readonly text: string;
  readonly line: number;
}

class NginxSyntaxError extends Error {
  constructor(
    readonly line: number,
    readonly reason: string,
  ) {
    super(reason);
  }
}

/** Parses one file. Reasons never quote the text. */
export function parseNginx(text: string): DirectivesParse {
  try {
    return { ok: true, directives: new Parser(new Scanner(text)).parse() };
  } catch (error) {
    if (error instanceof NginxSyntaxError) return { ok: false, line: error.line, reason: error.reason };
    throw error;
  }
}

class Scanner {
  private at = 0;
  private line = 1;

  constructor(private readonly text: string) {}

  next(): Token | undefined {
    this.skipBlank();
    const line = this.line;
    const char = this.text[this.at];
    if (char === undefined) return undefined;
    if (char === ";" || char === "{" || char === "}") {
      this.at += 1;
      return { kind: char === ";" ? "end" : char === "{" ? "open" : "close", text: char, line };
    }
    const text = char === '"' || char === "'" ? this.quotedWord(char) : this.bareWord();
    return { kind: "word", text, line };
  }

  /** Skips the block that was just opened, with Lua's rules: braces in strings and comments do not count. */
  skipLuaBlock(): void {
    const lua =
      /--\[\[[\s\S]*?\]\]|--[^\n]*|\[\[[\s\S]*?\]\]|"(?:\\[\s\S]|[^"\\])*"|'(?:\\[\s\S]|[^'\\])*'|[{}]/g;
    lua.lastIndex = this.at;
    let depth = 1;
    for (let match = lua.exec(this.text); match !== null; match = lua.exec(this.text)) {
      if (match[0] === "{") depth += 1;
      if (match[0] === "}") depth -= 1;
      if (depth > 0) continue;
      while (this.at < lua.lastIndex) this.advance();
      return;
    }
    throw new NginxSyntaxError(this.line, "a block is not closed");
  }

  get currentLine(): number {
    return this.line;
  }

  private advance(): void {
    if (this.text[this.at] === "\n") this.line += 1;
    this.at += 1;
  }

  private skipBlank(): void {
    for (;;) {
      const char = this.text[this.at];
      if (char === "#") while (this.at < this.text.length && this.text[this.at] !== "\n") this.at += 1;
      else if (char === " " || char === "\t" || char === "\r" || char === "\n") this.advance();
      else return;
    }
  }

  private quotedWord(quote: string): string {
    const opened = this.line;
    this.at += 1;
    let word = "";
    while (this.text[this.at] !== quote) {
      if (this.at >= this.text.length) throw new NginxSyntaxError(opened, "a quoted string is not closed");
      word += this.character();
    }
    this.at += 1;
    const after = this.text[this.at];
    if (after !== undefined && !/[ \t\r\n;{)]/.test(after)) {
      throw new NginxSyntaxError(this.line, "a quoted string is followed by other characters");
    }
    return word;
  }

  private bareWord(): string {
    let word = "";
    for (let char = this.text[this.at]; char !== undefined; char = this.text[this.at]) {
      // `${name}` is a variable; any other brace opens a block.
      if (char === "{" && !word.endsWith("$")) break;
      if (/[ \t\r\n;]/.test(char)) break;
      word += this.character();
    }
    return word;
  }

  /** One character of a word; a backslash escapes the next one. */
  private character(): string {
    const char = this.text[this.at] ?? "";
    if (char !== "\\" || this.at + 1 >= this.text.length) {
      this.advance();
      return char;
    }
    this.advance();
    const escaped = this.text[this.at] ?? "";
    this.advance();
    if (escaped === '"' || escaped === "'" || escaped === "\\") return escaped;
    if (escaped === "t") return "\t";
    if (escaped === "r") return "\r";
    if (escaped === "n") return "\n";
    return `\\${escaped}`;
  }
}

class Parser {
  constructor(private readonly scanner: Scanner) {}

  /** Not recursive, so deep nesting cannot overflow the stack. */
  parse(): readonly Directive[] {
    const root: Directive[] = [];
    const open: Directive[][] = [];
    let current = root;
    let words: Token[] = [];
    const add = (block?: readonly Directive[]) => {
      const [name, ...args] = words;
      if (name === undefined) throw new NginxSyntaxError(this.scanner.currentLine, "a directive has no name");
      current.push({
        name: name.text,
        args: args.map(({ text }) => text),
        line: name.line,
        ...(block === undefined ? {} : { block }),
      });
      words = [];
    };
    for (let token = this.scanner.next(); token !== undefined; token = this.scanner.next()) {
      if (token.kind === "word") words.push(token);
      else if (token.kind === "end") add();
      else if (token.kind === "open") {
        if (words[0]?.text.endsWith("_by_lua_block")) {
          this.scanner.skipLuaBlock();
          add();
          continue;
        }
        const block: Directive[] = [];
        add(block);
        open.push(current);
        current = block;
      } else {
        if (words.length > 0)
          throw new NginxSyntaxError(token.line, "a directive does not end with a semicolon");
        const outer = open.pop();
        if (outer === undefined) throw new NginxSyntaxError(token.line, "a closing brace has no block");
        current = outer;
      }
    }
    if (words.length > 0) throw new NginxSyntaxError(this.scanner.currentLine, "a directive has no end");
    if (open.length > 0) throw new NginxSyntaxError(this.scanner.currentLine, "a block is not closed");
    return root;
  }
}
