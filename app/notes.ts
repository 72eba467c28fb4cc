import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from "mysql2/promise";
import { statementTimeoutMs } from "./database";
import { type Clock, type DatabaseError, needsOtherMember, systemClock, withRetries } from "./retry";

export interface Note {
  readonly id: number;
  readonly text: string;
  /** The web host that received the note, and the database host that wrote it. */
  readonly webHost: string;
  readonly databaseHost: string;
  readonly createdAt: string;
}

export interface NoteStore {
  /** Newest notes first. */
  list(limit: number): Promise<readonly Note[]>;
  add(text: string): Promise<Note>;
  /** True if a database host that accepts writes answers now. */
  isWritable(): Promise<boolean>;
}

/** Maximum length of a note, in characters. */
export const longestNote = 500;

const limits = { deadlineMs: 8000, firstPauseMs: 20, longestPauseMs: 500 };
/** Notes in MySQL. */
export function mysqlNotes(pool: Pool, webHost: string, clock: Clock = systemClock): NoteStore {
  const run = <T>(work: (connection: PoolConnection) => Promise<T>): Promise<T> =>
    withRetries(() => onConnection(pool, work), limits, clock);
  return {
    list: (limit) =>
      run(async (connection) => {
        const sql =
          "SELECT id, text, web_host AS webHost, database_host AS databaseHost, created_at AS createdAt " +
          "FROM notes ORDER BY created_at DESC, id DESC LIMIT ?";
        const [rows] = await connection.query<NoteRow[]>(statement(sql, [limit]));
        return rows.map(({ id, text, webHost, databaseHost, createdAt }) => ({
          id,
          text,
          webHost,
          databaseHost,
          createdAt: createdAt.toISOString(),
        }));
      }),
    add: (text) =>
      run(async (connection) => {
        // The write is the last statement: an error before it has changed nothing, so it is safe to repeat.
        const [hosts] = await connection.query<RowDataPacket[]>(
          statement("SELECT COALESCE(@@GLOBAL.report_host, @@hostname) AS name", []),
        );
        const databaseHost = String(hosts[0]?.name);
        const createdAt = new Date();
        const [{ insertId }] = await connection.query<ResultSetHeader>(
          statement("INSERT INTO notes (text, web_host, database_host, created_at) VALUES (?, ?, ?, ?)", [
            text,
            webHost,
            databaseHost,
            createdAt,
          ]),
        );
        return { id: insertId, text, webHost, databaseHost, createdAt: createdAt.toISOString() };
      }),
    isWritable: () =>
      onConnection(pool, async (connection) => {
        const sql = "SELECT @@GLOBAL.super_read_only AS readOnly";
        const [rows] = await connection.query<RowDataPacket[]>({ sql, timeout: 1000 });
        if (rows[0]?.readOnly === 0) return true;
        connection.destroy();
        return false;
      }),
  };
}

type NoteRow = RowDataPacket & Omit<Note, "createdAt"> & { readonly createdAt: Date };

function statement(sql: string, values: unknown[]) {
  return { sql, values, timeout: statementTimeoutMs };
}

/**
 * Returns the connection to the pool, or closes it if its member is out, so that the next one goes to another member.
 */
async function onConnection<T>(pool: Pool, work: (connection: PoolConnection) => Promise<T>): Promise<T> {
  let connection: PoolConnection;
  try {
    connection = await pool.getConnection();
  } catch (error) {
    throw Object.assign(error as Error, { connecting: true });
  }
  try {
    return await work(connection);
  } catch (error) {
    const { code } = error as DatabaseError;
    if (needsOtherMember(error as DatabaseError) || code === "PROTOCOL_SEQUENCE_TIMEOUT")
      connection.destroy();
    throw error;
  } finally {
    connection.release();
  }
}
