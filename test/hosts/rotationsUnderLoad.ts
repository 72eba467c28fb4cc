/**
 * Rotations on a running stack, by the command that an operator types, while visitors write and read through the load
 * balancer: no request fails, every acknowledged note is on every member exactly once, a second update changes nothing,
 * and what was rotated away is refused afterwards. It is too long for `npm test`, so it is run by itself:
 *
 *     npm test -- test/hosts/rotationsUnderLoad.ts
 */
import assert from "node:assert/strict";
import { Sandbox, waitForLine } from "../e2e/sandbox";
import { inOrder } from "../inOrder";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { SandboxOnHosts } from "./sandboxOnHosts";

const TOPOLOGIES = {
  separated: { web: ["web-1", "web-2"], database: ["db-1", "db-2", "db-3"] },
  converged: { web: ["node-1", "node-2", "node-3"], database: ["node-1", "node-2", "node-3"] },
};
const TIMES = 3;
const LINE_WITHIN_MS = 10 * 60_000;
const TLS = "/etc/mysql/tls";
/** On database hosts: the application's key pair as it is, and as it was before a rotation. */
const OWN = "/root/own";
const FORMER = "/root/former";

for (const [topology, { web, database }] of Object.entries(TOPOLOGIES)) {
  const all = [...new Set([...web, ...database])];

  describe(`rotations on a running stack, ${topology}`, function () {
    this.timeout(30 * 60_000);
    inOrder();
    let live: SandboxOnHosts;
    const settings = new Map([["topology", topology]]);
    const times: string[] = [];

    const configured = () =>
      [...settings].flatMap(([name, value]) => ["--config", `secured-web:${name}=${value}`]);
    const exec = (host: string, ...command: string[]) => live.exec(host, ...command);
    const sql = async (host: string, statement: string) =>
      (await exec(host, "mysql", "-BNe", statement)).trim();
    const rotate = (what: string) => live.must("rotate", "dev", what, ...configured());
    const passwordOf = async (host: string, user: string) =>
      (await exec(host, "cat", `/etc/secured-web/secrets/${user}.password`)).trim();

    async function underLoad(what: string, work: () => Promise<unknown>): Promise<void> {
      const { seconds, requests } = await live.underLoad(database, work);
      times.push(
        `${what.padEnd(34)} ${seconds.toFixed(1).padStart(6)} s ${String(requests).padStart(7)} requests`,
      );
      assert.match(await live.must("up", "dev", ...configured()), /✔ Update: \d+ unchanged\n/);
    }

    /** Copies the application's key pair to the database hosts, which have MySQL's client. */
    async function copyPair(folder: string): Promise<void> {
      for (const name of ["app.pem", "app.key"]) {
        const text = await exec(web[0] ?? "", "cat", `/etc/secured-web/secrets/${name}`);
        for (const host of database) await live.write(host, `${folder}/${name}`, text);
      }
    }

    /** Why a member refuses a client on another one, which has the application's key pair; "" if it accepts. */
    function refusal(member: string, user: string, password: string, folder = OWN): Promise<string> {
      const host = database.find((one) => one !== member) ?? "";
      return live.refusal(member, { host, user, password, pair: `${folder}/app` });
    }

    /** All accounts with their passwords, options and privileges, as a member has them. */
    async function accountsOf(host: string): Promise<string> {
      const users = await sql(
        host,
        "SELECT CONCAT('\\'', User, '\\'@\\'', Host, '\\'') FROM mysql.user WHERE User NOT LIKE 'mysql.%' ORDER BY 1",
      );
      const shows = users.split("\n").map((user) => `SHOW CREATE USER ${user}; SHOW GRANTS FOR ${user}`);
      return sql(host, shows.join("; "));
    }

    async function membersAgree(): Promise<string> {
      const [first, ...others] = await Promise.all(database.map(accountsOf));
      assert.ok(first);
      for (const [index, other] of others.entries())
        assert.equal(other, first, `accounts of ${database[index + 1]}`);
      return first;
    }

    before(async function () {
      await skipWithoutHosts(this);
      live = new SandboxOnHosts(await Sandbox.make());
      await live.must("start", "--yes", ...configured());
      const [first = ""] = database;
      await waitFor(
        "the accounts' records",
        async () =>
          Number(
            (
              await live.run(
                "sandbox",
                "exec",
                first,
                "mysql",
                "-BNe",
                "SELECT COUNT(*) FROM secured_web.accounts",
              )
            ).stdout,
          ) > 3,
        {
          within: 180,
          every: 3,
          explain: () => exec(first, "journalctl", "-u", "secured-web-release", "-n", "30"),
        },
      );
    });
    after(async () => {
      await live?.sandbox.remove();
      console.log(
        `      ${[`${topology}: 0 requests failed, 0 notes lost or doubled`, ...times].join("\n      ")}`,
      );
    });

    for (let time = 1; time <= TIMES; time++) {
      it(`passwords, ${time}`, async () => {
        const [host = ""] = web;
        const users = ["app", "health"];
        const former = await Promise.all(users.map((user) => passwordOf(host, user)));
        await underLoad(`passwords, ${time}`, () => rotate("passwords"));
        await copyPair(OWN);
        for (const [index, user] of users.entries()) {
          const old = former[index] ?? "";
          const now = await passwordOf(host, user);
          assert.notEqual(now, old);
          for (const member of database) {
            assert.equal(await refusal(member, user, now), "", `${user} at ${member}`);
            assert.match(await refusal(member, user, old), /Access denied/);
          }
        }
        await membersAgree();
      });
    }

    it("passwords, interrupted in each update, and given again", async () => {
      const [host = ""] = web;
      const former = await passwordOf(host, "app");
      await underLoad("passwords, interrupted three times", async () => {
        for (const update of [1, 2, 3]) {
          const running = live.start("rotate", "dev", "passwords", ...configured());
          // In the middle of the update: a host has its turn.
          const turn = new RegExp(`- Update ${update} of 3:.*?: has not applied the release yet`, "s");
          await waitForLine(running, turn, LINE_WITHIN_MS);
          running.child.kill("SIGINT");
          assert.equal((await running.ended).exitCode, 130);
        }
        await rotate("passwords");
      });
      assert.notEqual(await passwordOf(host, "app"), former);
      await copyPair(OWN);
      for (const member of database) assert.match(await refusal(member, "app", former), /Access denied/);
    });

    const serials = () =>
      Promise.all(
        all.map(async (host) => {
          const paths = ["/etc/mysql/tls/server.pem", "/etc/nginx/tls/server.pem"];
          const script = `for file in ${paths.join(" ")}; do test ! -e $file || openssl x509 -noout -serial -in $file; done`;
          return (await exec(host, "bash", "-c", script)).trim();
        }),
      );

    for (let time = 1; time <= TIMES; time++) {
      it(`the hosts' certificates, ${time}`, async () => {
        const before = await serials();
        await copyPair(FORMER);
        const password = await passwordOf(web[0] ?? "", "app");
        await underLoad(`certificates, ${time}`, () => rotate("certificates"));
        for (const [index, serial] of (await serials()).entries()) {
          assert.match(serial, /^serial=/);
          assert.notEqual(serial, before[index], all[index]);
        }
        await copyPair(OWN);
        for (const member of database) {
          assert.equal(await refusal(member, "app", password), "", member);
          const revoked = async () =>
            /certificate revoked|Lost connection/i.test(await refusal(member, "app", password, FORMER));
          await waitFor(`${member} refuses the former certificate`, revoked, { within: 60 });
        }
      });
    }

    for (let time = 1; time <= TIMES; time++) {
      it(`the internal CA, ${time}`, async () => {
        const [host = ""] = web;
        await copyPair(FORMER);
        const password = await passwordOf(host, "app");
        for (const member of database) assert.equal(await refusal(member, "app", password, FORMER), "");
        await underLoad(`CA, ${time}`, () => rotate("ca"));
        await copyPair(OWN);
        for (const member of database) {
          assert.equal(await refusal(member, "app", password), "", member);
          assert.match(
            await refusal(member, "app", password, FORMER),
            /SSL|TLS|certificate|Lost connection/i,
          );
          assert.equal((await exec(member, "grep", "-c", "BEGIN", `${TLS}/ca.pem`)).trim(), "1");
        }
      });
    }

    it("a member without the binary logs of the others is replaced, and monitoring begins in the same update", async () => {
      const replaced = database.at(-1) ?? "";
      const before = await membersAgree();
      assert.ok(!before.includes("dd-agent"));
      for (const host of database) {
        const [log] = (await sql(host, "FLUSH BINARY LOGS; SHOW BINARY LOG STATUS")).split("\t");
        await sql(host, `PURGE BINARY LOGS TO '${log}'`);
      }
      settings.set("monitoring", "datadog");
      await underLoad("replace, without binary logs", async () => {
        await live.must("replace", "dev", replaced, ...configured());
        await live.must("up", "dev", ...configured());
      });
      const now = await membersAgree();
      assert.match(now, /GRANT PROCESS, REPLICATION CLIENT ON \*\.\* TO `dd-agent`@`localhost`/);
      const withoutAgent = (text: string) => text.split("\n").filter((line) => !line.includes("dd-agent"));
      assert.deepEqual(withoutAgent(now), withoutAgent(before));
      const fetched = await sql(
        replaced,
        "SELECT COUNT(*) FROM performance_schema.clone_status WHERE STATE = 'Completed'",
      );
      assert.equal(fetched, "1", "it had to clone");
    });
  });
}
