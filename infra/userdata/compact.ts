/**
 * Removes the parts of a payload file that only the repository's readers need, because DigitalOcean limits user data
 * to 64 KiB: full-line comments, blank lines, Python docstrings and half of Python's indentation. Lines are either
 * dropped or kept unchanged. Nothing is compressed here, because another zlib would produce other bytes, and changed
 * bytes replace a droplet.
 */
export function compact(path: string, text: string): string {
  const isComment = commentOf(path);
  const lines = text
    .split("\n")
    .filter((line, index) => line.trim() !== "" && (index === 0 || !isComment.test(line)));
  const kept = path.endsWith(".py") ? withoutDocstrings(lines).map(indentWithTabs) : lines;
  const [first, ...rest] = kept;
  const isShebang = first?.startsWith("#!") ?? false;
  const body = first === undefined || isShebang || !isComment.test(first) ? kept : rest;
  return `${body.join("\n")}\n`;
}

function commentOf(path: string): RegExp {
  if (path.endsWith(".sql")) return /^\s*--(\s|$)/;
  if (path.startsWith("/etc/apt/apt.conf.d/")) return /^\s*\/\//;
  return /^\s*#/;
}

/** Drops each docstring: a statement that starts with three quotes. A string that is a value starts after a name. */
function withoutDocstrings(lines: readonly string[]): string[] {
  const result: string[] = [];
  let inside: "code" | "docstring" | "value" = "code";
  for (const line of lines) {
    const isDocstring: boolean =
      inside === "docstring" || (inside === "code" && line.trimStart().startsWith('"""'));
    if (!isDocstring) result.push(line);
    const hasOddQuotes = line.split('"""').length % 2 === 0;
    if (!hasOddQuotes) continue;
    if (inside === "code") inside = isDocstring ? "docstring" : "value";
    else inside = "code";
  }
  return result;
}

function indentWithTabs(line: string): string {
  const spaces = line.length - line.trimStart().length;
  return spaces % 4 === 0 ? "\t".repeat(spaces / 4) + line.trimStart() : line;
}
