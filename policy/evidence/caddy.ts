/** The sites of Caddy on a host: its Caddyfiles, with the files and snippets that they import. */
import { type CaddyBlock, parseCaddyfile } from "../parsers/caddyfile";
import type { Directive } from "../parsers/directives";
import { belongsToAgent } from "./agent-paths";
import type { PlacedDirective, ReadFault } from "./directive-tree";
import { matchesGlob } from "./nginx";

const isMain = (path: string) => /(^|\/)Caddyfile(\.[\w-]+)?$|(^|\/)[\w.-]+\.[Cc]addyfile$/.test(path);

export function isCaddyPath(path: string): boolean {
  if (belongsToAgent(path)) return false;
  return (
    isMain(path) ||
    /(^|\/)caddy\/(.*\/)?[^/]+\.(caddy|conf)$|(^|\/)caddy\/(conf\.d|sites|sites-enabled|snippets)\/[^/]+$/.test(
      path,
    )
  );
}

/** Caddy's own form of configuration (`caddy run --config FILE`), which the policies do not read. */
export const isCaddyJson = (path: string): boolean => /(^|\/)caddy\/(.*\/)?[^/]+\.json$/.test(path);

export interface CaddySite {
  readonly path: string;
  readonly line: number;
  /** The addresses, as written. */
  readonly keys: readonly string[];
  readonly directives: readonly PlacedDirective[];
}

export interface CaddyTree {
  readonly options: readonly PlacedDirective[];
  readonly sites: readonly CaddySite[];
  readonly faults: readonly ReadFault[];
}

/** One tree for each main file, and one for each file of Caddy's folders that no main file imports. */
export function caddyTrees(files: ReadonlyMap<string, string>): readonly CaddyTree[] {
  const known = treesOfFiles.get(files) ?? readTrees(files);
  treesOfFiles.set(files, known);
  return known;
}

const treesOfFiles = new WeakMap<ReadonlyMap<string, string>, readonly CaddyTree[]>();

function readTrees(files: ReadonlyMap<string, string>): readonly CaddyTree[] {
  const paths = [...files.keys()].filter(isCaddyPath);
  const imported = new Set<string>();
  const read = (path: string) => new TreeReader(files, imported).read(path);
  const mains = paths.filter(isMain).map(read);
  return [...mains, ...paths.filter((path) => !isMain(path) && !imported.has(path)).map(read)];
}

const maxImports = 12;

class TreeReader {
  private readonly faults: ReadFault[] = [];
  private readonly snippets = new Map<string, readonly PlacedDirective[]>();
  private options: readonly PlacedDirective[] = [];
  private readonly sites: CaddySite[] = [];

  constructor(
    private readonly files: ReadonlyMap<string, string>,
    private readonly imported: Set<string>,
  ) {}

  read(path: string): CaddyTree {
    this.readFile(path, 0);
    const { options, faults } = this;
    const sites = this.sites.map((site) => ({ ...site, directives: this.expand(site.directives, 0) }));
    return { options, sites, faults };
  }

  private readFile(path: string, depth: number): void {
    const parsed = parseCaddyfile(this.files.get(path) ?? "");
    if (!parsed.ok) {
      this.fault(path, parsed.line, `it cannot be read: ${parsed.reason}`);
      return;
    }
    for (const block of parsed.blocks) this.readBlock(block, path, depth);
  }

  private readBlock({ keys, line, directives }: CaddyBlock, path: string, depth: number): void {
    const [first, second = ""] = keys;
    const placed = placeAll(directives, path);
    if (first === undefined) this.options = placed;
    else if (/^&?\(.*\)$/.test(first)) this.snippets.set(first.replace(/^&/, "").slice(1, -1), placed);
    else if (first === "import") {
      for (const match of this.matches(second, path, line, depth)) this.readFile(match, depth + 1);
    } else this.sites.push({ path, line, keys, directives: placed });
  }

  /** Replaces each import by the directives of its snippet or its files. */
  private expand(directives: readonly PlacedDirective[], depth: number): readonly PlacedDirective[] {
    return directives.flatMap((directive): readonly PlacedDirective[] => {
      if (directive.name !== "import" && directive.name !== "invoke")
        return directive.block === undefined
          ? [directive]
          : [{ ...directive, block: this.expand(directive.block, depth) }];
      const [target = "", ...args] = directive.args;
      const snippet = this.snippets.get(target);
      if (snippet !== undefined && depth <= maxImports)
        return this.expand(
          snippet.map((one) => withArguments(one, args)),
          depth + 1,
        );
      return this.matches(target, directive.path, directive.line, depth).flatMap((match) => {
        // A file within a site has directives only, as in the braces of a site.
        const parsed = parseCaddyfile(`site {\n${this.files.get(match) ?? ""}\n}`);
        const [site] = parsed.ok ? parsed.blocks : [];
        if (site === undefined) this.fault(match, 1, "it cannot be read");
        const own = placeAll(site?.directives ?? [], match);
        return this.expand(
          own.map((one) => ({ ...withArguments(one, args), line: Math.max(1, one.line - 1) })),
          depth + 1,
        );
      });
    });
  }

  private matches(target: string, path: string, line: number, depth: number): readonly string[] {
    const folder = path.slice(0, path.lastIndexOf("/"));
    const absolute = target.startsWith("/") ? target : `${folder}/${target.replace(/^\.\//, "")}`;
    const found = [...this.files.keys()].filter((one) => matchesGlob(one, absolute)).sort();
    for (const match of found) this.imported.add(match);
    if (depth > maxImports) this.fault(path, line, "its files import each other in a circle");
    else if (found.length > 0) return found;
    else if (!/[*?[]/.test(absolute)) this.fault(path, line, "it imports a file whose text is unknown");
    return [];
  }

  private fault(path: string, line: number, problem: string): void {
    this.faults.push({ path, line, problem });
  }
}

function placeAll(directives: readonly Directive[], path: string): readonly PlacedDirective[] {
  return directives.map(({ block, ...directive }) =>
    block === undefined ? { ...directive, path } : { ...directive, path, block: placeAll(block, path) },
  );
}

/** The directive with the arguments of its import: `{args[0]}`, and `{args.0}` of older versions. */
function withArguments(directive: PlacedDirective, args: readonly string[]): PlacedDirective {
  const replaced = (text: string) =>
    text.replace(/\{args[.[](\d+)\]?\}/g, (whole, index: string) => args[Number(index)] ?? whole);
  const { block } = directive;
  return {
    ...directive,
    args: directive.args.flatMap((arg) => (arg === "{args[:]}" ? [...args] : [replaced(arg)])),
    ...(block === undefined ? {} : { block: block.map((one) => withArguments(one, args)) }),
  };
}
