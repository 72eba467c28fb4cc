import type { WorldHost } from "../world/worldHost";

const UNIT = "secured-web-test-session";
const PIPE = `/run/${UNIT}`;

/** A session of root's that stays open: for locks, and for a server that takes no new connection. One for each host. */
export class HeldSession {
  private constructor(private readonly host: WorldHost) {}

  /** Opens it, and runs a first statement. */
  static async open(host: WorldHost, sql: string): Promise<HeldSession> {
    const client = "mysql --no-defaults --socket=/run/mysqld/mysqld.sock --user=root --unbuffered";
    await host.run(
      `rm -f ${PIPE}; mkfifo ${PIPE}; systemd-run --quiet --collect --unit=${UNIT} bash -c 'exec 3<>${PIPE}; ${client} <&3'`,
    );
    const session = new HeldSession(host);
    await session.run(sql);
    return session;
  }

  /** Sends a statement, and does not wait for its end. */
  run(sql: string): Promise<string> {
    return this.host.run(`echo '${sql};' > ${PIPE}`);
  }

  /** Ends it with its locks. Safe to run twice. */
  end(): Promise<string> {
    return this.host.run(`systemctl stop ${UNIT}.service || true; rm -f ${PIPE}`);
  }
}
