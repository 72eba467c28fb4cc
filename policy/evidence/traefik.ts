/**
 * The configuration of Traefik on a host: static configuration in YAML files, in commands and in environment variables
 * of compose files, and dynamic configuration in YAML files and labels (Traefik's documentation, "Configuration
 * Introduction"). Names ignore case, so all keys are in lower case.
 */
import { lowerKeys, mapOf, parseYamlText, valueAt, type YamlMap } from "../parsers/yaml-tree";
import { belongsToAgent } from "./agent-paths";
import { composeServices, isComposeFile } from "./containers";

type Files = ReadonlyMap<string, string>;

const isOwnPath = (path: string) =>
  !isComposeFile(path) && !belongsToAgent(path) && /(^|\/)traefik\/|(^|\/)traefik[\w.-]*$/.test(path);

export const isTraefikPath = (path: string): boolean => isOwnPath(path) && /\.(ya?ml|toml)$/.test(path);

/** Static configuration: one source, because Traefik reads either a file, or its command, or its environment. */
export interface StaticSource {
  readonly path: string;
  readonly data: YamlMap;
}

export interface Router {
  readonly path: string;
  readonly kind: "http" | "tcp";
  /** Undefined: the entry points that take routers by default. */
  readonly entryPoints: readonly string[] | undefined;
  readonly hasTls: boolean;
  readonly middlewares: readonly string[];
}

export interface TraefikConfiguration {
  readonly statics: readonly StaticSource[];
  readonly dynamics: readonly StaticSource[];
  readonly routers: readonly Router[];
  /** Names of middlewares that redirect every request to HTTPS. */
  readonly redirects: ReadonlySet<string>;
  /** Files that are not read, and why. */
  readonly unread: readonly { readonly path: string; readonly line?: number; readonly problem: string }[];
}

const configurations = new WeakMap<Files, TraefikConfiguration>();

export function traefikConfiguration(files: Files): TraefikConfiguration {
  const known = configurations.get(files) ?? new Reader(files).read();
  configurations.set(files, known);
  return known;
}

class Reader {
  private readonly statics: StaticSource[] = [];
  private readonly dynamics: StaticSource[] = [];
  private readonly unread: { path: string; line?: number; problem: string }[] = [];

  constructor(private readonly files: Files) {}

  read(): TraefikConfiguration {
    const { statics, dynamics, unread, files } = this;
    for (const path of files.keys()) if (isTraefikPath(path)) this.readFile(path);
    for (const service of composeServices(files)) {
      if (service.image === "traefik" && service.isPublished) statics.push(...staticsOfContainer(service));
      const labels = treeOf(
        service.labels.map((label) => label.split(/=(.*)/s)),
        /^traefik\./i,
      );
      if (Object.keys(labels).length > 0)
        dynamics.push({ path: service.path, data: withImplied(labels, service.name) });
    }
    for (const path of statics.flatMap((source) => dynamicPaths(source, files)))
      if (!isTraefikPath(path)) this.readFile(path);
    const routers = dynamics.flatMap(({ path, data }) => [
      ...routersOf(path, "http", data),
      ...routersOf(path, "tcp", data),
    ]);
    const redirects = new Set(dynamics.flatMap(({ data }) => redirectsOf(data)));
    return { statics, dynamics, routers, redirects, unread };
  }

  private readFile(path: string): void {
    if (path.endsWith(".toml")) {
      this.unread.push({ path, problem: "the policy does not read TOML" });
      return;
    }
    const parsed = parseYamlText(this.files.get(path) ?? "");
    if (!parsed.ok) {
      this.unread.push({ path, line: parsed.line, problem: "it is not valid YAML" });
      return;
    }
    const data = mapOf(lowerKeys(parsed.value));
    const isDynamic = ["http", "tcp", "udp", "tls"].some((key) => data[key] !== undefined);
    if (isDynamic) this.dynamics.push({ path, data });
    if (!isDynamic || data.entrypoints !== undefined) this.statics.push({ path, data });
  }
}

