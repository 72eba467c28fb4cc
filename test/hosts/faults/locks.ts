import type { WorldHost } from "../world/worldHost";

let opened = 0;

/** A session of root's that stays open: for locks, and for a server that takes no new connection. */
export class HeldSession {
  private readonly unit = `secured-web-test-session-${++opened}`;
  private readonly pipe = `/run/${this.unit}`;

  private constructor(private readonly host: WorldHost) {}

  /** Opens it, and sends a first statement. */
  static async open(host: WorldHost, sql: string): Promise<HeldSession> {
    const session = new HeldSession(host);
    const { unit, pipe } = session;
    const client = "mysql --no-defaults --socket=/run/mysqld/mysqld.sock --user=root --unbuffered";
    await host.run(
      `mkfifo ${pipe}; systemd-run --quiet --collect --unit=${unit} bash -c 'exec 3<>${pipe}; ${client} <&3'`,
    );
    await session.run(sql);
    return session;
  }

  /** Sends a statement, and does not wait for its end. */
  run(sql: string): Promise<string> {
    return this.host.run(`echo '${sql};' > ${this.pipe}`);
  }

  /** Ends it with its locks. Safe to run twice. */
  end(): Promise<string> {
    return this.host.run(`systemctl stop ${this.unit}.service || true; rm -f ${this.pipe}`);
  }
}
