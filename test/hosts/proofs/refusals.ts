/** Who is refused on the hops that verify, in a stack with separated roles; and where nobody is, that it is so. */
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { certificateName } from "../../../infra/userdata/certificateName";
import { waitFor } from "../../waitFor";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";
import { withClientCertificates } from "./clientCertificates";
import { databaseName, healthOf } from "./healthCheck";
import { type Issued, TestAuthority } from "./pki";
import { showCertificate, showExpiringCertificate, showOwnCertificate } from "./shownCertificate";

const PROGRAM = "/usr/local/lib/secured-web/app/main.js";
const FOLDER = "/run/proof-app";

/** What the application and the health check say of a server that they refuse: the texts of OpenSSL and Node.js. */
const REASONS = {
  "wrong CA": /self-signed certificate|unable to (verify|get)/,
  "wrong name": /does not match certificate's altnames/,
  expired: /certificate has expired/,
};

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

  it("web to database: mysqld refuses a client without a certificate, with one of another CA or another purpose, and with one that has expired", async () => {
    const asked = { names: ["web-1"], commonName: certificateName("app") };
    const internal = await TestAuthority.of(await world().account.internalCa());
    const certificates = {
      stranger: await (await TestAuthority.create("another")).issue(asked),
      good: await internal.issue(asked),
      expired: await internal.issue({ ...asked, days: -1 }),
      database: await internal.issue({ ...asked, commonName: certificateName("database") }),
    };
    const ask = (files: string) =>
      web().attempt(
        "MYSQL_PWD=$(cat /etc/secured-web/secrets/app.password) mysql --no-defaults --user=app --ssl-mode=VERIFY_IDENTITY " +
          `--host=${database().fqdn} --ssl-ca=/etc/secured-web/ca.pem ${files} -e 'SELECT 1'`,
      );
    await withClientCertificates(web(), certificates, async (show) => {
      assert.equal((await ask(show("good"))).code, 0);
      assert.match((await ask("")).stderr, /Access denied/);
      assert.match((await ask(show("stranger"))).stderr, /unknown ca|Lost connection/i);
      assert.match((await ask(show("expired"))).stderr, /expired|Lost connection/i);
      assert.match((await ask(show("database"))).stderr, /Access denied/);
      // The release program would set the account right again.
      await database().run("systemctl stop secured-web-release.service");
      try {
        await requireOfApp("X509");
        assert.equal(
          (await ask(show("database"))).code,
          0,
          "an account that takes any certificate of the CA",
        );
      } finally {
        await requireOfApp(`SUBJECT '/CN=${certificateName("app")}'`);
        await database().run("systemctl start secured-web-release.service");
      }
    });
  });

  it("web to database: the application and the health check refuse a server with a wrong CA, a wrong name or an expired certificate, and say so; one that does not verify takes it", async () => {
    const name = await databaseName(web());
    const names = [database().fqdn, name];
    const internal = await TestAuthority.of(await world().account.internalCa());
    const other = await TestAuthority.create("another");
    const bad = {
      "wrong CA": [await other.issue({ names }), other.certificate],
      "wrong name": [await internal.issue({ names: ["another.internal.test"] }), ""],
    } as const;
    await startApplication(name);
    const both = async () => `${await readiness()} ${await healthOf(web(), database())}`;
    const arrive = (what: string, wanted: string) =>
      waitFor(what, async () => (await both()) === wanted, { within: 60, explain: both });
    try {
      await arrive("the application is ready", "200 trusted");
      for (const [what, [certificate, roots]] of Object.entries(bad)) {
        await showCertificate(database(), certificate, roots);
        await arrive(`not ready: ${what}`, "503 refused");
        await saysWhy(what as keyof typeof bad);
      }
      const isAccepted = async () => (await both()) === "200 trusted";
      await showExpiringCertificate(database(), internal, names, isAccepted);
      await arrive("not ready: expired", "503 refused");
      await saysWhy("expired");
      assert.equal(
        (await world().client.get("/readyz")).status,
        200,
        "the site goes on with the other members",
      );
      await trustEverybody();
      await arrive("an application that verifies nothing is ready", "200 refused");
      await showOwnCertificate(database());
      await arrive("ready again", "200 trusted");
    } finally {
      await web().run(`systemctl stop proof-app.service proof-way.service; rm -rf ${FOLDER}`);
      await showOwnCertificate(database());
    }
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

  it("client to load balancer: plaintext is refused, and a client refuses another authority's certificate, another name, and one that has expired", async () => {
    const { site } = world().client;
    const curl = async (...args: string[]) =>
      (await world().client.run("curl", ["-s", "-o", "/dev/null", "-m", "20", ...args])).code;
    const { rootsFile } = world().provider.certificates;
    const page = `https://${site}/`;
    const other = ["--resolve", `other.test:443:${world().loadBalancerIp}`, "https://other.test/"];
    // curl(1), EXIT CODES: 52, nothing was returned; 60, the peer's certificate cannot be authenticated.
    assert.equal(await curl(`http://${site}:443/`), 52);
    assert.equal(await curl("--cacert", rootsFile, page), 0);
    assert.equal(await curl(page), 60, "another authority");
    assert.equal(await curl("--cacert", rootsFile, ...other), 60, "another name");
    const authority = await TestAuthority.create("the site's authority");
    const own = join(world().instance.dir, "proof-roots.pem");
    await writeFile(own, authority.certificate);
    try {
      await serveAtBalancer(await authority.issue({ names: [site] }));
      assert.equal(await curl("--cacert", own, page), 0);
      await serveAtBalancer(await authority.issue({ names: [site], days: -1 }));
      assert.equal(await curl("--cacert", own, page), 60, "expired");
      assert.equal(await curl("--insecure", page), 0, "only the check of the dates refuses it");
    } finally {
      await serveAtBalancer(undefined);
      await rm(own);
    }
    assert.equal(await curl("--cacert", rootsFile, page), 0);
  });

  /** The load balancer serves a certificate from now on, past the API, which would not take each; or its own again. */
  async function serveAtBalancer(issued: Issued | undefined): Promise<void> {
    const path = "load_balancers";
    const { load_balancers } = await world().account.call<{ load_balancers: { id: string }[] }>("GET", path);
    const haproxy = world().provider.balancers.haproxy(load_balancers[0]?.id ?? "");
    const [file] = (await haproxy.ask("show ssl cert")).split("\n").filter((line) => line.endsWith(".pem"));
    assert.ok(file, "the load balancer has no certificate");
    const pem = issued ? issued.certificate + issued.privateKey : await readFile(file, "utf8");
    // HAProxy's management guide, 9.3: a payload ends with an empty line.
    const lines = pem.split("\n").filter((line) => line !== "");
    assert.match(await haproxy.ask(`set ssl cert ${file} <<\n${lines.join("\n")}\n`), /transaction/i);
    assert.match(await haproxy.ask(`commit ssl cert ${file}`), /Success/i);
  }

  async function requireOfApp(what: string): Promise<void> {
    const name = "CONCAT('\\'app\\'@\\'', Host, '\\'')";
    const [[account] = []] = await database().mysql(`SELECT ${name} FROM mysql.user WHERE User = 'app'`);
    await database().mysql(`SET SESSION sql_log_bin = 0; ALTER USER ${account} REQUIRE ${what}`);
  }

  /** The application once more, as it is, beside the real one: it knows one database host alone. */
  async function startApplication(name: string): Promise<void> {
    const secrets = "/etc/secured-web/secrets";
    await web().run(
      `install -d -m 0700 ${FOLDER} && cd ${secrets} && cp app.pem ${FOLDER}/client.pem && cp app.key ${FOLDER}/client.key &&
       cp app.password ${FOLDER}/password && cp ../ca.pem ${FOLDER}/ca.pem && cp ${PROGRAM} ${FOLDER}/main.js`,
    );
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
    const restarts = `--property=ExecStartPre='/bin/rm -f ${FOLDER}/app.sock'`;
    await web().run(
      `systemd-run --quiet --unit=proof-app ${restarts} ${settings.join(" ")} node ${FOLDER}/main.js serve`,
    );
  }

  /** Takes the check of the server's certificate out of that application. */
  async function trustEverybody(): Promise<void> {
    const found = await web().run(`grep -c 'rejectUnauthorized:!0' ${FOLDER}/main.js`);
    assert.equal(found, "1", "the place where the application verifies has another form");
    await web().run(
      `sed -i 's/rejectUnauthorized:!0,verifyIdentity:!0/rejectUnauthorized:!1,verifyIdentity:!1/' ${FOLDER}/main.js &&
       systemctl restart proof-app.service`,
    );
  }

  /** "200" or "503"; every connection to the database is cut first, so that it has to be verified anew. */
  async function readiness(): Promise<string> {
    await cutConnections(database());
    return web().run(
      `curl -s -m 10 -o /dev/null -w '%{http_code}' --unix-socket ${FOLDER}/app.sock http://localhost/readyz || true`,
    );
  }

  /** The journals have the reason. */
  async function saysWhy(what: keyof typeof REASONS): Promise<void> {
    const said = async (unit: string) =>
      (await web().run(`journalctl --unit=${unit} --output=cat --no-pager --lines=10`)).split("\n");
    for (const [unit, word] of [
      ["proof-app.service", "not ready"],
      ["secured-web-health.service", "refused: "],
    ] as const) {
      const last = async () => (await said(unit)).findLast((line) => line.includes(word)) ?? "";
      await waitFor(`${unit} says why`, async () => REASONS[what].test(await last()), {
        within: 20,
        explain: last,
      });
    }
    const supervisor = () => world().host("db-1").run("cat /run/secured-web-group/status.json");
    const refused = async () => (await supervisor()).includes("SSL connection error");
    await waitFor("the supervisor says why", refused, { within: 20, explain: supervisor });
  }
}

async function cutConnections(database: WorldHost): Promise<void> {
  const ids = await database.mysql(
    "SELECT id FROM information_schema.processlist WHERE user IN ('app', 'health')",
  );
  for (const [id] of ids) await database.mysql(`KILL ${id}`).catch(() => {});
}