/** The known files that the provider "file" of a static configuration reads, also under the path of a mount. */
export function dynamicPaths({ path: own, data }: StaticSource, files: Files): readonly string[] {
  const { filename, directory } = mapOf(valueAt(data, "providers", "file"));
  const folder = String(directory ?? "")
    .split("/")
    .filter((part) => part !== "")
    .at(-1);
  const name = String(filename ?? "")
    .split("/")
    .at(-1);
  return [...files.keys()].filter(
    (path) =>
      path !== own &&
      ((name !== undefined && name !== "" && path.endsWith(`/${name}`)) ||
        (folder !== undefined && path.includes(`/${folder}/`) && /\.(?:ya?ml|toml)$/.test(path))),
  );
}

/** The flags of a command (`--entrypoints.web.address=:80`), and variables (`TRAEFIK_ENTRYPOINTS_WEB_ADDRESS`). */
function staticsOfContainer({
  path,
  command,
  environment,
}: {
  readonly path: string;
  readonly command: readonly string[];
  readonly environment: readonly string[];
}): readonly StaticSource[] {
  const flags = treeOf(
    command.filter((word) => word.startsWith("--")).map((word) => word.slice(2).split(/=(.*)/s)),
  );
  const variables = treeOf(
    environment
      .filter((pair) => /^TRAEFIK_/.test(pair))
      .map((pair) => pair.split(/=(.*)/s))
      .map(([name = "", value = ""]) => [name.replaceAll("_", "."), value]),
    /^traefik\./i,
  );
  return [flags, variables]
    .filter((data) => Object.keys(data).some((key) => key !== "configfile"))
    .map((data) => ({ path, data }));
}

/** `a.b=c` pairs as a tree of mappings. A name without a value is true. */
function treeOf(pairs: readonly (readonly string[])[], prefix = /^/): YamlMap {
  const root: Record<string, unknown> = {};
  for (const [name = "", value = "true"] of pairs) {
    if (!prefix.test(name)) continue;
    const keys = name
      .replace(prefix, "")
      .toLowerCase()
      .split(/[.[]/)
      .map((key) => key.replace(/\]$/, ""));
    let at = root;
    for (const [index, key] of keys.entries()) {
      const before = Object.hasOwn(at, key) ? at[key] : undefined;
      if (index === keys.length - 1) {
        if (typeof before !== "object")
          Object.defineProperty(at, key, { value, enumerable: true, writable: true });
        continue;
      }
      const inner = typeof before === "object" && before !== null ? (before as Record<string, unknown>) : {};
      Object.defineProperty(at, key, { value: inner, enumerable: true, writable: true });
      at = inner;
    }
  }
  return root;
}

/** A container that is enabled and has no router gets one, without TLS, on the default entry points. */
function withImplied(labels: YamlMap, name: string): YamlMap {
  const isEnabled = String(labels.enable) === "true";
  const hasRouter = ["http", "tcp", "udp"].some((kind) => valueAt(labels, kind, "routers") !== undefined);
  return isEnabled && !hasRouter
    ? { ...labels, http: { ...mapOf(labels.http), routers: { [name]: {} } } }
    : labels;
}

function routersOf(path: string, kind: "http" | "tcp", data: YamlMap): readonly Router[] {
  return Object.values(mapOf(valueAt(data, kind, "routers"))).map((router) => {
    const { entrypoints, tls, middlewares } = mapOf(router);
    return {
      path,
      kind,
      entryPoints: entrypoints === undefined ? undefined : namesOf(entrypoints),
      hasTls: tls !== undefined && tls !== null && !/^false$/i.test(String(tls)),
      middlewares: namesOf(middlewares).map((name) => name.replace(/@.*$/, "")),
    };
  });
}

function redirectsOf(data: YamlMap): readonly string[] {
  return Object.entries(mapOf(valueAt(data, "http", "middlewares")))
    .filter(([, one]) => String(valueAt(one, "redirectscheme", "scheme")).toLowerCase() === "https")
    .map(([name]) => name);
}

/** A list of names, or names with commas between them. */
export function namesOf(value: unknown): readonly string[] {
  const texts = Array.isArray(value) ? value.map(String) : typeof value === "string" ? value.split(",") : [];
  return texts.map((text) => text.trim().toLowerCase()).filter((text) => text !== "");
}
