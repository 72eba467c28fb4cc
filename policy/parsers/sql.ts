/**
 * Scanner for SQL with one purpose: to find the statements that change a replication source or a server's variables.
 *
 * It reads any text (a .sql file, a script that contains SQL): words, quoted strings, comments. The only SQL it
 * parses is `CHANGE REPLICATION SOURCE TO name = value, ... [FOR CHANNEL channel]`, its older form CHANGE MASTER TO,
 * and `SET GLOBAL name = value, ...` with its other scopes and forms.
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

export function findChangeSource(text: string): readonly ChangeSource[] {
  return findStatements(text, (tokens, at, { line }) => {
    const start = statementStart(tokens, at);
    return start === undefined ? [] : [readStatement(tokens, start, line)];
  });
}

/** A server variable that a statement sets for all connections. */
export interface ServerSetting {
  /** Lower case. */
  readonly name: string;
  /** Upper case, without quotes; undefined if it is an expression. */
  readonly value: string | undefined;
  readonly line: number;
}

/** `SET GLOBAL x = 1`, `SET PERSIST x = 1, GLOBAL y = 2`, `SET @@global.x := 1`. */
export function findServerSettings(text: string): readonly ServerSetting[] {
  return findStatements(text, (tokens, at) =>
    wordAt(tokens, at) === "SET" ? readSettings(tokens, at + 1) : [],
  );
}

const serverScope = /^(?:GLOBAL|PERSIST|PERSIST_ONLY)$/;

function readSettings(tokens: readonly SqlToken[], start: number): readonly ServerSetting[] {
  const found: ServerSetting[] = [];
  let isServer = false;
  for (let at = start; at < tokens.length; at += 1) {
    const token = tokens[at];
    if (token === undefined || token.text === ";") break;
    if (token.kind === "mark") continue;
    const [scope = "", member] = token.text.toUpperCase().split(".");
    if (serverScope.test(scope)) isServer = true;
    else if (/^(?:SESSION|LOCAL)$/.test(scope)) isServer = false;
    const equals = tokens[at + 1]?.text === ":" ? at + 2 : at + 1;
    if (tokens[equals]?.text !== "=") {
      if (!serverScope.test(scope) && found.length === 0 && at > start + 1) break;
      continue;
    }
    const value = tokens[equals + 1];
    const isLiteral = value !== undefined && value.kind !== "mark" && !value.text.startsWith("$");
    if (isServer) {
      const name = (member ?? token.text).toLowerCase();
      found.push({ name, value: isLiteral ? value.text.toUpperCase() : undefined, line: token.line });
    }
    at = equals + 1;
  }
  return found;
}

/** The findings of `read` at each token of a text, and of the strings in it. */
function findStatements<T>(
  text: string,
  read: (tokens: readonly SqlToken[], at: number, token: SqlToken) => readonly T[],
  firstLine = 1,
  depth = 0,
): readonly T[] {
  const tokens = tokenize(text, firstLine);
  return tokens.flatMap((token, at) => [
    ...read(tokens, at, token),
    // A shell passes SQL to the client in a quoted word: mysql -e "CHANGE REPLICATION SOURCE TO ...".
    ...(token.kind === "string" && depth < maxQuoting
      ? findStatements(token.text, read, token.line, depth + 1)
      : []),
  ]);
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
