/** The containers of a host, from its compose files (the Compose Specification, "Services"). */
import { parseDocument } from "yaml";
import { isLoopback } from "./addresses";

export interface ComposeService {
  /** The name of the image without registry and version: `mariadb` of `docker.io/library/mariadb:11`. */
  readonly image: string;
  /** True if other hosts can reach a port of it. */
  readonly isPublished: boolean;
}

type Files = ReadonlyMap<string, string>;

export const isComposeFile = (path: string): boolean => /(^|\/)(docker-)?compose[\w.-]*\.ya?ml$/.test(path);

const servicesOfFiles = new WeakMap<Files, readonly ComposeService[]>();

/** The services of all compose files of a host. */
export function composeServices(files: Files): readonly ComposeService[] {
  const known = servicesOfFiles.get(files);
  if (known !== undefined) return known;
  const services = [...files].flatMap(([path, text]) =>
    isComposeFile(path) ? (servicesOf(text) ?? []) : [],
  );
  servicesOfFiles.set(files, services);
  return services;
}

/** The services of one compose file; undefined if it cannot be read. */
export function servicesOf(text: string): readonly ComposeService[] | undefined {
  try {
    const document: unknown = parseDocument(text, { logLevel: "silent" }).toJS({ maxAliasCount: 100 });
    const services = (document as { services?: unknown } | null)?.services;
    if (typeof services !== "object" || services === null) return undefined;
    return Object.values(services).flatMap((service: unknown) => {
      const { image, ports, network_mode } = (service ?? {}) as Readonly<Record<string, unknown>>;
      if (typeof image !== "string") return [];
      const isPublished =
        network_mode === "host" || (Array.isArray(ports) ? ports.some(isOpen) : ports !== undefined);
      return [{ image: image.replace(/[:@].*$/, "").replace(/^.*\//, ""), isPublished }];
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
