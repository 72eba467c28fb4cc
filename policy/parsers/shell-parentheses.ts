/** Finds the ends of substitutions and expansions of a shell script, and the scripts within them. */

/** The words before which a shell expects a command. */
const beforeCommand = /(?:^|[;&|(){}\n]|\b(?:then|do|else|in))\s*$/;

/**
 * The position after the parenthesis that closes the one at `open`. Parentheses in quotes, and those after the patterns
 * of `case`, close nothing. Without a closing one, the end of the text.
 */
export function afterParentheses(text: string, open: number): number {
  // One entry for the substitution and one for each open `case`: the number of parentheses that are open within it.
  const openWithin = [0];
  let quote = "";
  for (let at = open; at < text.length; at += 1) {
    const char = text[at] ?? "";
    const top = openWithin.length - 1;
    if (quote !== "") {
      if (char === "\\" && quote === '"') at += 1;
      else if (char === quote) quote = "";
    } else if (char === "\\") at += 1;
    else if (char === "'" || char === '"') quote = char;
    else if (char === "(") openWithin[top] = (openWithin[top] ?? 0) + 1;
    else if (char === ")") {
      const count = openWithin[top] ?? 0;
      if (count > 0) openWithin[top] = count - 1;
      if (top === 0 && count <= 1) return at + 1;
    } else if (/[ce]/.test(char)) {
      const word = /^(?:case|esac)(?![\w-])/.exec(text.slice(at, at + 5))?.[0];
      if (word === undefined || !beforeCommand.test(text.slice(Math.max(open + 1, at - 20), at))) continue;
      if (word === "case") openWithin.push(0);
      else if (top > 0) openWithin.pop();
      at += word.length - 1;
    }
  }
  return text.length;
}

/**
 * The position after the brace that closes the expansion `${...}` whose brace opens at `open`. Braces in quotes and in
 * nested substitutions close nothing. Without a closing one, the end of the text.
 */
export function afterBrace(text: string, open: number): number {
  let quote = "";
  for (let at = open + 1; at < text.length; at += 1) {
    const char = text[at] ?? "";
    if (char === "\\") at += 1;
    else if (quote === "'") quote = char === "'" ? "" : quote;
    else if (text.startsWith("$(", at)) at = afterParentheses(text, at + 1) - 1;
    else if (text.startsWith("${", at)) at = afterBrace(text, at + 1) - 1;
    else if (char === '"') quote = quote === "" ? '"' : "";
    else if (char === "'" && quote === "") quote = "'";
    else if (char === "}" && quote === "") return at + 1;
  }
  return text.length;
}

/** A substitution `$(...)`, or arithmetic `$((...))` with the scripts within it. */
export interface Substitution {
  /** The position after it. */
  readonly end: number;
  readonly scripts: readonly string[];
}

/** The substitution that starts at `at`. */
export function substitutionAt(text: string, at: number): Substitution {
  const end = afterParentheses(text, at + 1);
  const isClosed = text[end - 1] === ")";
  // It is arithmetic if the inner parenthesis closes just before the outer one.
  if (isClosed && text[at + 2] === "(" && afterParentheses(text, at + 2) === end - 1)
    return { end, scripts: scriptsIn(text.slice(at + 3, end - 2)) };
  return { end, scripts: [text.slice(at + 2, isClosed ? end - 1 : end)] };
}

/** The scripts of the substitutions in a text that the shell expands: `$(...)` and backticks, also in `${...}`. */
export function scriptsIn(text: string): readonly string[] {
  const scripts: string[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at];
    if (char === "\\") at += 1;
    else if (text.startsWith("$(", at)) {
      const found = substitutionAt(text, at);
      scripts.push(...found.scripts);
      at = found.end - 1;
    } else if (char === "`") {
      const end = text.indexOf("`", at + 1);
      scripts.push(text.slice(at + 1, end === -1 ? text.length : end));
      at = end === -1 ? text.length : end;
    }
  }
  return scripts;
}
