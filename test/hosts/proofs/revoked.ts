/** Revoked certificates of the internal CA, on each hop that verifies. */
import assert from "node:assert/strict";
import { revocationOf } from "../../../infra/config/revoked";
import { revocationList } from "../../../infra/releases/revocationList";
import { certificateName } from "../../../infra/userdata/certificateName";
import { waitFor } from "../../waitFor";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";
import { withClientCertificates } from "./clientCertificates";
import { databaseName, healthOf } from "./healthCheck";
import { type Issued, TestAuthority } from "./pki";
import { showCertificate, showOwnCertificate } from "./shownCertificate";

const LISTS = "/etc/secured-web/revoked/lists.pem";
const LOADED = "/run/secured-web/revoked.pem";
const WITHIN_S = 60;

/**
 * Gives hosts a list with these certificates, as their release program takes it from Spaces, and waits until mysqld has
 * loaded it.
 */
export async function revokeOn(
  hosts: readonly WorldHost[],
  authority: TestAuthority,
  issued: readonly Issued[],
): Promise<void> {
  const now = Math.floor(Date.now() / 1000);
  const list = revocationList(
    authority,
    issued.map(({ certificate }) => revocationOf(certificate, now)),
  );
  await Promise.all(
    hosts.map(async (host) => {
      await host.write(LISTS, list);
      if (!(await host.run("test -d /etc/mysql/revoked && echo yes || true"))) return;
      const hasLoaded = async () =>
        (await host.attempt(`cmp ${LISTS} ${LOADED} && cmp ${LISTS} /etc/mysql/revoked/lists.pem`)).code ===
        0;
      const explain = () => host.run("journalctl --unit=secured-web-release --lines=10 --output=cat");
      await waitFor(`mysqld on ${host.name} has loaded the list`, hasLoaded, { within: 30, explain });
    }),
  );
}

export function revokedProof(world: () => World): void {
  const web = () => world().host("web-1");
  const database = () => world().host("db-3");

  it("within a minute, mysqld refuses it and ends its session, applications and health checks refuse a server with it, and no other certificate is refused", async () => {
    const authority = await TestAuthority.of(await world().account.internalCa());
    const asked = { names: ["web-1"], commonName: certificateName("app") };
    const clients = { revoked: await authority.issue(asked), other: await authority.issue(asked) };
    const server = await authority.issue({ names: [database().fqdn, await databaseName(web())] });
    const login = (files: string, statement: string) =>
      "MYSQL_PWD=$(cat /etc/secured-web/secrets/app.password) exec mysql --no-defaults --user=app --ssl-mode=VERIFY_IDENTITY " +
      `--host=${world().host("db-2").fqdn} --ssl-ca=/etc/secured-web/ca.pem ${files} -e '${statement}'`;
    const healthSays = (status: string) =>
      waitFor(`health check: ${status}`, async () => (await healthOf(web(), database())) === status, {
        within: WITHIN_S,
      });
    try {
      await withClientCertificates(web(), clients, async (show) => {
        const ask = (client: keyof typeof clients) => web().attempt(login(show(client), "SELECT 1"));
        for (const client of ["revoked", "other"] as const) assert.equal((await ask(client)).code, 0, client);
        await showCertificate(database(), server);
        await healthSays("trusted");
        // A session that outlives an application's own: nobody would close it.
        const session = web().attempt(login(show("revoked"), "SELECT SLEEP(170)"));
        const isOpen = async () => (await sleeping(world().host("db-2"))) === 1;
        await waitFor("the session", isOpen, { within: 10 });
        const begun = Date.now();
        await revokeOn(world().hosts, authority, [clients.revoked, server]);
        assert.match((await ask("revoked")).stderr, /certificate revoked|Lost connection/i);
        assert.equal((await ask("other")).code, 0);
        await healthSays("refused");
        assert.match((await session).stderr, /Lost connection|Query execution was interrupted/);
        const seconds = (Date.now() - begun) / 1000;
        assert.ok(seconds < WITHIN_S, `it took ${seconds} s`);
        assert.equal(
          (await world().client.get("/readyz")).status,
          200,
          "the site goes on with other members",
        );
      });
    } finally {
      await showOwnCertificate(database());
    }
    await healthSays("trusted");
  });
}

async function sleeping(host: WorldHost): Promise<number> {
  const [row] = await host.mysql(
    "SELECT COUNT(*) FROM performance_schema.processlist WHERE USER = 'app' AND INFO LIKE 'SELECT SLEEP%'",
  );
  return Number(row?.[0]);
}
