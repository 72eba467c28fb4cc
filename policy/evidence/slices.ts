/**
 * The systemd slices that isolate the services of a host, from its unit files (systemd.unit(5), systemd.slice(5),
 * systemd.resource-control(5)).
 */
import type { HostContent } from "./content";

interface Unit {
  /** "mysql.service", "web.slice". */
  readonly name: string;
  /** `section.key` -> last value. */
  readonly settings: ReadonlyMap<string, string>;
}

const unitFile = /^\/(?:etc|usr\/lib|lib)\/systemd\/system\/([^/]+\.(?:service|slice))(?:\.d\/[^/]+\.conf)?$/;

function readUnits(files: ReadonlyMap<string, string>): readonly Unit[] {
  const units = new Map<string, Map<string, string>>();
  for (const [path, text] of [...files].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const name = unitFile.exec(path)?.[1];
    if (name === undefined) continue;
    const settings = units.get(name) ?? new Map<string, string>();
    let section = "";
    for (const line of text.split("\n")) {
      const header = /^\s*\[([^\]]+)\]\s*$/.exec(line);
      const setting = /^\s*([A-Za-z][\w-]*)\s*=\s*(.*?)\s*$/.exec(line);
      if (header !== null) section = header[1] ?? "";
      else if (setting !== null) settings.set(`${section}.${setting[1]}`, setting[2] ?? "");
    }
    units.set(name, settings);
  }
  return [...units].map(([name, settings]) => ({ name, settings }));
}

const databaseService =
  /^(mysql|mysqld|mariadb|mariadbd|postgresql(@.*)?|mongod|redis(-server)?|valkey(-server)?)\.service$/;
const webService = /^(nginx|haproxy|apache2|httpd|caddy|lighttpd|traefik|varnish|php[\d.]*-fpm)\.service$/;

/**
 * The reason why a host's web and database services can take CPU and memory from each other; undefined if they
 * cannot.
 */
export function missingIsolation({ files }: HostContent): string | undefined {
  const units = readUnits(files);
  const slices = new Map(
    units.filter(({ name }) => name.endsWith(".slice")).map((unit) => [unit.name, unit]),
  );
  const sliceOf = ({ settings }: Unit) => settings.get("Service.Slice");
  const databases = units.filter(({ name }) => databaseService.test(name));
  const webs = units.filter(({ name }) => webService.test(name));
  const unplaced = [...databases, ...webs].find((unit) => sliceOf(unit) === undefined);
  if (databases.length === 0) return "no unit file assigns the database's service to a slice";
  if (webs.length === 0) return "no unit file assigns the web server's service to a slice";
  if (unplaced !== undefined) return "a unit of the web server or the database sets no Slice";
  const databaseSlices = new Set(databases.map(sliceOf));
  if (units.some((unit) => !databases.includes(unit) && databaseSlices.has(sliceOf(unit)))) {
    return "the database shares its slice with another service";
  }
  for (const slice of new Set([...databases, ...webs].map(sliceOf))) {
    const limits = slices.get(slice ?? "")?.settings;
    const has = (...keys: readonly string[]) =>
      keys.some((key) => (limits?.get(`Slice.${key}`) ?? "") !== "");
    if (!has("CPUWeight", "CPUQuota", "AllowedCPUs")) return "a slice sets no share of the CPU (CPUWeight)";
    if (!has("MemoryMax", "MemoryHigh")) return "a slice sets no memory limit (MemoryMax)";
  }
  return undefined;
}
