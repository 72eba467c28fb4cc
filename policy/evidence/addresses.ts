/** Where an address in a configuration file leads: to the same host, or over a network. */

/** A listener or target that never leaves the host. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  return bare === "localhost" || bare === "::1" || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(bare);
}

export interface HostPort {
  readonly host: string;
  /** Absent where the text names none. */
  readonly port?: number;
}

/** Splits `host:port`, `[::1]:port`, `host`; nothing where the port is not a number (a variable, a range). */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(\d{1,5}))?$/.exec(text);
  if (match === null) return undefined;
  const [, host = "", port] = match;
  return port === undefined ? { host } : { host, port: Number(port) };
}

/**
 * Ports whose protocol brings its own encryption from end to end, so that passing their bytes on is safe where the
 * end points demand it: HTTPS, and MySQL, whose configuration this policy judges on its own.
 */
const portsOfEncryptedProtocols = new Set([443, 8443, 3306, 33060, 33061]);

export const carriesItsOwnEncryption = (port: number | undefined): boolean =>
  port !== undefined && portsOfEncryptedProtocols.has(port);
