/** Finds the parenthesis that closes a substitution of a shell script. */

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
