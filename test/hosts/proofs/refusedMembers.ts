/** Who does not get into the replication group: plaintext, and certificates that are not the group's, in each direction. */
import assert from "node:assert/strict";
import { certificateName } from "../../../infra/userdata/certificateName";
import { waitFor } from "../../waitFor";
import { writeRow } from "../checkers/replicated";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";
import { withClientCertificates } from "./clientCertificates";
import { type Issued, TestAuthority } from "./pki";
import { revokeOn } from "./revoked";
import { showCertificate, showOwnCertificate } from "./shownCertificate";

/** START GROUP_REPLICATION tries again every five seconds, for a minute. */
const JOIN_LIMIT = { timeoutMs: 150_000 };
/** mysqld takes no certificate that has expired, so one is shown shortly before. */
const SOON_S = 15;
const ONLINE_MEMBERS =
  "SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE MEMBER_STATE = 'ONLINE'";

interface Wrong {
  readonly certificate: Issued;
  readonly roots: string;
}

export function refusedMembersProof(world: () => World): void {
  const joiner = () => world().host("db-3");
  const members = () => ["db-1", "db-2"].map((name) => world().host(name));
  let internal: TestAuthority;

  before("the joiner leaves", async () => {
    internal = await TestAuthority.of(await world().account.internalCa());
    await joiner().run("systemctl stop secured-web-group.service");
    await leave();
  });

  after("the joiner comes back as it was", async () => {
    for (const host of [joiner(), ...members()]) await showOwnCertificate(host);
    await leave();
    await verifyAsBefore();
    await joiner().run("systemctl start secured-web-group.service");
    await waitFor("it joins with its own certificate", () => world().databaseIsWhole(), {
      within: 120,
      explain: () => world().complaints(),
    });
  });

  it("mysqld refuses a member without TLS, without a certificate, with one of another purpose, and with one that has expired", async () => {
    const asked = { names: [joiner().fqdn], commonName: certificateName("database") };
    const certificates = {
      good: await internal.issue(asked),
      expired: await internal.issue({ ...asked, days: -1 }),
      app: await internal.issue({ ...asked, commonName: certificateName("app") }),
    };
    const password =
      "$(mysql --no-defaults --user=root --batch --skip-column-names --execute " +
      `"SELECT User_password FROM mysql.slave_master_info WHERE Channel_name = 'group_replication_recovery'")`;
    const ask = (tls: string) =>
      joiner().attempt(
        `MYSQL_PWD=${password} mysql --no-defaults --user=replication --host=${members()[0]?.fqdn} ${tls} -e 'SELECT 1'`,
      );
    await withClientCertificates(joiner(), certificates, async (show) => {
      const good = await ask(`--ssl-mode=REQUIRED ${show("good")}`);
      assert.equal(good.code, 0, good.stderr);
      for (const wrong of ["--ssl-mode=DISABLED --get-server-public-key", "--ssl-mode=REQUIRED"])
        assert.match((await ask(wrong)).stderr, /Access denied|insecure transport/, wrong);
      assert.match((await ask(`--ssl-mode=REQUIRED ${show("expired")}`)).stderr, /expired|Lost connection/);
      assert.match((await ask(`--ssl-mode=REQUIRED ${show("app")}`)).stderr, /Access denied/);
    });
  });

  it("the members refuse one that shows an expired certificate, a revoked one, another CA's or another name, and take it with its own", async () => {
    // A member refuses itself where its own certificate is wrong; this one looks at nobody's.
    await verifyNobody();
    await eachIsRefused([joiner()]);
    await leave();
    await verifyAsBefore();
  });

  it("it refuses members that show an expired certificate, a revoked one, another CA's or another name, and takes them with their own", async () => {
    await eachIsRefused(members());
    await leave();
  });

  it("without group_replication_ssl_mode=VERIFY_IDENTITY it takes members of another name; distributed recovery refuses them still", async () => {
    const [first] = members();
    assert.ok(first);
    // Without anything to fetch there would be nobody to connect to.
    await writeRow(first);
    for (const host of members()) await showCertificate(host, await otherName());
    await joiner().mysql("SET GLOBAL group_replication_ssl_mode = REQUIRED");
    await joiner().mysql("START GROUP_REPLICATION", JOIN_LIMIT);
    const error = await waitFor(
      "recovery says why not",
      async () => {
        const [row] = await joiner().mysql(
          "SELECT LAST_ERROR_MESSAGE FROM performance_schema.replication_connection_status WHERE CHANNEL_NAME = 'group_replication_recovery'",
        );
        return row?.[0] || undefined;
      },
      { within: 60 },
    );
    assert.match(error, /certificate verify failed/);
    assert.deepEqual(await members()[0]?.mysql(ONLINE_MEMBERS), [["2"]]);
  });

  /** A member tries to join, during which hosts show one wrong certificate after another, and their own in the end. */
  async function eachIsRefused(shown: readonly WorldHost[]): Promise<void> {
    const other = await TestAuthority.create("another");
    const [revoked = [], ...rest] = await Promise.all([
      wrong(shown, async ({ fqdn }) => internal.issue({ names: [fqdn] })),
      wrong(shown, ({ fqdn }) => other.issue({ names: [fqdn] }), other.certificate),
      wrong(shown, otherName),
    ]);
    await revokeOn(
      [joiner(), ...members()],
      internal,
      revoked.map(({ certificate }) => certificate),
    );
    await showExpired(shown);
    let before = await failures();
    let isLast = false;
    // MySQL gives up after some attempts, on a slow machine before the last certificate. Then the member starts anew.
    const join = async (): Promise<string> => {
      const wasLast = isLast;
      try {
        await joiner().mysql("START GROUP_REPLICATION", JOIN_LIMIT);
        return "it has joined";
      } catch (error) {
        return wasLast ? String(error) : join();
      }
    };
    const ended = join();
    const refused = async (what: string) => {
      await waitFor(what, async () => (await failures()) > before, { within: 40 });
      before = await failures();
      for (const host of members()) assert.deepEqual(await host.mysql(ONLINE_MEMBERS), [["2"]], host.name);
    };
    try {
      await refused("refused: expired");
      // The next attempt is seconds away, so each failure is the one certificate's.
      await show(shown, revoked);
      await refused("refused: revoked");
      await show(shown, rest[0] ?? []);
      await refused("refused: another CA");
      await show(shown, rest[1] ?? []);
      await refused("refused: another name");
      for (const host of shown) await showOwnCertificate(host);
    } finally {
      isLast = true;
    }
    assert.equal(await ended, "it has joined");
  }

  /** mysqld loads no certificate that has expired, so each host loads one that expires soon. */
  async function showExpired(shown: readonly WorldHost[]): Promise<void> {
    let end = 0;
    for (const host of shown) {
      end = Date.now() + SOON_S * 1000;
      await showCertificate(host, await internal.issue({ names: [host.fqdn], days: SOON_S / (24 * 3600) }));
    }
    await waitFor("the certificates' end", async () => Date.now() > end, { within: 2 * SOON_S });
  }

  function wrong(
    shown: readonly WorldHost[],
    issue: (host: WorldHost) => Promise<Issued>,
    roots = "",
  ): Promise<readonly Wrong[]> {
    return Promise.all(shown.map(async (host) => ({ certificate: await issue(host), roots })));
  }

  async function show(shown: readonly WorldHost[], wrong: readonly Wrong[]): Promise<void> {
    await Promise.all(
      shown.map((host, index) => {
        const one = wrong[index];
        return one && showCertificate(host, one.certificate, one.roots);
      }),
    );
  }

  const otherName = () => internal.issue({ names: ["another.internal.test"] });

  /** How often the joiner has said that it could not join. */
  async function failures(): Promise<number> {
    const count = "grep -c 'The member was unable to join the group' /var/log/mysql/error.log || true";
    return Number(await joiner().run(count));
  }

  const leave = () => joiner().mysql("STOP GROUP_REPLICATION", { timeoutMs: 90_000 });
  const verifyNobody = () =>
    joiner().mysql(
      "SET GLOBAL group_replication_ssl_mode = REQUIRED, GLOBAL group_replication_recovery_ssl_ca = '', " +
        "GLOBAL group_replication_recovery_ssl_verify_server_cert = OFF",
    );
  const verifyAsBefore = () =>
    joiner().mysql(
      "SET GLOBAL group_replication_ssl_mode = VERIFY_IDENTITY, " +
        "GLOBAL group_replication_recovery_ssl_ca = '/etc/mysql/tls/ca.pem', " +
        "GLOBAL group_replication_recovery_ssl_verify_server_cert = ON",
    );
}
