/** The containers of a host, from its compose files (the Compose Specification, "Services"). */
import { parseDocument } from "yaml";
import { isLoopback } from "./addresses";

export interface ComposeService {
  /** The compose file. */
  readonly path: string;
  /** Other containers of the file reach the service under this name. */
  readonly name: string;
  /** Without registry and version: `mariadb` of `docker.io/library/mariadb:11`; empty if the host builds it. */
  readonly image: string;
  /** True if other hosts can reach a port of it. */
  readonly isPublished: boolean;
  /** The ports of the container that other hosts can reach; undefined if this is unknown, or all of them. */
  readonly openPorts: readonly number[] | undefined;
  /** The words of `entrypoint` and `command`. */
  readonly command: readonly string[];
  /** `name=value`. */
  readonly labels: readonly string[];
  /** `name=value`. */
  readonly environment: readonly string[];
}

type Files = ReadonlyMap<string, string>;

export const isComposeFile = (path: string): boolean => /(^|\/)(docker-)?compose[\w.-]*\.ya?ml$/.test(path);

const servicesOfFiles = new WeakMap<Files, readonly ComposeService[]>();

/** The services of all compose files of a host. */
export function composeServices(files: Files): readonly ComposeService[] {
  const known = servicesOfFiles.get(files);
  if (known !== undefined) return known;
  const services = [...files].flatMap(([path, text]) =>
    isComposeFile(path) ? (servicesOf(text, path) ?? []) : [],
  );
  servicesOfFiles.set(files, services);
  return services;
}

/** True if a name or address is that of the host itself, or of a container of one of its compose files. */
export function isOnSameHost(host: string, files: Files): boolean {
  return (
    isLoopback(host) ||
    host === "host.docker.internal" ||
    composeServices(files).some(({ name }) => name === host)
  );
}

/**
 * True if other hosts can reach a port that a program listens on. A file outside /etc belongs to the containers of the
 * program, if the host has some: they are reached on the ports that they publish.
 *
 * @param path the file with the listener
 * @param image the name of the program's image
 */
export function isReachable(port: number | undefined, path: string, image: string, files: Files): boolean {
  const containers = composeServices(files).filter((service) => service.image === image);
  if (path.startsWith("/etc/") || containers.length === 0 || port === undefined) return true;
  return containers.some(({ openPorts }) => openPorts === undefined || openPorts.includes(port));
}

/** The services of one compose file; undefined if it cannot be read. */
export function servicesOf(text: string, path = ""): readonly ComposeService[] | undefined {
  try {
    const document: unknown = parseDocument(text, { logLevel: "silent" }).toJS({ maxAliasCount: 100 });
    const services = (document as { services?: unknown } | null)?.services;
    if (typeof services !== "object" || services === null) return undefined;
    return Object.entries(services).map(([name, service]: [string, unknown]) => {
      const fields = (service ?? {}) as Readonly<Record<string, unknown>>;
      const { image, ports, network_mode } = fields;
      const isPublished =
        network_mode === "host" || (Array.isArray(ports) ? ports.some(isOpen) : ports !== undefined);
      return {
        path,
        name,
        image: typeof image === "string" ? image.replace(/^.*\//, "").replace(/[:@].*$/, "") : "",
        isPublished,
        openPorts: network_mode === "host" ? undefined : openPortsOf(ports),
        command: [...wordsOf(fields.entrypoint), ...wordsOf(fields.command)],
        labels: pairsOf(fields.labels),
        environment: pairsOf(fields.environment),
      };
    });
  } catch {
    return undefined;
  }
}

/** `80:80`, `127.0.0.1:3306:3306`, `{ target: 80, host_ip: 127.0.0.1 }`. */
function isOpen(port: unknown): boolean {
  if (typeof port === "object" && port !== null) {
    const { host_ip } = port as { readonly host_ip?: unknown };
    return typeof host_ip !== "string" || !isLoopback(host_ip);
  }
  const address = /^(.+):[^:]*:[^:]*$/.exec(String(port))?.[1];
  return address === undefined || !isLoopback(address);
}

function openPortsOf(ports: unknown): readonly number[] | undefined {
  if (ports === undefined || ports === null) return [];
  if (!Array.isArray(ports)) return undefined;
  const open = (ports as readonly unknown[]).filter(isOpen).map((port) => {
    const target = typeof port === "object" && port !== null ? (port as { target?: unknown }).target : port;
    return Number(/(?:^|:)(\d+)(?:\/\w+)?$/.exec(String(target))?.[1]);
  });
  return open.some(Number.isNaN) ? undefined : open;
}

function wordsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  return typeof value === "string" ? value.split(/\s+/).filter((word) => word !== "") : [];
}

/** `[name=value]` or `{ name: value }`. */
function pairsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.map(String);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).map(([name, one]) => `${name}=${String(one ?? "")}`);
}
