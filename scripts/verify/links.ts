/** Checks the links in Markdown: a file or a heading of this repository must exist; an external link is only parsed. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** Errors in the links of these Markdown files, one sentence each. */
export function brokenLinks(projectDir: string, paths: readonly string[]): string[] {
  const read = (path: string) => readFileSync(join(projectDir, path), "utf8");
  return paths.flatMap((path) =>
    linkTargets(read(path)).flatMap((target) => {
      const problem = /^[a-z][a-z+.-]*:/i.test(target)
        ? externalProblem(target)
        : internalProblem(path, target);
      return problem === undefined ? [] : [`${path}: ${problem}`];
    }),
  );

  function internalProblem(path: string, target: string): string | undefined {
    const [file = "", anchor] = target.split("#", 2);
    const linked = file === "" ? path : normalize(join(dirname(path), decodeURIComponent(file)));
    if (linked.startsWith("..")) return `${target} is outside the repository`;
    if (!existsSync(join(projectDir, linked))) return `${target}: there is no ${linked}`;
    if (anchor === undefined || !linked.endsWith(".md")) return undefined;
    return headingAnchors(read(linked)).has(anchor)
      ? undefined
      : `${target}: ${linked} has no heading #${anchor}`;
  }
}

function externalProblem(target: string): string | undefined {
  if (target.startsWith("mailto:")) return undefined;
  if (!URL.canParse(target)) return `${target} is not a URL`;
  const { protocol, hostname } = new URL(target);
  const isLocal = ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
  return protocol === "https:" || isLocal ? undefined : `${target}: expected https`;
}

/** Markdown without its code, in which brackets and # mean something else. */
function withoutBlocks(markdown: string): string {
  return markdown.replace(/^ *(```|~~~).*\n(?:.*\n)*? *\1 *$/gm, "");
}

/** The targets of inline links, images and reference definitions. */
export function linkTargets(markdown: string): string[] {
  const text = withoutBlocks(markdown).replace(/`[^`\n]*`/g, "code");
  const inline = text.matchAll(/\]\(\s*<?([^\s<>()]*(?:\([^\s()]*\)[^\s<>()]*)*)>?(?:\s+"[^"]*")?\s*\)/g);
  const definitions = text.matchAll(/^ {0,3}\[[^\]]+\]:\s*<?([^\s>]+)>?/gm);
  return [...inline, ...definitions].map(([, target = ""]) => target);
}

/** The anchors of headings, in the form that GitHub gives them. */
export function headingAnchors(markdown: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of withoutBlocks(markdown).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const words = heading.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const anchor = words.replace(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-");
    let unique = anchor;
    for (let number = 1; anchors.has(unique); number++) unique = `${anchor}-${number}`;
    anchors.add(unique);
  }
  return anchors;
}
