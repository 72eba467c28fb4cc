import type { ConnectionOptions, Pool } from "mysql2/promise";
import { createPool } from "mysql2/promise";

/** PEM texts: the CA that the server must be of, and the certificate that this client shows. */
export interface TlsMaterial {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

export interface PoolSettings {
  readonly databaseName: string;
  readonly databaseSocket: string;
  readonly connectionLimit: number;
  readonly password: string;
  readonly tls: TlsMaterial;
}

/** A statement that takes longer is given up: the server ends a SELECT, the client its wait. */
export const statementTimeoutMs = 5000;
const connectTimeoutMs = 3000;
/**
 * Connections are made anew after this long: HAProxy picks a member when one is made, so an application that has gone
 * to another member because its own was out would stay there for ever; and a certificate is verified when one is made.
 */
export const connectionAgeMs = 20_000;

/**
 * TLS 1.3 to a server of our CA with the name that was asked for (MySQL's VERIFY_IDENTITY), verified for each connection.
 *
 * mysql2 resumes TLS sessions (lib/tls_session_cache.js), and a resumed session verifies nothing: a certificate that has
 * expired meanwhile would be taken for as long as the server knows the session. It keeps a session for the next
 * connection where the next one has the very same `ca`, so here each has another.
 */
export function verifiedTls(tls: TlsMaterial): NonNullable<Exclude<ConnectionOptions["ssl"], string>> {
  return {
    ...tls,
    get ca() {
      return [tls.ca];
    },
    minVersion: "TLSv1.3",
    rejectUnauthorized: true,
    verifyIdentity: true,
  };
}

/**
 * The application's connections: bytes go to HAProxy's socket on this host, TLS ends at the mysqld that HAProxy picks.
 * mysql2 verifies the certificate against `host`; with `socketPath` it connects elsewhere and verifies the same.
 */
export function createDatabasePool(settings: PoolSettings): Pool {
  const pool = createPool({
    host: settings.databaseName,
    socketPath: settings.databaseSocket,
    user: "app",
    password: settings.password,
    database: "app",
    ssl: verifiedTls(settings.tls),
    connectionLimit: settings.connectionLimit,
    queueLimit: 200,
    connectTimeout: connectTimeoutMs,
    enableKeepAlive: true,
    charset: "utf8mb4",
    timezone: "Z",
  });
  pool.on("connection", (connection) => {
    connection.query(
      `SET SESSION max_execution_time = ${statementTimeoutMs}, innodb_lock_wait_timeout = 5, time_zone = '+00:00'`,
    );
  });
  limitAge(pool, connectionAgeMs);
  return pool;
}

interface Ageing {
  destroy(): void;
}

/** What a pool tells of its connections. */
interface PoolEvents {
  on(event: "connection" | "acquire" | "release", listener: (connection: Ageing) => void): unknown;
}

type After = (milliseconds: number, work: () => void) => unknown;

/** Ends connections above an age: at once where they are idle, else when they are given back, so no statement is cut. */
export function limitAge(
  pool: PoolEvents,
  limitMs: number,
  after: After = (milliseconds, work) => setTimeout(work, milliseconds).unref(),
): void {
  const inUse = new WeakSet<Ageing>();
  const old = new WeakSet<Ageing>();
  pool.on("connection", (connection) =>
    after(limitMs, () => {
      old.add(connection);
      if (!inUse.has(connection)) connection.destroy();
    }),
  );
  pool.on("acquire", (connection) => inUse.add(connection));
  pool.on("release", (connection) => {
    inUse.delete(connection);
    if (old.has(connection)) connection.destroy();
  });
}
