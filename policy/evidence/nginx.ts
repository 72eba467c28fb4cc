/** The nginx configuration of a host: its files, combined as nginx does it. */
import type { Directive } from "../parsers/directives";
import { parseNginx } from "../parsers/nginx";
import type { DirectiveTree, PlacedDirective, ReadFault } from "./directive-tree";

/** Files from nginx packages that contain no listener, upstream or TLS setting. */
const harmlessInclude =
  /(^|\/)(mime\.types|modules-enabled\/[^/]*|fastcgi\.conf|fastcgi_params|uwsgi_params|scgi_params|proxy_params|snippets\/fastcgi-php\.conf|koi-utf|koi-win|win-utf)$/;

const maxIncludeDepth = 12;

export function isNginxPath(path: string): boolean {
  return /(^|\/)nginx\/.*\.(conf|vhost|inc)$|(^|\/)nginx\/(sites-enabled|sites-available|conf\.d|stream\.d|snippets)\/[^/]+$|(^|\/)nginx\.conf$/.test(
    path,
  );
}

/** The files that nginx reads by default: the main file, and the sites that no other known file includes. */
export function nginxTree(files: ReadonlyMap<string, string>): DirectiveTree {
  const reader = new TreeReader(new Map([...files].filter(([path]) => isNginxPath(path))));
  return reader.read();
}

class TreeReader {
  private readonly faults: ReadFault[] = [];
  private readonly included = new Set<string>();

  constructor(private readonly files: ReadonlyMap<string, string>) {}

  read(): DirectiveTree {
    const mains = [...this.files.keys()].filter((path) => path.endsWith("/nginx.conf"));
    const directives = mains.flatMap((path) => this.readFile(path, 0, []));
    for (const path of this.files.keys()) {
      // Snippets are parts of blocks, so they count only in the files that include them.
      if (mains.includes(path) || this.included.has(path) || /\/snippets\/|\.inc$/.test(path)) continue;
      directives.push(...this.asHttpBlock(path));
    }
    return { directives, faults: this.faults };
  }

  /** A site's file belongs in the http block of a main file that is unknown. */
  private asHttpBlock(path: string): readonly PlacedDirective[] {
    const block = this.readFile(path, 0, []);
    const hasOwnContext = block.some(({ name }) => name === "http" || name === "stream");
    return hasOwnContext ? block : [{ name: "http", args: [], path, line: 1, block }];
  }

  private readFile(path: string, depth: number, parents: readonly string[]): PlacedDirective[] {
    this.included.add(path);
    const text = this.files.get(path);
    if (text === undefined) return [];
    const parsed = parseNginx(text);
    if (!parsed.ok) {
      this.faults.push({ path, line: parsed.line, problem: `it cannot be read: ${parsed.reason}` });
      return [];
    }
    return this.place(parsed.directives, path, depth, [...parents, path]);
  }

  private place(
    directives: readonly Directive[],
    path: string,
    depth: number,
    parents: readonly string[],
  ): PlacedDirective[] {
    return directives.flatMap((directive) => {
      if (directive.name === "include") return this.include(directive, path, depth, parents);
      if (directive.block === undefined) return [{ ...directive, path } as PlacedDirective];
      if (depth > maxBlockDepth) {
        this.faults.push({
          path,
          line: directive.line,
          problem: "its blocks are nested too deeply",
        });
        return [];
      }
      return [{ ...directive, path, block: this.place(directive.block, path, depth + 1, parents) }];
    });
  }

  private include(
    directive: Directive,
    path: string,
    depth: number,
    parents: readonly string[],
  ): PlacedDirective[] {
    const target = directive.args[0] ?? "";
    if (harmlessInclude.test(target)) return [];
    const absolute = target.startsWith("/") ? target : `${nginxPrefix(path)}/${target}`;
    const isPattern = /[*?[]/.test(absolute);
    const matches = isPattern
      ? [...this.files.keys()].filter((candidate) => matchesGlob(candidate, absolute)).sort()
      : [absolute].filter((candidate) => this.files.has(candidate));
    if (matches.length === 0 && !isPattern) {
      this.faults.push({ path, line: directive.line, problem: "it includes a file whose text is unknown" });
    }
    return matches.flatMap((match) => {
      if (parents.includes(match) || parents.length > maxIncludeDepth) {
        this.faults.push({ path, line: directive.line, problem: "its files include each other in a circle" });
        return [];
      }
      return this.readFile(match, depth, parents);
    });
  }
}

const maxBlockDepth = 64;

/** nginx resolves relative paths from the directory of its main file. */
function nginxPrefix(path: string): string {
  const at = path.lastIndexOf("/nginx/");
  return at === -1 ? path.slice(0, path.lastIndexOf("/")) : path.slice(0, at + "/nginx".length);
}

/** Matches a path against a shell pattern. `*` and `?` do not match a slash. */
export function matchesGlob(path: string, pattern: string): boolean {
  const parts = path.split("/");
  const patterns = pattern.split("/");
  return (
    parts.length === patterns.length && patterns.every((part, index) => matchesPart(parts[index] ?? "", part))
  );
}

function matchesPart(text: string, pattern: string): boolean {
  const expression = pattern
    .replace(/[.+^${}()|\\]/g, "\\$&")
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  try {
    return new RegExp(`^${expression}$`).test(text);
  } catch {
    return true;
  }
}
