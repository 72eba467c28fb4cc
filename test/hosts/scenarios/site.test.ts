import assert from "node:assert/strict";
import { waitFor } from "../../waitFor";
import { useWorld } from "../world/useWorld";
import type { WorldHost } from "../world/worldHost";

/** systemd-analyze security's figure: 0 is safe, 10 is not. */
const HIGHEST_EXPOSURE = 3.0;
const OWN_UNITS = [
  ...["nginx", "haproxy", "mysql", "secured-web-app", "secured-web-health"],
  ...["secured-web-modules", "secured-web-peers", "secured-web-group"],
];

describe("the site on running hosts", function () {
  this.timeout(180_000);
  const world = useWorld();
  const first = () => world().host("node-1");
  /** Asks the nginx of a host, from that host: by the site's name, whatever its certificate says. */
  const atHost = (path: string, more = "") =>
    `curl --silent --insecure --max-time 20 ${more} --resolve ${world().client.site}:443:127.0.0.1 https://${world().client.site}${path}`;

  it("answers through the load balancer with HSTS and the security headers, and shows what it was given", async () => {
    assert.equal((await world().client.postNote("first note")).status, 201);
    // The next request may go to another host, whose database has the note a moment later.
    const { headers } = await waitFor(
      "the page with the note",
      async () => {
        const page = await world().client.get("/");
        return page.status === 200 && page.body.includes("first note") && page;
      },
      { within: 30 },
    );
    assert.match(headers.get("strict-transport-security") ?? "", /^max-age=\d+/);
    assert.match(headers.get("content-security-policy") ?? "", /default-src 'none'/);
    assert.equal(headers.get("x-content-type-options"), "nosniff");
  });

  it("redirects http to https", async () => {
    const { status, headers } = await world().client.curl(`http://${world().client.site}/`);
    assert.equal(Math.floor(status / 100), 3);
    assert.match(headers.get("location") ?? "", /^https:\/\//);
  });

  it("nginx speaks HTTP/2 over TLS 1.2 and 1.3, nothing older, and answers no other name", async () => {
    const version = "--output /dev/null --write-out '%{http_version} %{http_code}'";
    assert.equal(await first().run(atHost("/", `${version} --http2 --tls-max 1.2`)), "2 200");
    assert.equal(await first().run(atHost("/", `${version} --http2 --tlsv1.3`)), "2 200");
    const old = await first().attempt(
      `${atHost("/", "--tls-max 1.1 --tlsv1.0")} --ciphers DEFAULT@SECLEVEL=0`,
    );
    assert.equal(old.code, 35, "curl's number for a handshake that failed");
    const other = "curl -sk -o /dev/null -w '%{http_code}' -H 'Host: other.example' https://127.0.0.1/";
    assert.equal(await first().run(other), "421");
  });

  it("nginx shows a certificate of the internal CA for its host's own name, which another CA does not verify", async () => {
    const name = first().fqdn;
    const ask = (trust: string) =>
      first().attempt(
        `curl --silent ${trust} --resolve ${name}:443:127.0.0.1 --output /dev/null https://${name}/`,
      );
    assert.equal((await ask("--cacert /etc/secured-web/ca.pem")).code, 0);
    assert.equal((await ask("")).code, 60, "curl's number for a certificate that is not verified");
  });

  it("the status page is on loopback alone", async () => {
    const ask = (address: string) =>
      first().attempt(`curl --silent --max-time 3 http://${address}:8081/nginx_status`);
    assert.match((await ask("127.0.0.1")).stdout, /Active connections/);
    for (const address of [first().privateIp, first().publicIp]) assert.equal((await ask(address)).code, 7);
  });

  it("tells alive from ready: without a writable database it is alive and not ready", async () => {
    const status = (path: string) => first().run(atHost(path, "-o /dev/null -w '%{http_code}'"));
    assert.deepEqual([await status("/healthz"), await status("/readyz")], ["200", "200"]);
    await first().run("systemctl stop haproxy.service");
    try {
      assert.equal(await status("/healthz"), "200");
      await waitFor("not ready", async () => (await status("/readyz")) === "503", { within: 30 });
    } finally {
      await first().run("systemctl start haproxy.service");
    }
    await waitFor("ready again", async () => (await status("/readyz")) === "200", { within: 30 });
  });

  it("a request under way ends well while the application restarts; without the graceful stop it is cut", async () => {
    assert.match(await answerDuring(GRACEFULLY), / 201$/);
    await first().waitForUnit("secured-web-app.service");
    assert.match(await answerDuring(AT_ONCE), / 502$/);
    await first().waitForUnit("secured-web-app.service");
  });

  const post = (text: string) =>
    atHost("/api/notes", `--write-out ' %{http_code}' --json '{"text":"${text}"}'`);
  const GRACEFULLY = `systemctl restart --no-block secured-web-app.service
    until [ "$(systemctl show --property=ActiveState --value secured-web-app.service)" = deactivating ]; do
      kill -0 $note || break
    done`;
  const AT_ONCE = "systemctl kill --signal=KILL secured-web-app.service";

  /**
   * The answer to a note that waits for its table while the application ends in some way. On a slow machine the lock or
   * the note can end before this script sees it. Then nothing has been ended yet, and another note is sent.
   */
  async function answerDuring(ending: string): Promise<string> {
    const { code, stdout, stderr } = await waitFor(
      "a note under way at the application's own member",
      async () => {
        if (!(await first().run(post("where"))).includes(`"databaseHost":"${first().fqdn}"`))
          return undefined;
        const output = await first().attempt(whileANoteWaits(ending));
        return output.code === ENDED_BEFORE ? undefined : output;
      },
      { within: 80 },
    );
    assert.equal(code, 0, stderr);
    return stdout.trim();
  }
  const ENDED_BEFORE = 9;

  /** A script that sends a note, which waits for its table, and ends the application in some way meanwhile. */
  function whileANoteWaits(ending: string): string {
    return `set -e
      sql() { mysql --no-defaults --socket=/run/mysqld/mysqld.sock --user=root --skip-column-names --execute "$1"; }
      running() { sql "SELECT MAX(ID) FROM performance_schema.processlist WHERE INFO LIKE '$1'"; }
      sql "LOCK TABLES app.notes WRITE; DO SLEEP(30)" 2> /dev/null &
      holder=$!
      until lock=$(running 'DO SLEEP(30)') && [ "$lock" != NULL ]; do
        kill -0 $holder || exit ${ENDED_BEFORE}
      done
      ${post("under way")} > /tmp/answer &
      note=$!
      until [ "$(running 'INSERT INTO notes%')" != NULL ]; do
        kill -0 $note || { sql "KILL $lock"; exit ${ENDED_BEFORE}; }
      done
      ${ending}
      sql "KILL $lock"
      wait $note
      cat /tmp/answer`;
  }
});

describe("a running host's own house", function () {
  this.timeout(180_000);
  const world = useWorld();
  const first = () => world().host("node-1");

  it("cloud-init is done on every host without an error or a warning, and no unit has failed", async () => {
    for (const host of world().hosts) {
      const said = JSON.parse(await host.run("cloud-init status --format json"));
      assert.deepEqual(
        [said.status, said.extended_status, said.errors, said.recoverable_errors],
        ["done", "done", [], {}],
        host.name,
      );
      assert.equal(await host.complaints(), "");
    }
  });

  it(`our units' exposure is at most ${HIGHEST_EXPOSURE}; without its settings one is above it`, async () => {
    const exposed = (unit: string) =>
      first().attempt(
        `systemd-analyze security --no-pager --threshold=${HIGHEST_EXPOSURE * 10} ${unit}.service`,
      );
    for (const unit of OWN_UNITS) {
      const { code, stdout } = await exposed(unit);
      assert.equal(code, 0, `${unit}: ${stdout.trim().split("\n").at(-1)}`);
    }
    const folder = "/etc/systemd/system/nginx.service.d";
    await first().run(`mv ${folder}/secured-web.conf /root/ && systemctl daemon-reload`);
    try {
      assert.notEqual((await exposed("nginx")).code, 0);
    } finally {
      await first().run(`mv /root/secured-web.conf ${folder}/ && systemctl daemon-reload`);
    }
  });

  it("what serves runs as a user of its own", async () => {
    const users = async (host: WorldHost, pattern: string) => {
      const all = await host.run(`ps -o user:32= -p "$(pgrep -d, -f '${pattern}')" | sort -u`);
      return all.split("\n").map((user) => user.trim());
    };
    assert.deepEqual(await users(first(), "^/usr/sbin/mysqld"), ["mysql"]);
    assert.deepEqual(await users(first(), "^/usr/bin/node .*main.js serve"), ["secured-web-app"]);
    assert.deepEqual(await users(first(), "^/usr/bin/node .*main.js health"), ["secured-web-health"]);
    assert.deepEqual(await users(first(), "^nginx: worker"), ["www-data"]);
    assert.deepEqual(await users(first(), "^/usr/bin/python3 .*group.py"), ["secured-web-group"]);
  });

  it("the metadata address, which serves the user data, answers root alone", async () => {
    const ask = (user: string) =>
      first().attempt(
        `runuser -u ${user} -- curl --silent --max-time 2 http://169.254.169.254/metadata/v1/id`,
      );
    const id = String(first().identity.dropletId);
    assert.equal((await ask("root")).stdout, id);
    for (const user of ["www-data", "mysql", "secured-web-app", "nobody"]) {
      assert.equal((await ask(user)).stdout, "", user);
    }
    // Without the packet filter everybody gets it: the look can tell.
    await first().run("nft delete table inet secured_web");
    try {
      assert.equal((await ask("nobody")).stdout, id);
    } finally {
      await first().run("systemctl restart nftables.service && systemctl restart secured-web-peers.service");
    }
    assert.equal((await ask("nobody")).stdout, "");
  });

  it("logs rotate, and every program goes on in its new file", async () => {
    await world().client.get("/");
    await first().run("logrotate --force /etc/logrotate.conf");
    const open = async (pattern: string) =>
      first().run(`ls -l /proc/$(pgrep -o -f '${pattern}')/fd | grep -o '/var/log/.*' | sort -u`);
    await waitFor(
      "mysqld",
      async () => (await open("^/usr/sbin/mysqld")) === "/var/log/mysql/error.log\n/var/log/mysql/slow.log",
      {
        within: 15,
      },
    );
    await waitFor(
      "nginx",
      async () => (await open("^nginx: master")) === "/var/log/nginx/access.log\n/var/log/nginx/error.log",
      {
        within: 15,
      },
    );
  });

  it("the journal keeps its limits, SSH takes keys alone, upgrades and time are set", async () => {
    const journal = await first().run(
      "systemd-analyze cat-config systemd/journald.conf | grep -E '^SystemMaxUse|^Storage'",
    );
    assert.match(journal, /^Storage=persistent$/m);
    assert.match(journal, /^SystemMaxUse=500M$/m);
    const ssh = await first().run("sshd -T");
    for (const line of [
      "passwordauthentication no",
      "permitrootlogin without-password",
      "authenticationmethods publickey",
    ])
      assert.match(ssh, new RegExp(`^${line}$`, "m"));
    const apt = await first().run("apt-config dump");
    assert.match(apt, /^APT::Periodic::Unattended-Upgrade "1";$/m);
    // A host of the sandbox cannot set this machine's clock, so chronyd does not run: its configuration is read by itself.
    assert.match(await first().run("chronyd -p"), /^sourcedir \/etc\/chrony\/sources\.d$/m);
    assert.match(await first().run("cat /etc/chrony/sources.d/*.sources"), /^pool pool\.ntp\.org iburst/m);
  });
});
