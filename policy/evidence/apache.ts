/**
 * The configuration of Apache httpd on a host: its files, combined as httpd does it. The layouts are those of Debian
 * (/etc/apache2, /usr/share/doc/apache2/README.Debian.gz), of Fedora and RHEL (/etc/httpd), and of httpd itself.
 */
import { parseApache } from "../parsers/apache";
import type { Directive } from "../parsers/directives";
import { belongsToAgent } from "./agent-paths";
import type { DirectiveTree, PlacedDirective, ReadFault } from "./directive-tree";
import { matchesGlob } from "./nginx";

export function isApachePath(path: string): boolean {
  return (
    !belongsToAgent(path) &&
    /(^|\/)(apache2?|httpd)\/(.*\/)?[^/]+\.conf$|(^|\/)(httpd|apache2?)\.conf$/.test(path)
  );
}

/** Files that no main file includes by itself: they count only in the files that include them. */
const isPart = (path: string) =>
  /\/(snippets|includes?)\//.test(path) ||
  (/^\/etc\/(apache2|httpd)\/[^/]+$/.test(path) && !/\/(apache2|httpd|ports)\.conf$/.test(path));

/** Files of packages, without listeners and virtual hosts unless the host's own files replace them. */
const packageFiles =
  /(^|\/)(mods-enabled|conf-enabled|sites-enabled|conf\.modules\.d|conf\.d|vhosts\.d|modules\.d)\/|(^|\/)(ports\.conf|magic|mime\.types|envvars)$/;

/** Sections whose condition is not evaluated: what they contain counts. */
const conditions = new Set(["ifmodule", "ifdefine", "ifversion", "iffile", "ifdirective", "ifsection"]);

/** Certbot's file (certbot-apache, tls_configs/current-options-ssl-apache.conf). */
const certbotOptions = "/etc/letsencrypt/options-ssl-apache.conf";
const certbotText = "SSLEngine on\nSSLProtocol all -SSLv2 -SSLv3 -TLSv1 -TLSv1.1\n";

const maxDepth = 32;

/** The files that httpd reads by default, and those that they include. The names of directives are in lower case. */
export function apacheTree(files: ReadonlyMap<string, string>): DirectiveTree {
  const known = trees.get(files) ?? new TreeReader(files).read();
  trees.set(files, known);
  return known;
}

const trees = new WeakMap<ReadonlyMap<string, string>, DirectiveTree>();

class TreeReader {
  private readonly faults: ReadFault[] = [];
  private readonly included = new Set<string>();
  private readonly defined = new Map<string, string>();

  constructor(private readonly files: ReadonlyMap<string, string>) {}

  read(): DirectiveTree {
    const own = [...this.files.keys()].filter(isApachePath);
    for (const path of own) this.noteDefinitions(path);
    const mains = own.filter((path) => /(^|\/)(apache2|httpd)\.conf$/.test(path));
    const directives = mains.flatMap((path) => this.readFile(path, []));
    for (const path of own)
      if (!mains.includes(path) && !this.included.has(path) && !isPart(path))
        directives.push(...this.readFile(path, []));
    return { directives, faults: this.faults };
  }

  /** `Define NAME value` sets `${NAME}` for the whole configuration. */
  private noteDefinitions(path: string): void {
    for (const [, name = "", value = ""] of (this.files.get(path) ?? "").matchAll(
      /^[ \t]*define[ \t]+(\w+)[ \t]+"?([^\s"]+)"?[ \t]*$/gim,
    ))
      this.defined.set(name, value);
  }

  private readFile(path: string, parents: readonly string[]): PlacedDirective[] {
    this.included.add(path);
    const text = this.files.get(path) ?? (path === certbotOptions ? certbotText : "");
    const parsed = parseApache(text);
    if (parsed.ok) return this.place(parsed.directives, path, [...parents, path], 0);
    this.faults.push({ path, line: parsed.line, problem: `it cannot be read: ${parsed.reason}` });
    return [];
  }

  private place(
    directives: readonly Directive[],
    path: string,
    parents: readonly string[],
    depth: number,
  ): PlacedDirective[] {
    return directives.flatMap((directive): PlacedDirective[] => {
      const { name, line } = directive;
      const args = directive.args.map((arg) =>
        arg.replace(/\$\{(\w+)\}/g, (whole, variable: string) => this.defined.get(variable) ?? whole),
      );
      if (depth > maxDepth) return this.fault(path, line, "its sections are nested too deeply");
      if (name === "include" || name === "includeoptional")
        return this.include(args[0] ?? "", name === "includeoptional", { path, line, parents });
      if (name === "macro" || name === "use")
        return this.fault(path, line, "it uses a macro, which the policy does not expand");
      if (directive.block === undefined) return [{ name, args, path, line }];
      const block = this.place(directive.block, path, parents, depth + 1);
      return conditions.has(name) ? block : [{ name, args, path, line, block }];
    });
  }

  private include(
    target: string,
    isOptional: boolean,
    { path, line, parents }: { path: string; line: number; parents: readonly string[] },
  ): PlacedDirective[] {
    const absolute = target.startsWith("/") ? target : `${serverRoot(path)}/${target}`;
    const isPattern = /[*?[]/.test(absolute);
    const matches = [...this.files.keys()].filter((one) =>
      isPattern ? matchesGlob(one, absolute) : one === absolute || one.startsWith(`${absolute}/`),
    );
    if (matches.length === 0) {
      if (absolute === certbotOptions) return this.readFile(certbotOptions, parents);
      if (isOptional || isPattern || packageFiles.test(absolute)) return [];
      return this.fault(path, line, "it includes a file whose text is unknown");
    }
    return matches.sort().flatMap((match) => {
      if (parents.includes(match)) return this.fault(path, line, "its files include each other in a circle");
      return this.readFile(match, parents);
    });
  }

  private fault(path: string, line: number, problem: string): PlacedDirective[] {
    this.faults.push({ path, line, problem });
    return [];
  }
}

/** httpd resolves relative paths from ServerRoot, the folder of the layout. */
function serverRoot(path: string): string {
  const root = /^(.*\/(?:apache2?|httpd))\//.exec(path)?.[1];
  return root ?? path.slice(0, path.lastIndexOf("/"));
}
