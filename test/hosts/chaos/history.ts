/**
 * Judges what sessions of the site have done and seen, in the manner of Jepsen: "valid", "invalid", or "unknown" where
 * there is not enough to judge by. It is pure: operations come in, in the order in which each session's ended, and at
 * the end the contents of the members.
 *
 * | rule | broken if |
 * |---|---|
 * | lost | a member lacks an acknowledged note |
 * | doubled | a note is there twice, on a member or in a list |
 * | refused | a note is there whose every answer was "nothing was stored" |
 * | altered | an answer names another note than the one that was sent, or than the one that is stored |
 * | vanished | a note that was read is on no member, or not on all |
 * | unexplained | a note is there that no session has sent |
 * | own write | a session's read lacks a note that the site had acknowledged to it |
 * | went back | a session's read lacks a note that an earlier read of the session had shown |
 * | unequal | the members' checksums differ |
 *
 * The list shows the newest notes only. A read proves that a note was absent if the list is shorter than its limit, or
 * if the note ranks above the last one of the list: rank is the list's own order, the time that the web host gave the
 * note and then its number. Every other absence proves nothing and is no violation. So a clock that is wrong, or many
 * notes at once, can hide a violation of one read, but make none.
 */

/** What an answer to a write says. */
export type Outcome = "stored" | "refused" | "unknown";

export interface Attempt {
  /** Milliseconds of this machine's clock. */
  readonly start: number;
  readonly end: number;
  /** 0: no answer. */
  readonly status: number;
  /** The answer has a Retry-After header, which only the application sets. */
  readonly retryAfter?: boolean;
}

export interface Note {
  readonly id: number;
  /** As the site writes it (ISO 8601, UTC, milliseconds). */
  readonly createdAt: string;
  readonly text: string;
}

/** A session begins to send a note. Its text is of this operation alone. */
export interface Invocation {
  readonly kind: "invoke";
  readonly session: string;
  readonly text: string;
}

/** The end of a write: all its attempts, which had one idempotency key. */
export interface Append {
  readonly kind: "append";
  readonly session: string;
  readonly text: string;
  readonly attempts: readonly Attempt[];
  /** Of the answer 201. */
  readonly note?: Note;
}

export interface Read {
  readonly kind: "read";
  readonly session: string;
  readonly attempts: readonly Attempt[];
  /** Of the answer 200; absent if its body is not the site's list. */
  readonly notes?: readonly Note[];
}

export type Operation = Invocation | Append | Read;

/** What a member holds in the end. */
export interface Member {
  readonly name: string;
  /** Every note of this history; undefined if the member did not answer. */
  readonly notes: readonly { readonly id: number; readonly text: string }[] | undefined;
  /** Of these notes with all their columns, and of the tables of the faults. */
  readonly checksum: string | undefined;
}

export type Rule =
  | "lost"
  | "doubled"
  | "refused"
  | "altered"
  | "vanished"
  | "unexplained"
  | "own write"
  | "went back"
  | "unequal";

export interface Violation {
  readonly rule: Rule;
  /** When the operation ended that shows it; undefined for what concerns the whole history. */
  readonly at?: number;
  readonly detail: string;
}

export interface Judgement {
  readonly verdict: "valid" | "invalid" | "unknown";
  readonly violations: readonly Violation[];
  /** Why a history without a violation is not valid. */
  readonly doubts: readonly string[];
}

/** Notes that the site's list shows (app/httpServer.ts). */
export const LIST_LIMIT = 50;

/**
 * 503 with Retry-After is the application's word that nothing was stored; a 503 of the load balancer has no such header
 * and promises nothing. Answers of 400 to 499 are refusals of the request itself, except 408: a request that was slow.
 */
export function outcomeOf({ status, retryAfter }: Pick<Attempt, "status" | "retryAfter">): Outcome {
  if (status === 201) return "stored";
  if (status === 503) return retryAfter ? "refused" : "unknown";
  return status >= 400 && status < 500 && status !== 408 ? "refused" : "unknown";
}

