import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifiedTls } from "../../app/database";
import { listenTarget } from "../../app/serve";
import { healthSettings, serveSettings } from "../../app/settings";

describe("app: settings", () => {
  const folder = mkdtempSync(join(tmpdir(), "secured-web-settings-"));
  before(() => {
    for (const name of ["ca.pem", "client.pem", "client.key"]) writeFileSync(join(folder, name), name);
    writeFileSync(join(folder, "password"), "secret\n");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  const serveEnv = {
    SITE_NAME: "www.foobar.test",
    DATABASE_NAME: "database.internal",
    DATABASE_SOCKET: "/run/x.sock",
    CONNECTION_LIMIT: "7",
    CREDENTIALS_DIRECTORY: folder,
  };
  const healthEnv = { REPLICATION: "group", MEMBERS: "db-1=33061,db-2=33062", CREDENTIALS_DIRECTORY: folder };

  it("reads what systemd gives", () => {
    const { hostName, ...settings } = serveSettings(serveEnv);
    assert.ok(hostName);
    assert.deepEqual(settings, {
      siteName: "www.foobar.test",
      databaseName: "database.internal",
      databaseSocket: "/run/x.sock",
      connectionLimit: 7,
      password: "secret",
      tls: { ca: "ca.pem", cert: "client.pem", key: "client.key" },
    });
    assert.deepEqual(healthSettings(healthEnv), {
      replication: "group",
      members: [
        { host: "db-1", port: 33061 },
        { host: "db-2", port: 33062 },
      ],
      password: "secret",
      tls: { ca: "ca.pem" },
    });
  });

  it("names what is missing or has another form", () => {
    assert.throws(() => serveSettings({ ...serveEnv, DATABASE_NAME: "" }), /DATABASE_NAME is not set/);
    assert.throws(
      () => serveSettings({ ...serveEnv, CREDENTIALS_DIRECTORY: undefined }),
      /CREDENTIALS_DIRECTORY/,
    );
    assert.throws(() => healthSettings({ ...healthEnv, REPLICATION: "x" }), /group or source-replica/);
    assert.throws(() => healthSettings({ ...healthEnv, MEMBERS: "db-1" }), /host=port/);
  });

  it("always verifies the server's certificate and name", () => {
    const { minVersion, rejectUnauthorized, verifyIdentity } = verifiedTls({ ca: "x" });
    assert.deepEqual([minVersion, rejectUnauthorized, verifyIdentity], ["TLSv1.3", true, true]);
  });

  it("takes systemd's socket, where it is for this process", () => {
    assert.deepEqual(listenTarget({ LISTEN_FDS: "1", LISTEN_PID: String(process.pid) }), { fd: 3 });
    assert.deepEqual(listenTarget({ LISTEN_FDS: "1", LISTEN_PID: "1", APP_SOCKET: "/x" }), { path: "/x" });
    assert.throws(() => listenTarget({}), /no socket/);
  });
});
