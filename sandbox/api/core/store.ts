import { constants, readFileSync } from "node:fs";
import { mkdir, open, readdir, readFile, rename, unlink } from "node:fs/promises";
import { join } from "node:path";
import { unavailable } from "./errors";

const FORMAT = 1;
const STATE_FILE = "state.json";
const FILES_DIR = "files";

/** One kind of record, by id, in order of creation. Records are frozen; to change one, `put` a new one. */
export interface Table<T extends object> {
  get(id: string | number): Readonly<T> | undefined;
  has(id: string | number): boolean;
  /** Adds the record, or replaces the record with that id in its place. */
  put(id: string | number, record: T): Readonly<T>;
  delete(id: string | number): boolean;
  /** A copy of the list, so that a loop can put and delete. */
  values(): Readonly<T>[];
  readonly size: number;
}

interface Changes {
  undo: (() => void)[];
  effects: (() => void)[];
  keys: Set<string>;
  newFiles: Map<string, string>;
  deadFiles: Set<string>;
}

interface Batch extends Changes {
  done: Promise<void>;
  resolve(): void;
  reject(error: Error): void;
}

type Rows = Map<string, object>;

/**
 * The account's records, in memory and in one JSON document on disk.
 *
 * A transaction runs to its end without interruption, so no other request sees a part of it. It is acknowledged only
 * after a document that contains it has replaced the old one (write a temporary file, fsync, rename, fsync of the
 * folder), so after kill -9 at any moment there is either the old or the new document. Transactions that arrive
 * during a write share the next write. If a write fails, every transaction that is not on disk is undone and refused
 * with 503.
 *
 * Long texts (user data) are separate files next to the document. Otherwise, with a thousand droplets, every change
 * would rewrite tens of megabytes.
 */
export class Store {
  readonly #tables = new Map<string, Rows>();
  readonly #lines = new WeakMap<object, string>();
  #pending: Batch | undefined;
  #inFlight: Batch | undefined;
  #open: Changes | undefined;
  #closed = false;

  private constructor(readonly stateDir: string) {}

  /**
   * Reads the state of `stateDir` (created with mode 0700 if it is absent). Throws an error that names the file if it
   * is not a state of this program.
   */
  static async open(stateDir: string): Promise<Store> {
    await mkdir(join(stateDir, FILES_DIR), { recursive: true, mode: 0o700 });
    const store = new Store(stateDir);
    await store.#load();
    await store.#sweep();
    return store;
  }

  /** The table with that name; `T` is the type that its only writers use. */
  table<T extends object>(name: string): Table<T> {
    const rows = this.#rows(name);
    return {
      get: (id) => rows.get(String(id)) as T | undefined,
      has: (id) => rows.has(String(id)),
      put: (id, record) => this.#put(rows, String(id), record) as T,
      delete: (id) => this.#delete(rows, String(id)),
      values: () => [...rows.values()] as T[],
      get size() {
        return rows.size;
      },
    };
  }

  /** The next number of a sequence. It never returns a number twice, not even after a delete or a restart. */
  nextId(sequence: string, first: number): number {
    const counters = this.table<{ next: number }>("counters");
    const id = counters.get(sequence)?.next ?? first;
    counters.put(sequence, { next: id + 1 });
    return id;
  }

  /** Stores a long text in a separate file (mode 0600), saved with the transaction. */
  putFile(name: string, text: string): void {
    this.table<{ name: string }>("files").put(name, { name });
    this.#open?.newFiles.set(name, text);
  }

