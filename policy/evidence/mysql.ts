/** The MySQL server options of a host, from all of its option files. */
import { type Option, parseOptionFile } from "../parsers/option-file";
import { isLoopback } from "./addresses";
import { type ComposeService, composeServices } from "./containers";
import type { HostContent } from "./content";

export interface ServerOption {
  readonly name: string;
  /** Upper case; a flag without a value is ON. */
  readonly value: string;
  /** As written, for values whose case matters. */
  readonly rawValue: string;
  readonly path: string;
  readonly line: number;
}

/** One server configuration: the option files that one mysqld reads. */
export interface MysqlServer {
  /**
   * The last setting of each option in each file. The files have no order (mysqld does not define one for a
   * directory).
   */
  readonly options: readonly ServerOption[];
  readonly faults: readonly {
    readonly path: string;
    readonly line: number;
    readonly problem: string;
  }[];
}

/** The groups that mysqld and mariadbd read: their own, with or without a version. */
const serverGroup = /^(mysqld|server|mariadb|mariadbd|mysqld-\d+\.\d+|mariadb-\d+\.\d+|mariadbd-\d+\.\d+)$/;

export function isOptionFilePath(path: string): boolean {
  return /\.cnf$|(^|\/)my\.ini$/.test(path);
}

/** The files that a server reads by default, as built by MySQL and the distributions. */
const readByDefault =
  /^\/etc\/my\.cnf$|^\/etc\/my\.cnf\.d\/[^/]+$|^\/etc\/mysql\/(my|mysql|mariadb)\.cnf$|^\/etc\/mysql\/(conf\.d|mysql\.conf\.d|mariadb\.conf\.d)\/[^/]+$/;

/**
 * The server configurations of a host. The files in the default places form one. Any other file that no known file
 * includes forms its own, because a server can read it with --defaults-file. Each one is checked: the configuration
 * of a maintenance server without network must not hide the real server's configuration.
 */
export function readMysqlServers(files: ReadonlyMap<string, string>): readonly MysqlServer[] {
  const paths = [...files.keys()].filter(isOptionFilePath);
  const included = new Set(
    paths.flatMap((path) => includesOf(files, path).filter((other) => other !== path)),
  );
  const byDefault = paths.filter((path) => readByDefault.test(path));
  const alone = paths.filter((path) => !readByDefault.test(path) && !included.has(path));
  return [byDefault, ...alone.map((path) => [path])]
    .map((roots) => readTogether(files, withIncludes(files, roots)))
    .filter(({ options, faults }) => options.length > 0 || faults.length > 0);
}

/** The known files that a file includes directly. */
function includesOf(files: ReadonlyMap<string, string>, path: string): readonly string[] {
  const parsed = parseOptionFile(files.get(path) ?? "");
  if (!parsed.ok) return [];
  return parsed.file.includes.flatMap((include) =>
    include.kind === "file"
      ? [include.path].filter((other) => files.has(other))
      : [...files.keys()].filter((other) => isOptionFilePath(other) && isDirectlyIn(other, include.path)),
  );
}

function isDirectlyIn(path: string, directory: string): boolean {
  const prefix = directory.endsWith("/") ? directory : `${directory}/`;
  return path.startsWith(prefix) && !path.slice(prefix.length).includes("/");
}

function withIncludes(files: ReadonlyMap<string, string>, roots: readonly string[]): ReadonlySet<string> {
  const reached = new Set(roots);
  // Iteration over a set includes elements added during the loop, so this follows nested includes and reads each file
  // once.
  for (const path of reached) for (const other of includesOf(files, path)) reached.add(other);
  return reached;
}

function readTogether(files: ReadonlyMap<string, string>, paths: ReadonlySet<string>): MysqlServer {
  const options: ServerOption[] = [];
  const faults: { path: string; line: number; problem: string }[] = [];
  for (const path of paths) {
    const parsed = parseOptionFile(files.get(path) ?? "");
    if (!parsed.ok) {
      faults.push({ path, line: parsed.line, problem: `it cannot be read: ${parsed.reason}` });
      continue;
    }
    for (const include of parsed.file.includes) {
      // Packages install the other files of a directory. The known ones are read with this one.
      if (include.kind === "directory" || files.has(include.path)) continue;
      faults.push({ path, line: include.line, problem: "it includes a file whose text is unknown" });
    }
    const last = new Map<string, ServerOption>();
    for (const option of parsed.file.options) {
      if (!serverGroup.test(option.group)) continue;
      const normal = normalize(option, path);
      last.set(normal.name, normal);
    }
    options.push(...last.values());
  }
  return { options, faults };
}

/** True if no client on another host can connect. */
export function isLocalOnly(server: MysqlServer): boolean {
  if (isAlways(server, "skip_networking", "ON") || isAlways(server, "networking", "OFF")) return true;
  const addresses = settingsOf(server, "bind_address");
  return (
    addresses.length > 0 &&
    addresses.every(({ rawValue }) => rawValue.split(",").every((address) => isLoopback(address.trim())))
  );
}

