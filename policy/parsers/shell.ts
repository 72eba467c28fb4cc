/**
 * Reader of shell scripts (POSIX sh and bash's kinds of words), to the extent possible without running them: simple
 * commands with their words, redirections and here-documents, in the order of the text. It ignores conditions, loops
 * and functions: a command counts even if it would not run.
 *
 * It never fails: an unclosed quote or here-document ends with the text.
 */

export interface ShellWord {
  /** The literal text. If the word is not literal, the text before its first expansion. */
  readonly text: string;
  /** False if a part of it depends on a variable, a command or a pattern. */
  readonly known: boolean;
  /** Nested scripts: `$(...)`, backticks, `<(...)`. */
  readonly scripts: readonly string[];
}

export interface HereDocument {
  readonly text: string;
  /** False if a part of it depends on a variable or a command. */
  readonly known: boolean;
}

export interface ShellCommand {
  readonly words: readonly ShellWord[];
  /** Files that it writes: `>` and `>>` of any descriptor. */
  readonly writes: readonly { readonly target: ShellWord; readonly append: boolean }[];
  readonly hereDocument?: HereDocument;
  /** The command whose output it reads through a pipe. */
  readonly pipedFrom?: ShellCommand;
}

export function parseShell(text: string): readonly ShellCommand[] {
  return new Reader(text.replace(/\r\n/g, "\n")).read();
}

interface OpenCommand {
  words: ShellWord[];
  writes: { target: ShellWord; append: boolean }[];
  hereDocument?: HereDocument;
  pipedFrom?: ShellCommand;
}

class Reader {
  private at = 0;
  private readonly commands: ShellCommand[] = [];
  private command: OpenCommand = { words: [], writes: [] };
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
    else if (!this.readRedirection() && !this.readOperator()) this.command.words.push(this.readWord());
  }

  private lineEnd(): number {
    const end = this.text.indexOf("\n", this.at);
    return end === -1 ? this.text.length : end;
  }

  private readOperator(): boolean {
    const operator = /^(?:\|\||&&|;;|\|&|[|;&()])/.exec(this.text.slice(this.at, this.at + 2))?.[0];
    if (operator === undefined) return false;
    this.at += operator.length;
    this.endCommand(operator === "|" || operator === "|&");
    return true;
  }

  private endCommand(pipes: boolean): void {
    const ended = this.command;
    const isEmpty = ended.words.length === 0 && ended.writes.length === 0;
    // The here-document of a command is filled in later, in the same object.
    if (!isEmpty) this.commands.push(ended);
    this.command = { words: [], writes: [], ...(pipes && !isEmpty ? { pipedFrom: ended } : {}) };
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
    if (operator === "<<" || operator === "<<-") {
      const quoted = /["'\\]/.test(this.text.slice(start, this.at));
      this.waiting.push({ command: this.command, delimiter: target.text, quoted, tabs: operator === "<<-" });
    } else if (operator === "<<<") {
      this.command.hereDocument = { text: `${target.text}\n`, known: target.known };
    } else if (operator.startsWith(">") && !(operator === ">&" && /^\d+$|^-$/.test(target.text))) {
      this.command.writes.push({ target, append: operator === ">>" });
    }
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
      command.hereDocument = quoted ? { text, known: true } : expanded(text);
    }
  }

  private readWord(): ShellWord {
    let text = "";
    let known = true;
    const scripts: string[] = [];
    const add = (piece: string) => {
      if (known) text += piece;
    };
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
        scripts.push(this.readParentheses(this.at + 1));
        known = false;
      } else if (char === "'") {
        const end = this.text.indexOf("'", this.at + 1);
        add(this.text.slice(this.at + 1, end === -1 ? this.text.length : end));
        this.at = end === -1 ? this.text.length : end + 1;
      } else if (char === '"') {
        const quoted = this.readDoubleQuotes(scripts);
        add(quoted.text);
        known &&= quoted.known;
      } else if (char === "\\") {
        const next = this.text[this.at + 1] ?? "";
        if (next !== "\n") add(next);
        this.at += 2;
      } else if (char === "$" || char === "`") {
        if (this.readExpansion(scripts)) known = false;
        else {
          add(char);
          this.at += 1;
        }
      } else {
        if (/[*?[]/.test(char)) known = false;
        add(char);
        this.at += 1;
      }
    }
    return { text, known, scripts };
  }

  private readDoubleQuotes(scripts: string[]): { text: string; known: boolean } {
    let text = "";
    let known = true;
    this.at += 1;
    while (this.at < this.text.length) {
      const char = this.text[this.at] ?? "";
      if (char === '"') {
        this.at += 1;
        break;
      }
      if (char === "\\") {
        const next = this.text[this.at + 1] ?? "";
        if (known) text += /[$`"\\]/.test(next) ? next : next === "\n" ? "" : char + next;
        this.at += 2;
      } else if ((char === "$" || char === "`") && this.readExpansion(scripts)) known = false;
      else {
        if (known) text += char;
        this.at += 1;
      }
    }
    return { text, known };
  }

  /** Skips an expansion; returns false if the dollar sign is literal. */
  private readExpansion(scripts: string[]): boolean {
    const rest = this.text.slice(this.at, this.at + 2);
    if (rest[0] === "`") {
      const end = this.text.indexOf("`", this.at + 1);
      scripts.push(this.text.slice(this.at + 1, end === -1 ? this.text.length : end));
      this.at = end === -1 ? this.text.length : end + 1;
      return true;
    }
    if (rest === "$(") {
      scripts.push(this.readParentheses(this.at + 1));
      return true;
    }
    if (rest === "${") {
      const end = this.text.indexOf("}", this.at);
      this.at = end === -1 ? this.text.length : end + 1;
      return true;
    }
    const name = /^\$(?:[A-Za-z_]\w*|[0-9@*#?$!-])/.exec(this.text.slice(this.at, this.at + 80))?.[0];
    if (name === undefined) return false;
    this.at += name.length;
    return true;
  }

  /** The text within the parentheses that open at `open`, ignoring parentheses in quotes. */
  private readParentheses(open: number): string {
    let depth = 0;
    let quote = "";
    for (let at = open; at < this.text.length; at += 1) {
      const char = this.text[at] ?? "";
      if (quote !== "") {
        if (char === "\\" && quote === '"') at += 1;
        else if (char === quote) quote = "";
      } else if (char === "'" || char === '"') quote = char;
      else if (char === "(") depth += 1;
      else if (char === ")") {
        depth -= 1;
        if (depth === 0) {
          this.at = at + 1;
          return this.text.slice(open + 1, at);
        }
      }
    }
    this.at = this.text.length;
    return this.text.slice(open + 1);
  }
}

/** A here-document without quotes around its delimiter: the shell expands it. */
function expanded(text: string): HereDocument {
  if (/(?:^|[^\\])(?:\\\\)*(?:\$[\w({@*#?$!-]|`)/.test(text)) return { text, known: false };
  return { text: text.replace(/\\([$`\\])/g, "$1").replace(/\\\n/g, ""), known: true };
}
