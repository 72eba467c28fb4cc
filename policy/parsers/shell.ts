/**
 * Reader of shell scripts (POSIX sh and bash's kinds of words): simple commands with their words, redirections and
 * here-documents, in the order of the text. It ignores conditions, loops and functions: a command counts even if it
 * would not run. It never fails: an unclosed quote or here-document ends with the text.
 */
import { afterBrace, afterParentheses, scriptsIn, substitutionAt } from "./shell-parentheses";
import {
  decodeAnsiC,
  type HereDocument,
  hereDocumentOf,
  partsOfHereDocument,
  type ShellPart,
  type ShellWord,
  unknownPart,
  WordDraft,
} from "./shell-word";

export interface ShellCommand {
  /** Line of the script, counted from 1. */
  readonly line: number;
  /** How many parentheses (subshells) are open around it. */
  readonly depth: number;
  /** True for words that the shell does not run: a pattern of `case`, or the items of an array. */
  readonly isData: boolean;
  /** True if a quote or a parenthesis in it is not closed. */
  readonly isBroken: boolean;
  readonly words: readonly ShellWord[];
  /** Files that it writes: `>` and `>>` of any descriptor. */
  readonly writes: readonly { readonly target: ShellWord; readonly append: boolean }[];
  /** Files that it reads: `<`. */
  readonly reads: readonly ShellWord[];
  readonly hereDocument?: HereDocument;
  /** Nested scripts of its redirections and its here-document: `< <(...)`, `$(...)` in the text. */
  readonly scripts: readonly string[];
  /** True if it follows a closing parenthesis: without words, its redirections write the output of the group. */
  readonly isGroup: boolean;
  /** The command whose output it reads through a pipe. */
  readonly pipedFrom?: ShellCommand;
}

export function parseShell(text: string): readonly ShellCommand[] {
  return new Reader(text.replace(/\r\n/g, "\n")).read();
}

interface OpenCommand {
  line: number;
  depth: number;
  isData: boolean;
  isBroken: boolean;
  words: ShellWord[];
  pipedFrom?: OpenCommand;
  writes: { target: ShellWord; append: boolean }[];
  reads: ShellWord[];
  hereDocument?: HereDocument;
  scripts: string[];
  isGroup: boolean;
}

const emptyCommand = (depth: number): OpenCommand => ({
  line: 0,
  depth,
  isData: false,
  isBroken: false,
  words: [],
  writes: [],
  reads: [],
  scripts: [],
  isGroup: false,
});

/** Redirections that can write their file. */
const writes = /^(?:>|<>)/;

class Reader {
  private at = 0;
  private readonly commands: ShellCommand[] = [];
  private depth = 0;
  private command: OpenCommand = emptyCommand(0);
  private counted = { at: 0, line: 1 };
  /** Here-documents whose text starts after this line. */
  private waiting: { command: OpenCommand; delimiter: string; quoted: boolean; tabs: boolean }[] = [];

  constructor(private readonly text: string) {}

  read(): readonly ShellCommand[] {
    while (this.at < this.text.length) this.step();
    this.endCommand(false);
    return this.commands;
  }

  private step(): void {
    const char = this.text[this.at] ?? "";
    if (char === "\n") {
      this.at += 1;
      this.endCommand(false);
      this.readHereDocuments();
    } else if (char === " " || char === "\t") this.at += 1;
    else if (this.text.startsWith("\\\n", this.at)) this.at += 2;
    else if (char === "#") this.at = this.lineEnd();
    else {
      if (this.command.line === 0) this.command.line = this.currentLine();
      if (!this.readRedirection() && !this.readOperator()) this.command.words.push(this.readWord());
    }
  }

  private currentLine(): number {
    let { at, line } = this.counted;
    for (; at < this.at; at += 1) if (this.text[at] === "\n") line += 1;
    this.counted = { at, line };
    return line;
  }

  private lineEnd(): number {
    const end = this.text.indexOf("\n", this.at);
    return end === -1 ? this.text.length : end;
  }