/**
 * The servers that other hosts can reach. A server that only its own host can reach (for maintenance) counts if it is
 * the only one.
 */
export function serversThatCount({ files }: HostContent): readonly MysqlServer[] {
  const servers = readMysqlServers(files);
  const reachable = servers.filter((server) => !isLocalOnly(server) || server.faults.length > 0);
  return reachable.length > 0 ? reachable : servers;
}

/** `skip_x`, `disable_x` and `enable_x` set x to OFF, OFF and ON (manual, "Program Option Modifiers"). */
function normalize(option: Option, path: string): ServerOption {
  const { line } = option;
  const rawValue = option.value ?? "ON";
  const modifier = /^(skip|disable|enable)_(.+)$/.exec(option.name);
  const isModifier = modifier !== null && option.value === undefined && switchable.has(modifier[2] ?? "");
  const name = isModifier ? (modifier[2] ?? "") : option.name;
  const value = isModifier ? (modifier[1] === "enable" ? "ON" : "OFF") : rawValue.toUpperCase();
  const flag = value === "1" || value === "TRUE" ? "ON" : value === "0" || value === "FALSE" ? "OFF" : value;
  return { name: completeName(name), value: flag, rawValue, path, line };
}

/** The options that policies check. mysqld accepts an unambiguous prefix of an option's name. */
const judged = [
  "require_secure_transport",
  "tls_version",
  "group_replication_ssl_mode",
  "group_replication_recovery_use_ssl",
  "group_replication_recovery_ssl_verify_server_cert",
  "group_replication_single_primary_mode",
  "group_replication_group_name",
  "group_replication_group_seeds",
  "group_replication_bootstrap_group",
];
const switchable = new Set([...judged, "ssl", "networking"]);
const shortestBeginning = 16;

function completeName(name: string): string {
  if (name.length < shortestBeginning || judged.includes(name)) return name;
  const candidates = judged.filter((full) => full.startsWith(name));
  return candidates.length === 1 ? (candidates[0] ?? name) : name;
}

/** All settings of an option, one for each file that sets it. */
export function settingsOf(server: MysqlServer, name: string): readonly ServerOption[] {
  return server.options.filter((option) => option.name === name);
}

/** True if at least one file sets the option, and all files that set it set it so. */
export function isAlways(server: MysqlServer, name: string, value: string): boolean {
  const settings = settingsOf(server, name);
  return settings.length > 0 && settings.every((setting) => setting.value === value);
}

/** True if the server is a member of a replication group: it loads the plugin or sets one of its options. */
export function usesGroupReplication(server: MysqlServer): boolean {
  return server.options.some(
    ({ name, value }) =>
      name.startsWith("group_replication_") ||
      (/^plugin_load(_add)?$/.test(name) && value.includes("GROUP_REPLICATION")),
  );
}

/** Packages and words in commands that install a MySQL or MariaDB server. */
const serverWord =
  /^(default-)?(mysql|mariadb|percona)([a-z0-9.+-]*-)?server([a-z0-9.+-]*)$|^(mysqld|mariadbd|mysqld_safe)$/;
const containerImage = /^(mysql|mariadb|percona)(\/mysql-server)?$/;

export const isMysqlImage = ({ image }: ComposeService): boolean =>
  /^(?:mysql|mysql-server|mariadb|percona[\w-]*)$/.test(image);

/** True if the host's content shows that it runs a database server. */
export function runsMysql(content: HostContent, roles: readonly string[] = []): boolean {
  return runsMysqlItself(content, roles) || composeServices(content.files).some(isMysqlImage);
}

/** True if the host's only MySQL servers are containers that no other host can reach. */
export function runsMysqlOnlyInside(content: HostContent, roles: readonly string[] = []): boolean {
  const containers = composeServices(content.files).filter(isMysqlImage);
  return (
    containers.length > 0 &&
    containers.every(({ isPublished }) => !isPublished) &&
    !runsMysqlItself(content, roles)
  );
}

function runsMysqlItself(content: HostContent, roles: readonly string[]): boolean {
  if (roles.includes("database")) return true;
  if (content.packages.some((name) => serverWord.test(name.toLowerCase()))) return true;
  const words = [...content.words];
  if (words.some((word) => serverWord.test(word))) return true;
  const runsContainers = content.words.has("docker") || content.words.has("podman");
  if (runsContainers && words.some((word) => containerImage.test(word))) return true;
  return hasServerGroup(content.files);
}

export function hasServerGroup(files: ReadonlyMap<string, string>): boolean {
  return [...files].some(([path, text]) => {
    if (!isOptionFilePath(path)) return false;
    const parsed = parseOptionFile(text);
    return parsed.ok
      ? parsed.file.options.some(({ group }) => serverGroup.test(group))
      : /mysql|mariadb/.test(path);
  });
}
