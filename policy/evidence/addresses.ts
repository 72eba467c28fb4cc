/** Says whether an address in a configuration file is on the same host or across a network. */

/** A listener or target that is reachable only on the host itself. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  return bare === "localhost" || bare === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare);
}

export interface HostPort {
  readonly host: string;
  /** Absent if the text names no port. */
  readonly port?: number;
}

/**
 * Splits `host:port`, `[::1]:port` and `host`. Returns undefined if the port is not a number (a variable, a range).
 */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, host = "", port] = match;
  return port === undefined ? { host } : { host, port: Number(port) };
}

/**
 * Ports whose protocol is encrypted end to end, so that a proxy can safely forward their bytes if both ends require
 * TLS: HTTPS, and MySQL, whose own configuration this policy also checks.
 */
const portsOfEncryptedProtocols = new Set([443, 8443, 3306, 33060, 33061]);

export const carriesItsOwnEncryption = (port: number | undefined): boolean =>
  port !== undefined && portsOfEncryptedProtocols.has(port);
