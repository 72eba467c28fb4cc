import type { ConnectionOptions, Pool } from "mysql2/promise";
import { createPool } from "mysql2/promise";

/** PEM texts: the CA of the server's certificate, and the client's own certificate and key. */
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

/** Time limit for a statement: the server cancels a SELECT, the client stops waiting. */
export const statementTimeoutMs = 5000;
/** The server ends a statement that waits for a lock before the client gives it up. */
const lockTimeoutS = 2;
const connectTimeoutMs = 3000;
/**
 * Connections are renewed after this time. HAProxy picks a member only when a connection is made, so without a limit
 * an application that switched to another member would never switch back; and the certificate is only verified when a
 * connection is made.
 */
export const connectionAgeMs = 20_000;

/**
 * TLS 1.3 to a server whose certificate is from our CA and has the requested name (MySQL's VERIFY_IDENTITY), verified
 * for each connection.
 *
 * mysql2 resumes TLS sessions (lib/tls_session_cache.js), and a resumed session verifies nothing: the client would
 * accept an expired certificate for as long as the server keeps the session. mysql2 reuses a session only for a
 * connection with the same `ca` object, so each connection gets a new one.
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
 * The application's connections. Bytes go to HAProxy's socket on this host, and the mysqld that HAProxy picks
 * terminates TLS. mysql2 verifies the certificate against `host`; `socketPath` only changes where it connects.
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
      `${limitLocks(lockTimeoutS)}, max_execution_time = ${statementTimeoutMs}, time_zone = '+00:00'`,
    );
  });
  limitAge(pool, connectionAgeMs);
  return pool;
}

/** A statement that sets how many seconds the session waits for a table's or a row's lock. */
export function limitLocks(seconds: number): string {
  return `SET SESSION lock_wait_timeout = ${seconds}, innodb_lock_wait_timeout = ${seconds}`;
}

interface Ageing {
  destroy(): void;
}

/** The connection events of a pool. */
interface PoolEvents {
  on(event: "connection" | "acquire" | "release", listener: (connection: Ageing) => void): unknown;
}

type After = (milliseconds: number, work: () => void) => unknown;

/**
 * Closes connections above an age: idle ones immediately, others when they are released, so that no statement is
 * interrupted.
 */
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
