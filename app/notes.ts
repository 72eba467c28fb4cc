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

/** A result, and the transactions that it may show, as a GTID set. */
export interface Seen<T> {
  readonly value: T;
  readonly seen: string;
}

/** `seen`: the result is at least as new as what the visitor has seen before. */
export interface NoteStore {
  /** Newest notes first. */
  list(limit: number, seen?: string): Promise<Seen<readonly Note[]>>;
  /**
   * Stores a note once for each key: a repeat gives the note that the first request with this key has stored. Throws
   * KeyInUse, and UnknownOutcome; after every other error, the note is not stored.
   */
  add(text: string, key: string, seen?: string): Promise<Seen<Note>>;
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
const memberName = "COALESCE(NULLIF(@@GLOBAL.report_host, ''), @@hostname)";
/** ER_DUP_ENTRY. */
const keyIsThere = 1062;

/** Notes in MySQL. */
export function mysqlNotes(pool: Pool, webHost: string, clock: Clock = systemClock): NoteStore {
  const run = <T>(seen: string | undefined, work: (connection: PoolConnection) => Promise<T>): Promise<T> =>
    withRetries(
      () =>
        onConnection(pool, async (connection) => {
          if (seen !== undefined) await waitFor(connection, seen);
          return work(connection);
        }),
      limits,
      clock,
    );
  return {
    list: (limit, seen) =>
      run(seen, async (connection) => {
        const sql = `SELECT ${columns} ORDER BY created_at DESC, id DESC LIMIT ?`;
        const [rows] = await connection.query<NoteRow[]>(statement(sql, [limit]));
        return { value: rows.map(noteOf), seen: (await memberNow(connection)).seen };
      }),
    async add(text, key, seen) {
      let mayBeStored = false;
      try {
        return await run(seen, async (connection) => {
          const createdAt = new Date();
          try {
            const values = [text, webHost, createdAt, key];
            const [{ insertId }] = await connection.query<ResultSetHeader>(statement(insert, values));
            mayBeStored = true;
            const { databaseHost, seen } = await memberNow(connection);
            return { value: noteOf({ id: insertId, text, webHost, databaseHost, createdAt }), seen };
          } catch (error) {
            const isRepeat = (error as DatabaseError).errno === keyIsThere;
            mayBeStored ||= isRepeat || isUnknown(error as DatabaseError);
            const first = isRepeat ? await stored(connection, key) : undefined;
            if (first && first.text !== text) throw new KeyInUse("the key belongs to another note");
            if (first) return { value: first, seen: (await memberNow(connection)).seen };
            throw error;
          }
        });
      } catch (error) {
        throw mayBeStored && !(error instanceof KeyInUse) ? new UnknownOutcome(error) : error;
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
  "INSERT INTO notes (text, web_host, database_host, created_at, idempotency_key) " +
  `VALUES (?, ?, ${memberName}, ?, ?)`;

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

/** Throws an error with the code BEHIND where the member has not applied the set within a second. */
async function waitFor(connection: PoolConnection, seen: string): Promise<void> {
  const sql = "SELECT WAIT_FOR_EXECUTED_GTID_SET(?, 1) AS isLate";
  const [[row]] = await connection.query<RowDataPacket[]>(statement(sql, [seen]));
  if (row?.isLate !== 0) throw Object.assign(new Error("the member is behind"), { code: "BEHIND" });
}

/** Asked after a statement: the set may have more than the statement has shown, and never less. */
async function memberNow(connection: PoolConnection): Promise<{ databaseHost: string; seen: string }> {
  const sql = `SELECT ${memberName} AS databaseHost, @@GLOBAL.gtid_executed AS seen`;
  const [[row]] = await connection.query<RowDataPacket[]>(statement(sql, []));
  return { databaseHost: String(row?.databaseHost), seen: String(row?.seen) };
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
