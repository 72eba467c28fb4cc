import { createServer, type Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import {
  type BeatRow,
  Beats,
  checkLockTimeoutS,
  commitLimitMs,
  firstBeat,
  isNotThereYet,
  readBeats,
  writeBeat,
} from "./beats";
import { connectionAgeMs, limitLocks, verifiedTls } from "./database";
import { errorFields, isRefusal, journal, type Log } from "./log";
import { type MemberRow, memberStateQuery, type Replication, type Verdict, verdictOf } from "./memberState";
import type { DatabaseError } from "./retry";
import { type Environment, type HealthSettings, healthSettings } from "./settings";

const pollMs = 400;
const answerLimitMs = 1000;
/** A verdict older than this no longer counts, so that a hanging check does not keep a member in the list. */
const freshMs = 4000;
/** How long a member that was not fit must be fit before it is preferred again. */
const steadyMs = 5000;
/** How long a check waits for the first verdict after a start. HAProxy waits for a second. */
const firstLimitMs = 800;

/** Asks a member once. */
export type Ask = () => Promise<Verdict>;

/** Runs until the process ends. HAProxy sends its checks to one loopback port for each database host. */
export function health(env: Environment): void {
  const settings = healthSettings(env);
  const beats = new Beats();
  const members = settings.members.map(({ host, port }) => ({
    port,
    watch: new Watch(host, askMember(settings, host, beats), journal),
  }));
  const watches = members.map(({ watch }) => watch);
  members.forEach(({ port, watch }, index) => {
    watch.server(watches).listen(healthTarget(env, members.length, index, port));
    void watch.run();
  });
  const stop = () => process.exit(0);
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

/**
 * systemd's sockets (sd_listen_fds(3): the first descriptor is 3, in the order of the unit's lines), on which HAProxy's
 * checks wait while the program restarts. Without them, the loopback port.
 */
export function healthTarget(env: Environment, members: number, index: number, port: number) {
  const isPassed = env.LISTEN_FDS === String(members) && env.LISTEN_PID === String(process.pid);
  return isPassed ? { fd: 3 + index } : { port, host: "127.0.0.1" };
}

/** The last verdict on one member, and the server that reports it. */
export class Watch {
  private verdict: Verdict = { fitness: "out", reason: "not asked yet" };
  private at = Number.NEGATIVE_INFINITY;
  private unfitAt = Number.NEGATIVE_INFINITY;
  private hasLooked: () => void = () => {};
  private readonly firstLook = new Promise<void>((resolve) => {
    this.hasLooked = resolve;
  });

  constructor(
    private readonly host: string,
    private readonly ask: Ask,
    private readonly log: Log,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /**
   * 200 if the member serves, 503 if it does not or if this is unknown. A check that comes before the first verdict
   * waits for it, so that a restart of this program takes no member out.
   *
   * @param all the checks of all members. Those of the best rank serve: while any is fit, no impaired one does.
   */
  server(all: readonly Watch[]): Server {
    return createServer(async (_request, response) => {
      await Promise.race([this.firstLook, delay(firstLimitMs, undefined, { ref: false })]);
      const rank = this.rank();
      const serves = rank > 0 && all.every((other) => other.rank() <= rank);
      response
        .writeHead(serves ? 200 : 503, { "Content-Type": "text/plain", Connection: "close" })
        .end(`${this.current().reason}\n`);
    });
  }

  current(): Verdict {
    const isFresh = this.now() - this.at <= freshMs;
    return isFresh ? this.verdict : { fitness: "out", reason: "no fresh answer" };
  }

  /** 0: out; 1: impaired; 2: fit again; 3: fit for a while, or since the first look. */
  rank(): number {
    const { fitness } = this.current();
    if (fitness !== "fit") return fitness === "out" ? 0 : 1;
    return this.now() - this.unfitAt < steadyMs ? 2 : 3;
  }

  /** Asks once, and logs a changed verdict to the journal. */
  async look(): Promise<void> {
    const verdict = await this.ask().catch((error): Verdict => {
      const { code, reason } = errorFields(error);
      return { fitness: "out", reason: reason ? `refused: ${reason}` : `no answer (${code})` };
    });
    if (verdict.fitness !== "fit") this.unfitAt = this.now();
    if (verdict.reason !== this.verdict.reason) {
      this.log("info", "member", { host: this.host, ...verdict });
    }
    this.verdict = verdict;
    this.at = this.now();
    this.hasLooked();
  }

  async run(): Promise<never> {
    for (;;) {
      await this.look();
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
  }
}

/** Asks over a connection that is kept while it works, and replaced after an error. */
function askMember(settings: HealthSettings, host: string, beats: Beats): Ask {
  const connection = new Kept(() => connect(settings, host));
  return async () => {
    try {
      const open = await connection.get();
      return await examine(
        settings.replication,
        beats,
        async <Row>(sql: string, values: unknown[], limitMs: number) => {
          const [rows] = await open.query<(Row & RowDataPacket)[]>({ sql, values, timeout: limitMs });
          return rows;
        },
      );
    } catch (error) {
      connection.drop();
      if (error instanceof CannotCommit) return { fitness: "impaired", reason: error.message };
      throw error;
    }
  };
}

/** The rows that a statement gives. Throws mysql2's errors. */
export type Query = <Row>(sql: string, values: unknown[], limitMs: number) => Promise<readonly Row[]>;

/** The member would serve by its state, but a small write fails. */
export class CannotCommit extends Error {}

/** Looks at a member: its state, a small write, and what it has applied. Throws CannotCommit, and what `query` throws. */
export async function examine(
  replication: Replication,
  beats: Beats,
  query: Query,
  now: () => number = () => performance.now(),
): Promise<Verdict> {
  const rows = await query<MemberRow>(memberStateQuery, [], answerLimitMs);
  const verdict = verdictOf(replication, rows);
  const self = rows[0]?.self ?? "";
  if (verdict.fitness !== "fit") return verdict;
  try {
    await query(writeBeat, [self], commitLimitMs);
  } catch (error) {
    const { code, errno } = error as DatabaseError;
    if (isNotThereYet(error as DatabaseError)) return verdict;
    if (errno === undefined && code !== "PROTOCOL_SEQUENCE_TIMEOUT") throw error;
    throw new CannotCommit(`a small write fails (${code})`);
  }
  const written = await query<BeatRow>(readBeats, [], answerLimitMs);
  if (!written.some(({ member }) => member === self)) await query(firstBeat, [self], commitLimitMs);
  const isBehind = beats.isBehind(self, written, now());
  return isBehind ? { fitness: "impaired", reason: "behind the other members" } : verdict;
}

/**
 * A connection that is renewed after a while, because the member's certificate is only verified when a connection is
 * made. If a member is too slow to accept the new connection, the old one stays in use; if the new one is refused, it
 * does not.
 */
export class Kept<T extends { destroy(): void }> {
  private connection: T | undefined;
  private since = 0;

  constructor(
    private readonly make: () => Promise<T>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  async get(): Promise<T> {
    if (this.connection === undefined || this.now() - this.since > connectionAgeMs) {
      const before = this.connection;
      const made = await this.make().catch((error) => {
        if (before === undefined || isRefusal(error)) throw error;
        return before;
      });
      if (made !== before) before?.destroy();
      this.connection = made;
      this.since = this.now();
    }
    return this.connection;
  }

  drop(): void {
    this.connection?.destroy();
    this.connection = undefined;
  }
}

async function connect(settings: HealthSettings, host: string) {
  const connection = await createConnection({
    host,
    user: "health",
    password: settings.password,
    ssl: verifiedTls(settings.tls),
    connectTimeout: answerLimitMs,
  });
  // An error between two checks shows at the next check. Without a listener, it would end the process.
  connection.on("error", () => {});
  try {
    await connection.query({ sql: limitLocks(checkLockTimeoutS), timeout: answerLimitMs });
  } catch (error) {
    // Otherwise it stays open, and counts against the account's limit.
    connection.destroy();
    throw error;
  }
  return connection;
}