interface Write {
  outcome: Outcome;
  at: number;
  /** The number that the site has acknowledged. */
  id?: number;
}

interface Known {
  readonly note: Note;
  readonly isOwn: boolean;
}

export class History {
  readonly #writes = new Map<string, Write>();
  /** For each session the notes, by number, that its next read must show if their rank is in the list. */
  readonly #known = new Map<string, Map<number, Known>>();
  /** Notes that a read has shown: text and the end of the first such read. */
  readonly #seen = new Map<string, number>();
  readonly #violations: Violation[] = [];
  readonly #doubts = new Set<string>();
  #reads = 0;

  constructor(private readonly limit = LIST_LIMIT) {}

  add(operation: Operation): void {
    if (operation.kind === "invoke") this.#begin(operation.text);
    else if (operation.kind === "append") this.#append(operation);
    else this.#read(operation);
  }

  /** The violations so far, without those that only the members' contents show. */
  get violations(): readonly Violation[] {
    return this.#violations;
  }

  /** @param members every member of the group, when all that was committed is applied and no session writes */
  judge(members: readonly Member[]): Judgement {
    const violations = [...this.#violations, ...this.#inMembers(members)];
    const doubts = [...this.#doubts, ...this.#missing(members)];
    const verdict = violations.length > 0 ? "invalid" : doubts.length > 0 ? "unknown" : "valid";
    return { verdict, violations, doubts };
  }

  #begin(text: string): void {
    if (this.#writes.has(text)) this.#doubts.add(`two operations have the text ${text}`);
    this.#writes.set(text, { outcome: "unknown", at: 0 });
  }

  #append({ session, text, attempts, note }: Append): void {
    if (!this.#writes.has(text)) this.#begin(text);
    const outcomes = attempts.map(outcomeOf);
    const isRefused = outcomes.length > 0 && outcomes.every((one) => one === "refused");
    const write: Write = { outcome: isRefused ? "refused" : "unknown", at: attempts.at(-1)?.end ?? 0 };
    this.#writes.set(text, write);
    if (!outcomes.includes("stored")) return;
    write.outcome = "stored";
    if (!note) {
      this.#doubts.add("the answer to an acknowledged write could not be read");
      return;
    }
    if (note.text !== text) {
      this.#violate("altered", write.at, `the answer to ${text} names ${note.text}`);
      return;
    }
    write.id = note.id;
    this.#knownTo(session).set(note.id, { note, isOwn: true });
  }

  #read({ session, attempts, notes }: Read): void {
    const last = attempts.at(-1);
    if (last?.status !== 200) return;
    if (!notes || !isOrdered(notes) || notes.length > this.limit) {
      this.#doubts.add(`a list could not be read, is not in its order, or has more than ${this.limit} notes`);
      return;
    }
    this.#reads++;
    this.#compare(session, notes, last.end);
    const lowest = notes.length < this.limit ? undefined : notes.at(-1);
    // A note below the end of a full list cannot be proved absent later, unless one above it is absent, too.
    const known = [...this.#knownTo(session)].filter(([, { note }]) => !lowest || ranksAbove(note, lowest));
    const shown = notes.map((note): [number, Known] => [note.id, { note, isOwn: false }]);
    this.#known.set(session, new Map([...shown, ...known]));
    for (const { text } of notes) if (!this.#seen.has(text)) this.#seen.set(text, last.end);
  }

  #compare(session: string, notes: readonly Note[], at: number): void {
    const lowest = notes.length < this.limit ? undefined : notes.at(-1);
    const present = new Set(notes.map(({ id }) => id));
    const absent = [...this.#knownTo(session).values()].filter(
      ({ note }) => !present.has(note.id) && (!lowest || ranksAbove(note, lowest)),
    );
    const own = absent.find(({ isOwn }) => isOwn);
    const other = absent.find(({ isOwn }) => !isOwn);
    if (own) this.#violate("own write", at, `${session} does not read its ${own.note.text}`);
    if (other) this.#violate("went back", at, `${session} no longer reads ${other.note.text}`);
    const texts = notes.map(({ text }) => text).filter((text) => this.#writes.has(text));
    const twice = texts.find((text, index) => texts.indexOf(text) !== index);
    if (twice !== undefined) this.#violate("doubled", at, `${session} reads ${twice} twice`);
  }

  #inMembers(members: readonly Member[]): Violation[] {
    const found: Violation[] = [];
    for (const { name, notes } of members) {
      if (notes) found.push(...this.#inMember(name, idsByText(notes)));
    }
    const checksums = new Map(
      members.flatMap(({ name, checksum }) => (checksum === undefined ? [] : [[name, checksum]])),
    );
    if (new Set(checksums.values()).size > 1) {
      const detail = [...checksums].map(([name, sum]) => `${name} ${sum}`).join(", ");
      found.push({ rule: "unequal", detail });
    }
    return found;
  }

  #inMember(name: string, stored: ReadonlyMap<string, readonly number[]>): Violation[] {
    const found: Violation[] = [];
    const violate = (rule: Rule, at: number, detail: string) =>
      found.push({ rule, at, detail: `${name} ${detail}` });
    for (const [text, { outcome, at, id }] of this.#writes) {
      const ids = stored.get(text) ?? [];
      const [first] = ids;
      if (ids.length > 1) violate("doubled", at, `has ${text} ${ids.length} times`);
      if (outcome === "stored" && first === undefined) violate("lost", at, `lacks ${text}`);
      if (outcome === "refused" && first !== undefined) violate("refused", at, `has ${text}`);
      if (outcome === "stored" && first !== undefined && id !== undefined && !ids.includes(id))
        violate("altered", at, `has ${text} as ${first}, acknowledged as ${id}`);
      const seen = this.#seen.get(text);
      if (outcome !== "stored" && first === undefined && seen !== undefined)
        violate("vanished", seen, `lacks ${text}, which was read`);
    }
    for (const text of stored.keys())
      if (!this.#writes.has(text)) found.push({ rule: "unexplained", detail: `${name} has ${text}` });
    return found;
  }

  /** What there is too little of. */
  #missing(members: readonly Member[]): string[] {
    const silent = members.filter(({ notes, checksum }) => notes === undefined || checksum === undefined);
    const isAcknowledged = [...this.#writes.values()].some(({ outcome }) => outcome === "stored");
    return [
      ...(isAcknowledged ? [] : ["no write was acknowledged"]),
      ...(this.#reads > 0 ? [] : ["no read was answered"]),
      ...(members.length > 1 ? [] : ["fewer than two members were compared"]),
      ...silent.map(({ name }) => `${name} did not tell what it holds`),
    ];
  }

  #knownTo(session: string): Map<number, Known> {
    const known = this.#known.get(session) ?? new Map<number, Known>();
    this.#known.set(session, known);
    return known;
  }

  #violate(rule: Rule, at: number, detail: string): void {
    this.#violations.push({ rule, at, detail });
  }
}

/** Judges a history that is already complete. */
export function judge(
  operations: readonly Operation[],
  members: readonly Member[],
  limit = LIST_LIMIT,
): Judgement {
  const history = new History(limit);
  for (const operation of operations) history.add(operation);
  return history.judge(members);
}

/** The order of the site's list, newest first: ORDER BY created_at DESC, id DESC. */
export function ranksAbove(one: Note, other: Note): boolean {
  return one.createdAt === other.createdAt ? one.id > other.id : one.createdAt > other.createdAt;
}

function isOrdered(notes: readonly Note[]): boolean {
  return notes.every((note, index) => {
    const before = notes[index - 1];
    return before === undefined || ranksAbove(before, note);
  });
}

function idsByText(notes: readonly { readonly id: number; readonly text: string }[]): Map<string, number[]> {
  const ids = new Map<string, number[]>();
  for (const { id, text } of notes) ids.set(text, [...(ids.get(text) ?? []), id]);
  return ids;
}
