/**
 * Scanner for SQL with one purpose: to find the statements that change a replication source, with their options.
 *
 * It reads any text (a .sql file, a script that contains SQL): words, quoted strings, comments. The only SQL it
 * parses is `CHANGE REPLICATION SOURCE TO name = value, ... [FOR CHANNEL channel]` and its older form CHANGE MASTER
 * TO.
 */

interface SqlToken {
  readonly kind: "word" | "string" | "mark";
  readonly text: string;
  readonly line: number;
}

export interface ChangeSource {
  /** Upper case, in the newer form: MASTER_HOST -> SOURCE_HOST. Values as written, without quotes. */
  readonly options: ReadonlyMap<string, string>;
  readonly channel: string;
  readonly line: number;
}

export function findChangeSource(text: string, firstLine = 1, depth = 0): readonly ChangeSource[] {
  const tokens = tokenize(text, firstLine);
  const found: ChangeSource[] = [];
  for (const [at, token] of tokens.entries()) {
    const start = statementStart(tokens, at);
    if (start !== undefined) found.push(readStatement(tokens, start, token.line));
    // A shell passes SQL to the client in a quoted word: mysql -e "CHANGE REPLICATION SOURCE TO ...".
    if (token.kind === "string" && depth < maxQuoting)
      found.push(...findChangeSource(token.text, token.line, depth + 1));
  }
  return found;
}

/** Maximum nesting of quotes that are read. */
const maxQuoting = 3;

function wordAt(tokens: readonly SqlToken[], at: number): string | undefined {
  const token = tokens[at];
  return token?.kind === "word" ? token.text.toUpperCase() : undefined;
}

/** Index of the first token after TO, if a statement starts at `at`. */
function statementStart(tokens: readonly SqlToken[], at: number): number | undefined {
  if (wordAt(tokens, at) !== "CHANGE") return undefined;
  const second = wordAt(tokens, at + 1);
  if (second === "MASTER" && wordAt(tokens, at + 2) === "TO") return at + 3;
  const isSource =
    second === "REPLICATION" && wordAt(tokens, at + 2) === "SOURCE" && wordAt(tokens, at + 3) === "TO";
  return isSource ? at + 4 : undefined;
}

function readStatement(tokens: readonly SqlToken[], start: number, line: number): ChangeSource {
  const options = new Map<string, string>();
  let channel = "";
  for (let at = start; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined || (token.kind === "mark" && token.text === ";")) break;
    if (wordAt(tokens, at) === "FOR" && wordAt(tokens, at + 1) === "CHANNEL") {
      channel = tokens[at + 2]?.text ?? "";
      break;
    }
    const value = tokens[at + 2];
    if (token.kind === "word" && tokens[at + 1]?.text === "=" && value !== undefined) {
      options.set(token.text.toUpperCase().replace(/^MASTER_/, "SOURCE_"), value.text);
      at += 2;
    }
  }
  return { options, channel, line };
}

function tokenize(text: string, firstLine: number): readonly SqlToken[] {
  const tokens: SqlToken[] = [];
  let line = firstLine;
  let at = 0;
  const countLines = (from: number, to: number) => {
    for (let i = from; i < to; i += 1) if (text[i] === "\n") line += 1;
  };
  while (at < text.length) {
    const char = text[at] ?? "";
    const start = at;
    const startLine = line;
    if (/\s/.test(char)) at += 1;
    else if (char === "#" || (char === "-" && /^--\s/.test(text.slice(at, at + 3)))) {
      const end = text.indexOf("\n", at);
      at = end === -1 ? text.length : end;
    } else if (char === "/" && text[at + 1] === "*") {
      const end = text.indexOf("*/", at + 2);
      at = end === -1 ? text.length : end + 2;
    } else if (char === "'" || char === '"' || char === "`") {
      const { value, end } = readQuoted(text, at, char);
      tokens.push({ kind: "string", text: value, line: startLine });
      at = end;
    } else if (/[A-Za-z0-9_$.]/.test(char)) {
      while (at < text.length && /[A-Za-z0-9_$.]/.test(text[at] ?? "")) at += 1;
      tokens.push({ kind: "word", text: text.slice(start, at), line: startLine });
    } else {
      at += 1;
      tokens.push({ kind: "mark", text: char, line: startLine });
    }
    countLines(start, at);
  }
  return tokens;
}

/**
 * A quoted string on one line. If the closing quote is missing on that line, only the opening quote is skipped, so
 * that a stray apostrophe in a script does not hide the statements after it.
 */
function readQuoted(text: string, start: number, quote: string): { value: string; end: number } {
  let value = "";
  for (let at = start + 1; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (char === "\n") break;
    if (char === "\\" && quote !== "`") {
      at += 1;
      value += text[at] ?? "";
    } else if (char === quote) {
      if (text[at + 1] !== quote) return { value, end: at + 1 };
      at += 1;
      value += quote;
    } else value += char;
  }
  return { value: "", end: start + 1 };
}
