import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from "mysql2/promise";
import { statementTimeoutMs } from "./database";
import {
  type Clock,
  type DatabaseError,
  isUnknown,
  needsOtherMember,
  systemClock,
  withRetries,
} from "./retry";

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
  /**
   * Stores a note once for each key: a repeat gives the note that the first request with this key has stored. Throws
   * KeyInUse, and UnknownOutcome; after every other error, the note is not stored.
   */
  add(text: string, key: string): Promise<Note>;
  /** True if a database host that accepts writes answers now. */
  isWritable(): Promise<boolean>;
}

/** The key belongs to a note with another text. */
export class KeyInUse extends Error {}

/** A request to store the note was sent, and its answer was lost. */
export class UnknownOutcome extends Error {
  constructor(readonly last: unknown) {
    super("the note may have been stored");
  }
}

/** Maximum length of a note, in characters. */
export const longestNote = 500;

const limits = { deadlineMs: 8000, firstPauseMs: 20, longestPauseMs: 500 };
const columns =
  "id, text, web_host AS webHost, database_host AS databaseHost, created_at AS createdAt FROM notes";
/** ER_DUP_ENTRY. */
const keyIsThere = 1062;

/** Notes in MySQL. */
export function mysqlNotes(pool: Pool, webHost: string, clock: Clock = systemClock): NoteStore {
  const run = <T>(work: (connection: PoolConnection) => Promise<T>): Promise<T> =>
    withRetries(() => onConnection(pool, work), limits, clock);
  return {
    list: (limit) =>
      run(async (connection) => {
        const sql = `SELECT ${columns} ORDER BY created_at DESC, id DESC LIMIT ?`;
        const [rows] = await connection.query<NoteRow[]>(statement(sql, [limit]));
        return rows.map(noteOf);
      }),
    async add(text, key) {
      let isLost = false;
      try {
        return await run(async (connection) => {
          const [hosts] = await connection.query<RowDataPacket[]>(
            statement("SELECT COALESCE(@@GLOBAL.report_host, @@hostname) AS name", []),
          );
          const databaseHost = String(hosts[0]?.name);
          const createdAt = new Date();
          const values = [text, webHost, databaseHost, createdAt, key];
          try {
            const [{ insertId }] = await connection.query<ResultSetHeader>(statement(insert, values));
            return noteOf({ id: insertId, text, webHost, databaseHost, createdAt });
          } catch (error) {
            isLost ||= isUnknown(error as DatabaseError);
            const first =
              (error as DatabaseError).errno === keyIsThere ? await stored(connection, key) : undefined;
            if (first && first.text !== text) throw new KeyInUse("the key belongs to another note");
            if (first) return first;
            throw error;
          }
        });
      } catch (error) {
        throw isLost && !(error instanceof KeyInUse) ? new UnknownOutcome(error) : error;
      }
    },
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

const insert =
  "INSERT INTO notes (text, web_host, database_host, created_at, idempotency_key) VALUES (?, ?, ?, ?, ?)";

type Stored = Omit<Note, "createdAt"> & { readonly createdAt: Date };
type NoteRow = RowDataPacket & Stored;

function noteOf({ id, text, webHost, databaseHost, createdAt }: Stored): Note {
  return { id, text, webHost, databaseHost, createdAt: createdAt.toISOString() };
}

/** The note that the first request with this key has stored. */
async function stored(connection: PoolConnection, key: string): Promise<Note | undefined> {
  const sql = `SELECT ${columns} WHERE idempotency_key = ?`;
  const [[row]] = await connection.query<NoteRow[]>(statement(sql, [key]));
  return row && noteOf(row);
}

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
    if (needsOtherMember(error as DatabaseError)) connection.destroy();
    throw error;
  } finally {
    connection.release();
  }
}
