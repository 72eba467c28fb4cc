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
 * to another member because its own was out would stay there for ever.
 */
const connectionAgeMs = 20_000;

/** TLS 1.3 to a server of our CA with the name that was asked for (MySQL's VERIFY_IDENTITY). */
export function verifiedTls(tls: TlsMaterial): NonNullable<Exclude<ConnectionOptions["ssl"], string>> {
  return { ...tls, minVersion: "TLSv1.3", rejectUnauthorized: true, verifyIdentity: true };
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
    maxIdle: settings.connectionLimit,
    idleTimeout: 60_000,
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
  on(event: "connection" | "release", listener: (connection: Ageing) => void): unknown;
}

/** Ends connections above an age, each when it is given back: no statement is cut. */
export function limitAge(
  pool: PoolEvents,
  limitMs: number,
  now: () => number = () => performance.now(),
): void {
  const madeAt = new WeakMap<Ageing, number>();
  pool.on("connection", (connection) => madeAt.set(connection, now()));
  pool.on("release", (connection) => {
    if (now() - (madeAt.get(connection) ?? 0) > limitMs) connection.destroy();
  });
}
