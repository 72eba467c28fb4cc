import { createServer, type Server } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { createConnection, type RowDataPacket } from "mysql2/promise";
import { connectionAgeMs, verifiedTls } from "./database";
import { errorFields, isRefusal, journal, type Log } from "./log";
import { type MemberRow, memberStateQuery, type Verdict, verdictOf } from "./memberState";
import { type Environment, type HealthSettings, healthSettings } from "./settings";

const pollMs = 400;
const answerLimitMs = 1000;
/** A verdict older than this no longer counts, so that a hanging check does not keep a member in the list. */
const freshMs = 2500;
/** How long a check waits for the first verdict after a start. HAProxy waits for a second. */
const firstLimitMs = 800;

/** Asks a member once. */
export type Ask = () => Promise<Verdict>;

/** Runs until the process ends. HAProxy sends its checks to one loopback port for each database host. */
export function health(env: Environment): void {
  const settings = healthSettings(env);
  settings.members.forEach(({ host, port }, index) => {
    const watch = new Watch(host, askMember(settings, host), journal);
    watch.server().listen(healthTarget(env, settings.members.length, index, port));
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
  private verdict: Verdict = { isWritable: false, reason: "not asked yet" };
  private at = Number.NEGATIVE_INFINITY;
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
   * 200 if the member accepts writes, 503 if it does not or if this is unknown. A check that comes before the first
   * verdict waits for it, so that a restart of this program takes no member out.
   */
  server(): Server {
    return createServer(async (_request, response) => {
      await Promise.race([this.firstLook, delay(firstLimitMs, undefined, { ref: false })]);
      const { isWritable, reason } = this.current();
      response
        .writeHead(isWritable ? 200 : 503, { "Content-Type": "text/plain", Connection: "close" })
        .end(`${reason}\n`);
    });
  }

  current(): Verdict {
    const isFresh = this.now() - this.at <= freshMs;
    return isFresh ? this.verdict : { isWritable: false, reason: "no fresh answer" };
  }

  /** Asks once, and logs a changed verdict to the journal. */
  async look(): Promise<void> {
    const verdict = await this.ask().catch((error): Verdict => {
      const { code, reason } = errorFields(error);
      return { isWritable: false, reason: reason ? `refused: ${reason}` : `no answer (${code})` };
    });
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
function askMember(settings: HealthSettings, host: string): Ask {
  const connection = new Kept(() => connect(settings, host));
  return async () => {
    try {
      const [rows] = await (await connection.get()).query<(MemberRow & RowDataPacket)[]>({
        sql: memberStateQuery,
        timeout: answerLimitMs,
      });
      return verdictOf(settings.replication, rows);
    } catch (error) {
      connection.drop();
      throw error;
    }
  };
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
  return connection;
}