  private readOperator(): boolean {
    const operator = /^(?:\|\||&&|;;|\|&|[|;&()])/.exec(this.text.slice(this.at, this.at + 2))?.[0];
    if (operator === undefined) return false;
    this.at += operator.length;
    if (operator === ")") this.close();
    if (operator === "(") this.depth += 1;
    const isArray = operator === "(" && this.text[this.at - 2] === "=";
    this.endCommand(operator === "|" || operator === "|&");
    this.command = { ...this.command, isData: isArray, isGroup: operator === ")" };
    return true;
  }

  /** A parenthesis that closes none is the end of a pattern of `case`, with its alternatives before it. */
  private close(): void {
    this.depth -= 1;
    if (this.depth >= 0) return;
    this.depth = 0;
    for (let one: OpenCommand | undefined = this.command; one !== undefined; one = one.pipedFrom)
      one.isData = true;
  }

  private endCommand(pipes: boolean): void {
    const ended = this.command;
    const isEmpty = ended.words.length === 0 && ended.writes.length === 0 && ended.reads.length === 0;
    // The here-document of a command is filled in later, in the same object.
    if (!isEmpty) this.commands.push(ended);
    this.command = { ...emptyCommand(this.depth), ...(pipes && !isEmpty ? { pipedFrom: ended } : {}) };
  }

