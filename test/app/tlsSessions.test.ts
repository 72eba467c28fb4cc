/** What the application verifies of a server: on each connection (mysql2 resumes TLS sessions), and lists of revoked certificates. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { createPool, type Pool } from "mysql2/promise";
import { createDatabasePool, type PoolSettings, verifiedTls } from "../../app/database";
import { refuseRevoked } from "../../app/revocation";
import { revocationOf } from "../../infra/config/revoked";
import { revocationList } from "../../infra/releases/revocationList";
import { type Issued, TestAuthority } from "../hosts/proofs/pki";

const NAME = "database.internal.test";

describe("app: TLS sessions", () => {
  let dir: string;
  let server: MysqlServer;
  let authority: TestAuthority;
  const settings = (): PoolSettings => ({
    databaseName: NAME,
    databaseSocket: join(dir, "mysql.sock"),
    connectionLimit: 1,
    password: "secret",
    tls: { ca: authority.certificate },
  });

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), "secured-web-tls-"));
    authority = await TestAuthority.create("of the databases");
    server = await MysqlServer.listen(settings().databaseSocket, await authority.issue({ names: [NAME] }));
  });
  after(() => {
    server?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Whether the server resumed a session, for two connections of a pool. */
  async function resumed(pool: Pool): Promise<readonly boolean[]> {
    server.resumed.length = 0;
    try {
      for (let count = 0; count < 2; count++) {
        const connection = await pool.getConnection();
        // Tickets come after the handshake, with or before the first answer.
        await connection.query("DO 1");
        connection.destroy();
      }
    } finally {
      await pool.end();
    }
    return [...server.resumed];
  }

  it("are not resumed, so each connection verifies the server's certificate", async () => {
    assert.deepEqual(await resumed(createDatabasePool(settings())), [false, false]);
  });

  it("would be resumed with options whose CA stays the same: the look can tell", async () => {
    const { databaseName: host, databaseSocket: socketPath, tls } = settings();
    const pool = createPool({ host, socketPath, user: "app", ssl: { ...verifiedTls(tls) } });
    assert.deepEqual(await resumed(pool), [false, true]);
  });

  it("a certificate that ends between two connections is refused, with the reason", async () => {
    const endsInS = 2;
    server.show(await authority.issue({ names: [NAME], days: endsInS / (24 * 3600) }));
    const pool = createDatabasePool(settings());
    try {
      for (let good = 0; ; good++) {
        const connection = await pool.getConnection().catch((error) => {
          assert.deepEqual([error.code, error.message], ["HANDSHAKE_SSL_ERROR", "certificate has expired"]);
          assert.ok(good > 0, "it was not good to begin with");
        });
        if (!connection) return;
        await connection.query("DO 1");
        connection.destroy();
        await delay(100);
      }
    } finally {
      await pool.end();
    }
  }).timeout(10_000);

  describe("a revoked certificate", () => {
    let issued: Issued;
    before(async () => {
      issued = await authority.issue({ names: [NAME] });
      server.show(issued);
    });

    /** Why the application does not connect; "" if it does. */
    async function refusal(): Promise<string> {
      const pool = createDatabasePool(settings());
      try {
        await (await pool.getConnection()).query("DO 1");
        return "";
      } catch (error) {
        return (error as Error).message;
      } finally {
        await pool.end();
      }
    }

    const listOf = (...revoked: Issued[]) => [
      revocationList(
        authority,
        revoked.map(({ certificate }) => revocationOf(certificate, 1_795_000_000)),
      ),
    ];

    it("is refused from the moment in which it is in the list, and without the check it is accepted", async () => {
      let lists = listOf();
      const undo = refuseRevoked(() => lists);
      try {
        assert.equal(await refusal(), "");
        lists = listOf(await authority.issue({ names: [NAME] }));
        assert.equal(await refusal(), "", "the list has another one");
        lists = listOf(issued);
        assert.equal(await refusal(), "certificate revoked");
      } finally {
        undo();
      }
      assert.equal(await refusal(), "");
    });

    it("without lists that can be read, no certificate is trusted", async () => {
      const other = await TestAuthority.create("another");
      for (const read of [
        () => [],
        () => ["no list"],
        () => [revocationList(other, [])],
        () => {
          throw new Error("no such file");
        },
      ]) {
        const undo = refuseRevoked(read);
        try {
          assert.notEqual(await refusal(), "", String(read));
        } finally {
          undo();
        }
      }
    });
  });
});

/** As much of a MySQL server as a client's login needs: it upgrades to TLS, and answers OK to everything. */
class MysqlServer {
  /** For each connection whether its TLS session is one from before. */
  readonly resumed: boolean[] = [];

  private constructor(
    private readonly server: Server,
    private context: SecureContext,
  ) {}

  static async listen(path: string, certificate: Issued): Promise<MysqlServer> {
    const server = createServer((socket) => made.greet(socket));
    const made = new MysqlServer(server, contextOf(certificate));
    await new Promise<void>((resolve) => server.listen(path, resolve));
    return made;
  }

  /** Shows another certificate from now on. */
  show(certificate: Issued): void {
    this.context = contextOf(certificate);
  }

  close(): void {
    this.server.close();
  }

  private greet(socket: Socket): void {
    socket.on("error", () => {});
    socket.write(packet(0, greeting()));
    const upgrade = () => {
      // A request for TLS (32 bytes and the header), and perhaps the beginning of TLS after it.
      if (socket.read(36) === null) return;
      socket.off("readable", upgrade);
      const secure = new TLSSocket(socket, { isServer: true, secureContext: this.context });
      secure.on("error", () => {});
      secure.on("secure", () => this.resumed.push(secure.isSessionReused()));
      secure.on("data", (data: Buffer) => secure.write(packet((data[3] ?? 0) + 1, OK)));
    };
    socket.on("readable", upgrade);
  }
}

const contextOf = ({ certificate, privateKey }: Issued): SecureContext =>
  createSecureContext({ cert: certificate, key: privateKey });

/** A packet of MySQL's protocol: three bytes of length, its number, the payload. */
function packet(number: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUIntLE(payload.length, 0, 3);
  head[3] = number;
  return Buffer.concat([head, payload]);
}

const OK = Buffer.from([0, 0, 0, 2, 0, 0, 0]);

/** HandshakeV10 of MySQL's protocol, with TLS among the capabilities. */
function greeting(): Buffer {
  const capabilities = 0x8 | 0x200 | 0x800 | 0x8000 | 0x80000;
  const fields = Buffer.alloc(19);
  fields.writeUInt16LE(capabilities & 0xffff, 1);
  fields[3] = 255;
  fields.writeUInt16LE(2, 4);
  fields.writeUInt16LE(capabilities >>> 16, 6);
  fields[8] = 21;
  return Buffer.concat([
    Buffer.from("\n8.4.0\0"),
    Buffer.from([1, 0, 0, 0]),
    Buffer.alloc(8, "a"),
    fields,
    Buffer.from(`${"b".repeat(12)}\0mysql_native_password\0`),
  ]);
}