  /** The text of `putFile`, or undefined. */
  readFile(name: string): string | undefined {
    if (!this.table("files").has(name)) return undefined;
    for (const changes of [this.#open, this.#pending, this.#inFlight]) {
      const unsaved = changes?.newFiles.get(name);
      if (unsaved !== undefined) return unsaved;
    }
    return readFileSync(join(this.stateDir, FILES_DIR, name), "utf8");
  }

  deleteFile(name: string): void {
    if (this.table("files").delete(name)) this.#open?.deadFiles.add(name);
  }

  /**
   * Runs `effect` when the open transaction is on disk; never if it is undone. If several effects have the same
   * `key`, a transaction runs only one.
   */
  afterCommit(effect: () => void, key?: string): void {
    if (!this.#open) throw new Error("afterCommit belongs inside a transaction");
    if (key !== undefined && this.#open.keys.has(key)) return;
    if (key !== undefined) this.#open.keys.add(key);
    this.#open.effects.push(effect);
  }

  /**
   * Runs `work` (which must not await anything) as one change: completely or, if it throws, not at all. `durable`
   * settles when everything that `work` wrote *and read* is on disk; otherwise it rejects with a 503.
   */
  transaction<T>(work: () => T): { result: T; changed: boolean; durable: Promise<void> } {
    if (this.#open) throw new Error("transactions do not nest");
    if (this.#closed) throw unavailable("The sandbox is shutting down.");
    const current = noChanges();
    this.#open = current;
    let result: T;
    try {
      result = work();
    } catch (error) {
      revert(current.undo);
      throw error;
    } finally {
      this.#open = undefined;
    }
    if (current.undo.length === 0) {
      for (const effect of current.effects) effect();
      return {
        result,
        changed: false,
        durable: (this.#pending ?? this.#inFlight)?.done ?? Promise.resolve(),
      };
    }
    const batch = this.#batch();
    batch.undo.push(...current.undo);
    batch.effects.push(...current.effects);
    for (const [name, text] of current.newFiles) batch.newFiles.set(name, text);
    for (const name of current.deadFiles) batch.deadFiles.add(name);
    return { result, changed: true, durable: batch.done };
  }

  /** Waits for unsaved changes. Later transactions are refused. */
  async close(): Promise<void> {
    this.#closed = true;
    while (this.#inFlight ?? this.#pending) await (this.#inFlight ?? this.#pending)?.done.catch(() => {});
  }

  #rows(name: string): Rows {
    let rows = this.#tables.get(name);
    if (!rows) {
      rows = new Map();
      this.#tables.set(name, rows);
    }
    return rows;
  }

  #change(undo: () => void): void {
    if (!this.#open) throw new Error("records change inside a transaction only");
    this.#open.undo.push(undo);
  }

  #put(rows: Rows, id: string, record: object): object {
    const before = rows.get(id);
    this.#change(() => (before ? rows.set(id, before) : rows.delete(id)));
    rows.set(id, deepFreeze(record));
    return record;
  }

  #delete(rows: Rows, id: string): boolean {
    if (!rows.has(id)) return false;
    const order = [...rows];
    this.#change(() => {
      rows.clear();
      for (const [key, value] of order) rows.set(key, value);
    });
    return rows.delete(id);
  }

  #batch(): Batch {
    if (this.#pending) return this.#pending;
    let resolve = () => {};
    let reject = (_error: Error) => {};
    const done = new Promise<void>((ok, failed) => {
      resolve = ok;
      reject = failed;
    });
    done.catch(() => {}); // a background change may have no caller that waits
    this.#pending = { ...noChanges(), done, resolve, reject };
    if (!this.#inFlight) setImmediate(() => void this.#flush());
    return this.#pending;
  }

  async #flush(): Promise<void> {
    const batch = this.#pending;
    if (!batch || this.#inFlight) return;
    this.#pending = undefined;
    this.#inFlight = batch;
    try {
      await this.#save(batch, this.#serialize());
      this.#inFlight = undefined;
      for (const effect of batch.effects) effect();
      batch.resolve();
    } catch (error) {
      await this.#removeHalfWritten(batch);
      this.#undo(batch, error);
    }
    if (this.#pending) setImmediate(() => void this.#flush());
  }

  /** On a full disk, the partial file would prevent the next attempt. */
  async #removeHalfWritten(batch: Batch): Promise<void> {
    const files = [...batch.newFiles.keys()].map((name) => join(FILES_DIR, name));
    for (const file of [`${STATE_FILE}.new`, ...files])
      await unlink(join(this.stateDir, file)).catch(() => {});
  }

  /** Later changes were built on the failed write, so both are undone. */
  #undo(failed: Batch, error: unknown): void {
    const later = this.#pending;
    this.#pending = undefined;
    this.#inFlight = undefined;
    revert([...failed.undo, ...(later?.undo ?? [])]);
    const reason = error instanceof Error ? error.message : String(error);
    const refusal = unavailable(
      `The sandbox could not save its state (${reason}), so nothing was changed. Free some space in ${this.stateDir} or correct its permissions, and send the request again.`,
    );
    failed.reject(refusal);
    later?.reject(refusal);
  }

  #serialize(): string {
    const tables: string[] = [];
    for (const [name, rows] of this.#tables) {
      const lines: string[] = [];
      for (const [id, record] of rows) lines.push(this.#line(id, record));
      tables.push(`${JSON.stringify(name)}: [\n${lines.join(",\n")}\n]`);
    }
    return `{"format": ${FORMAT}, "tables": {\n${tables.join(",\n")}\n}}\n`;
  }

  /** A record never changes after it is stored, so its JSON is computed once. */
  #line(id: string, record: object): string {
    let line = this.#lines.get(record);
    if (line === undefined) {
      line = JSON.stringify([id, record]);
      this.#lines.set(record, line);
    }
    return line;
  }

  async #save(batch: Batch, document: string): Promise<void> {
    const files = join(this.stateDir, FILES_DIR);
    for (const [name, text] of batch.newFiles) {
      if (!batch.deadFiles.has(name)) await writeSynced(join(files, name), text);
    }
    if (batch.newFiles.size > 0) await syncDir(files);
    const target = join(this.stateDir, STATE_FILE);
    await writeSynced(`${target}.new`, document);
    await rename(`${target}.new`, target);
    await syncDir(this.stateDir);
    for (const name of batch.deadFiles) await unlink(join(files, name)).catch(() => {});
  }