  private readRedirection(): boolean {
    const match = /^(?:\d*|&)(<<-|<<<|<<|<&|<>|>>|>&|>\||>|<)/.exec(this.text.slice(this.at, this.at + 6));
    const operator = match?.[1];
    if (match === null || operator === undefined) return false;
    // `<(` and `>(` are words.
    if (/^[<>]$/.test(operator) && this.text[this.at + match[0].length] === "(") return false;
    this.at += match[0].length;
    while (/[ \t]/.test(this.text[this.at] ?? "")) this.at += 1;
    const start = this.at;
    const target = this.readWord();
    if (!operator.startsWith("<<") || operator === "<<<") this.command.scripts.push(...target.scripts);
    if (operator === "<<" || operator === "<<-") {
      const quoted = /["'\\]/.test(this.text.slice(start, this.at));
      this.waiting.push({ command: this.command, delimiter: target.text, quoted, tabs: operator === "<<-" });
    } else if (operator === "<<<") {
      const parts: readonly ShellPart[] = [...target.parts, { kind: "text", text: "\n" }];
      this.command.hereDocument = { text: `${target.text}\n`, known: target.known, parts };
    } else if (writes.test(operator) && !(operator === ">&" && /^\d+$|^-$/.test(target.text))) {
      this.command.writes.push({ target, append: operator === ">>" });
    } else if (operator === "<") this.command.reads.push(target);
    return true;
  }

  private readHereDocuments(): void {
    const waiting = this.waiting;
    this.waiting = [];
    for (const { command, delimiter, quoted, tabs } of waiting) {
      const lines: string[] = [];
      while (this.at < this.text.length) {
        const end = this.lineEnd();
        const raw = this.text.slice(this.at, end);
        this.at = end + 1;
        const line = tabs ? raw.replace(/^\t+/, "") : raw;
        if (line === delimiter) break;
        lines.push(line);
      }
      const text = lines.map((line) => `${line}\n`).join("");
      command.hereDocument = hereDocumentOf(quoted ? [{ kind: "text", text }] : partsOfHereDocument(text));
      if (!quoted) command.scripts.push(...scriptsIn(text));
    }
  }

  private readWord(): ShellWord {
    const word = new WordDraft();
    const start = this.at;
    while (this.at < this.text.length) {
      const char = this.text[this.at] ?? "";
      if (/[\s;&|]/.test(char)) break;
      if (/[<>()]/.test(char)) {
        const substitutes = /[<>]/.test(char) && this.text[this.at + 1] === "(";
        if (!substitutes) {
          if (this.at > start) break;
          this.at += 1;
          break;
        }
        word.scripts.push(this.readParentheses(this.at + 1));
        word.addPart(unknownPart);
      } else if (char === "'") word.add(this.readSingleQuotes());
      else if (this.text.startsWith("$'", this.at)) {
        this.at += 1;
        word.add(decodeAnsiC(this.readSingleQuotes(true)));
      } else if (char === '"' || this.text.startsWith('$"', this.at)) this.readDoubleQuotes(word);
      else if (char === "\\") {
        const next = this.text[this.at + 1] ?? "";
        if (next !== "\n") word.add(next);
        this.at += 2;
      } else if ((char === "$" || char === "`") && this.readExpansion(word, false)) continue;
      else this.readPlain(word, char);
    }
    return word.finish(this.text.slice(start, this.at));
  }

  /** A character without quotes. The host replaces patterns and braces with text that is unknown here. */
  private readPlain(word: WordDraft, char: string): void {
    const rest = this.text.slice(this.at, this.at + 80);
    const expands = /^(?:[*?]|\[\S*\]|\{[^\s{}]*(?:,|\.\.))/.test(rest);
    if (expands) word.addPart(unknownPart);
    word.add(char);
    this.at += 1;
  }

  /** The text of single quotes; with `escapes`, a backslash can stand before a quote. */
  private readSingleQuotes(escapes = false): string {
    const start = this.at + 1;
    let end = this.text.indexOf("'", start);
    while (escapes && end !== -1 && /(?:^|[^\\])(?:\\\\)*\\$/.test(this.text.slice(start, end)))
      end = this.text.indexOf("'", end + 1);
    if (end === -1) this.command.isBroken = true;
    this.at = end === -1 ? this.text.length : end + 1;
    return this.text.slice(start, end === -1 ? this.text.length : end);
  }

  private readDoubleQuotes(word: WordDraft): void {
    word.add("");
    this.at = this.text.indexOf('"', this.at) + 1;
    while (this.at < this.text.length) {
      const char = this.text[this.at] ?? "";
      if (char === '"') {
        this.at += 1;
        return;
      }
      if (char === "\\") {
        const next = this.text[this.at + 1] ?? "";
        word.add(/[$`"\\]/.test(next) ? next : next === "\n" ? "" : char + next);
        this.at += 2;
      } else if ((char === "$" || char === "`") && this.readExpansion(word, true)) continue;
      else {
        word.add(char);
        this.at += 1;
      }
    }
    this.command.isBroken = true;
  }

  /** Reads an expansion; returns false if the dollar sign is literal. */
  private readExpansion(word: WordDraft, quoted: boolean): boolean {
    if (this.text[this.at] === "`") {
      const end = this.text.indexOf("`", this.at + 1);
      word.scripts.push(this.text.slice(this.at + 1, end === -1 ? this.text.length : end));
      this.at = end === -1 ? this.text.length : end + 1;
      word.addPart(unknownPart);
      return true;
    }
    if (this.text.startsWith("$(", this.at)) {
      const { end, scripts } = substitutionAt(this.text, this.at);
      if (this.text[end - 1] !== ")") this.command.isBroken = true;
      word.scripts.push(...scripts);
      this.at = end;
      word.addPart(unknownPart);
      return true;
    }
    const match = /^\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*)|[0-9@*#?$!-])/.exec(
      this.text.slice(this.at, this.at + 80),
    );
    const name = match?.[1] ?? match?.[2];
    if (match !== null) this.at += match[0].length;
    else if (this.text.startsWith("${", this.at)) {
      const end = afterBrace(this.text, this.at + 1);
      word.scripts.push(...scriptsIn(this.text.slice(this.at + 2, end)));
      this.at = end;
    } else return false;
    word.addPart(name === undefined ? unknownPart : { kind: "variable", name, quoted });
    return true;
  }

  /** The text within the parentheses that open at `open`. */
  private readParentheses(open: number): string {
    const end = afterParentheses(this.text, open);
    this.at = end;
    const isClosed = this.text[end - 1] === ")";
    if (!isClosed) this.command.isBroken = true;
    return this.text.slice(open + 1, isClosed ? end - 1 : end);
  }
}
