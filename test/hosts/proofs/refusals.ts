/** Who is refused on the hops that verify, in a stack with separated roles; and where nobody is, that it is so. */
import assert from "node:assert/strict";
import { waitFor } from "../world/waitFor";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";
import { type Issued, TestAuthority } from "./pki";

const PROGRAM = "/usr/local/lib/secured-web/app/main.js";
const FOLDER = "/run/proof-app";

export function refusalProof(world: () => World): void {
  const web = () => world().host("web-1");
  const database = () => world().host("db-3");

  it("web to database: mysqld refuses a plaintext client, and without require_secure_transport it does not", async () => {
    // An account that asks for nothing itself: the others are refused by their own rules before the server's.
    const account = "SET SESSION sql_log_bin = 0; CREATE USER 'proof'@'%' IDENTIFIED BY 'proof-of-transport'";
    const ask = () =>
      web().attempt(
        `MYSQL_PWD=proof-of-transport mysql --no-defaults --host=${database().fqdn} --user=proof ` +
          "--ssl-mode=DISABLED --get-server-public-key -e 'SELECT 1'",
      );
    await database().mysql(account);
    try {
      assert.match((await ask()).stderr, /ERROR 3159 .*insecure transport are prohibited/);
      await database().mysql("SET GLOBAL require_secure_transport = OFF");
      assert.equal((await ask()).code, 0);
    } finally {
      await database().mysql("SET GLOBAL require_secure_transport = ON");
      await database().mysql("SET SESSION sql_log_bin = 0; DROP USER 'proof'@'%'");
    }
  });

  it("web to database: mysqld refuses a client without a certificate of our CA", async () => {
    const stranger = await (await TestAuthority.create("another")).issue({ names: ["web-1"] });
    await web().run("install -d -m 0700 /root/proof");
    await web().write("/root/proof/client.pem", stranger.certificate);
    await web().write("/root/proof/client.key", stranger.privateKey);
    const ask = (files: string) =>
      web().attempt(
        "MYSQL_PWD=$(cat /etc/secured-web/secrets/app.password) mysql --no-defaults --user=app --ssl-mode=VERIFY_IDENTITY " +
          `--host=${database().fqdn} --ssl-ca=/etc/secured-web/ca.pem ${files} -e 'SELECT 1'`,
      );
    const own = "--ssl-cert=/etc/secured-web/secrets/app.pem --ssl-key=/etc/secured-web/secrets/app.key";
    try {
      assert.equal((await ask(own)).code, 0);
      assert.match((await ask("")).stderr, /Access denied/);
      const other = await ask("--ssl-cert=/root/proof/client.pem --ssl-key=/root/proof/client.key");
      assert.notEqual(other.code, 0);
      assert.match(other.stderr, /certificate|SSL|TLS|Lost connection/i);
    } finally {
      await web().run("rm -rf /root/proof");
    }
  });

  it("web to database: the application refuses a server with a wrong CA or a wrong name", async () => {
    const authority = await TestAuthority.create("trusted in this test");
    const name = (await web().run("sed -n 's/^DATABASE_NAME=//p' /etc/secured-web/app.env")).trim();
    const names = [database().fqdn, name];
    const other = await TestAuthority.create("another");
    const bad: Readonly<Record<string, Issued>> = {
      "wrong CA": await other.issue({ names }),
      "wrong name": await authority.issue({ names: ["another.internal.test"] }),
    };
    const roots = authority.certificate + other.certificate;
    await startApplication(authority.certificate, name);
    try {
      await serve(await authority.issue({ names }), roots);
      await waitFor("the application is ready", async () => (await readiness()) === "200", { within: 30 });
      for (const [what, certificate] of Object.entries(bad)) {
        await serve(certificate, roots);
        await waitFor(`not ready: ${what}`, async () => (await readiness()) === "503", { within: 30 });
      }
      await serve(await authority.issue({ names }), roots);
      await waitFor("the application is ready again", async () => (await readiness()) === "200", {
        within: 30,
      });
    } finally {
      await web().run(`systemctl stop proof-app.service proof-way.service; rm -rf ${FOLDER}`);
      await restoreCertificate();
    }
  });

  it("database to database: a member with a certificate of another CA does not get into the group, and the others stay", async () => {
    const another = await TestAuthority.create("another");
    const wrong = await another.issue({ names: [database().fqdn] });
    const others = ["db-1", "db-2"].map((name) => world().host(name));
    const count =
      "SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE MEMBER_STATE = 'ONLINE'";
    await database().run("systemctl stop secured-web-group.service");
    try {
      await database().mysql("STOP GROUP_REPLICATION", { timeoutMs: 90_000 });
      await serve(wrong, another.certificate);
      // It tries for a minute.
      const joining = database().mysql("START GROUP_REPLICATION", { timeoutMs: 150_000 });
      await assert.rejects(joining, /ERROR 309\d/);
      for (const host of others) assert.deepEqual(await host.mysql(count), [["2"]], host.name);
    } finally {
      await restoreCertificate();
      await database().run("systemctl start secured-web-group.service");
    }
    await waitFor("it joins with its own certificate", () => world().databaseIsWhole(), {
      within: 120,
      explain: () => world().complaints(),
    });
  });

  it("load balancer to web: nobody is refused, because DigitalOcean's load balancer does not verify backends (encrypted, not authenticated)", async () => {
    const wrong = await (await TestAuthority.create("another")).issue({ names: ["another.test"], days: -1 });
    const hosts = world().hostsWith("web");
    const tls = "/etc/nginx/tls";
    for (const host of hosts) {
      await host.run(`cp -p ${tls}/server.pem /root/server.pem && cp -p ${tls}/server.key /root/server.key`);
      await host.write(`${tls}/server.pem`, wrong.certificate);
      await host.write(`${tls}/server.key`, wrong.privateKey);
      await host.run("systemctl reload nginx.service");
    }
    try {
      for (const host of hosts) {
        const shown = async () =>
          (await host.run("openssl s_client -connect localhost:443 </dev/null 2>/dev/null || true")).includes(
            "CN=another",
          ) || undefined;
        await waitFor(`nginx on ${host.name} shows the wrong certificate`, shown, { within: 30 });
      }
      assert.equal((await world().client.get("/")).status, 200);
    } finally {
      for (const host of hosts) {
        await host.run(`mv /root/server.pem /root/server.key ${tls}/ && systemctl reload nginx.service`);
      }
    }
  });

  it("load balancer to web: nginx refuses plaintext", async () => {
    const answer = await web().run(
      "curl -s -o /dev/null -w '%{http_code}' --header 'Host: www.dev.foobar.com' http://localhost:443/",
    );
    assert.equal(answer, "400");
  });

  it("client to load balancer: a client refuses another authority's certificate and another name", async () => {
    const curl = async (args: readonly string[]) =>
      (await world().client.run("curl", ["-s", "-o", "/dev/null", ...args])).code;
    const trusted = ["--cacert", world().provider.certificates.rootsFile];
    const other = ["--resolve", `other.test:443:${world().loadBalancerIp}`, "https://other.test/"];
    // curl(1), EXIT CODES: 60, the peer's certificate cannot be authenticated.
    assert.equal(await curl([...trusted, `https://${world().client.site}/`]), 0);
    assert.equal(await curl([`https://${world().client.site}/`]), 60);
    assert.equal(await curl([...trusted, ...other]), 60);
  });

  /** The application once more, as it is, beside the real one: it trusts a CA of ours, and knows one database host alone. */
  async function startApplication(ca: string, name: string): Promise<void> {
    const secrets = "/etc/secured-web/secrets";
    await web().run(
      `install -d -m 0700 ${FOLDER} && cd ${secrets} && cp app.pem ${FOLDER}/client.pem && cp app.key ${FOLDER}/client.key && cp app.password ${FOLDER}/password`,
    );
    await web().write(`${FOLDER}/ca.pem`, ca);
    const way = `socat UNIX-LISTEN:${FOLDER}/mysql.sock,fork TCP:${database().fqdn}:3306`;
    await web().run(`systemd-run --quiet --unit=proof-way ${way}`);
    const environment: Readonly<Record<string, string>> = {
      SITE_NAME: "www.dev.foobar.com",
      DATABASE_NAME: name,
      DATABASE_SOCKET: `${FOLDER}/mysql.sock`,
      CONNECTION_LIMIT: "2",
      CREDENTIALS_DIRECTORY: FOLDER,
      APP_SOCKET: `${FOLDER}/app.sock`,
      NODE_PATH: "/var/lib/secured-web-modules/node_modules",
    };
    const settings = Object.entries(environment).map(([key, value]) => `--setenv=${key}=${value}`);
    await web().run(`systemd-run --quiet --unit=proof-app ${settings.join(" ")} node ${PROGRAM} serve`);
  }

  /** "200" or "503"; every connection that it holds is cut first, so that it has to verify anew. */
  async function readiness(): Promise<string> {
    await cutConnections(database());
    return web().run(
      `curl -s -m 10 -o /dev/null -w '%{http_code}' --unix-socket ${FOLDER}/app.sock http://localhost/readyz || true`,
    );
  }

  /** db-3 shows a certificate; it takes none whose CA it does not know, so `roots` stand beside its own. */
  async function serve({ certificate, privateKey }: Issued, roots: string): Promise<void> {
    await database().run("install -o mysql -m 0600 /dev/null /etc/mysql/tls/proof.key");
    await database().write("/etc/mysql/tls/proof.key", privateKey);
    await database().write("/etc/mysql/tls/proof.pem", certificate);
    await database().write("/etc/mysql/tls/proof.ca", roots);
    await database().run("cat /etc/mysql/tls/ca.pem >> /etc/mysql/tls/proof.ca");
    await useFiles("proof.ca", "proof.pem", "proof.key");
  }

  async function restoreCertificate(): Promise<void> {
    await useFiles("ca.pem", "server.pem", "server.key");
    await database().run("rm -f /etc/mysql/tls/proof.*");
  }

  async function useFiles(ca: string, certificate: string, key: string): Promise<void> {
    const folder = "/etc/mysql/tls";
    await database().mysql(
      `SET GLOBAL ssl_ca = '${folder}/${ca}', GLOBAL ssl_cert = '${folder}/${certificate}', ` +
        `GLOBAL ssl_key = '${folder}/${key}'; ALTER INSTANCE RELOAD TLS`,
    );
  }
}

async function cutConnections(database: WorldHost): Promise<void> {
  const ids = await database.mysql("SELECT id FROM information_schema.processlist WHERE user = 'app'");
  for (const [id] of ids) await database.mysql(`KILL ${id}`).catch(() => {});
}
