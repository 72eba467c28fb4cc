/**
 * What a file of the payload keeps on its way into user data. DigitalOcean takes 64 KiB, so what is there for the reader
 * of the repository stays in the repository: full-line comments, blank lines, Python's docstrings and half of its
 * indentation. Lines are dropped whole or kept as they are; nothing is compressed, because another zlib would give other
 * bytes, and other bytes replace a droplet.
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

/** Drops each docstring: a statement that begins with three quotes. A string that is a value begins after a name. */
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