  async #load(): Promise<void> {
    const file = join(this.stateDir, STATE_FILE);
    let text: string;
    try {
      text = await readFile(file, "utf8");
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
      throw error;
    }
    for (const [name, lines] of Object.entries(parseDocument(file, text))) {
      const rows = this.#rows(name);
      for (const [id, record] of lines) rows.set(id, deepFreeze(record));
    }
    for (const { name } of this.table<{ name: string }>("files").values()) {
      try {
        this.readFile(name);
      } catch {
        throw new Error(
          `${file} names the file ${join(this.stateDir, FILES_DIR, name)}, which cannot be read. ${REMEDY}`,
        );
      }
    }
  }

  /**
   * If the process is killed between writing a file and writing the document, a file remains that no record names.
   */
  async #sweep(): Promise<void> {
    const known = this.table("files");
    for (const name of await readdir(join(this.stateDir, FILES_DIR))) {
      if (!known.has(name)) await unlink(join(this.stateDir, FILES_DIR, name));
    }
  }
}

const REMEDY = "Restore it from a copy, or delete the state directory to start with an empty account.";

function parseDocument(file: string, text: string): Record<string, [string, object][]> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${file} is not a readable state: it is not JSON (${reason}). ${REMEDY}`);
  }
  const { format, tables } = (document ?? {}) as { format?: unknown; tables?: unknown };
  if (format !== FORMAT) {
    throw new Error(
      `${file} is not a readable state: format is ${JSON.stringify(format)}, not ${FORMAT}. ${REMEDY}`,
    );
  }
  if (!isTables(tables))
    throw new Error(`${file} is not a readable state: its tables are damaged. ${REMEDY}`);
  return tables;
}

function isTables(value: unknown): value is Record<string, [string, object][]> {
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).every(
    (rows) =>
      Array.isArray(rows) &&
      rows.every(
        (row: unknown) =>
          Array.isArray(row) && typeof row[0] === "string" && typeof row[1] === "object" && row[1] !== null,
      ),
  );
}

const noChanges = (): Changes => ({
  undo: [],
  effects: [],
  keys: new Set(),
  newFiles: new Map(),
  deadFiles: new Set(),
});

function revert(undo: (() => void)[]): void {
  for (const step of undo.reverse()) step();
  undo.length = 0;
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null && !Object.isFrozen(inner)) deepFreeze(inner);
  }
  return Object.freeze(value);
}

async function writeSynced(path: string, text: string): Promise<void> {
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDir(path: string): Promise<void> {
  const dir = await open(path, constants.O_RDONLY);
  try {
    await dir.sync();
  } finally {
    await dir.close();
  }
}
