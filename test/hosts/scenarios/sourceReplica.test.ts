/**
 * One source with replicas, which production refuses. It boots three more hosts (200 s), so it is a long form:
 *
 *     SECURED_WEB_LONG_TESTS=1 npm test -- test/hosts/scenarios/sourceReplica.test.ts
 */
import assert from "node:assert/strict";
import { longDescribe } from "../../longTests";
import { waitFor } from "../../waitFor";
import { everyAcknowledged } from "../checkers/acknowledged";
import { members } from "../checkers/members";
import { hostsWithout, writeRow } from "../checkers/replicated";
import { TestAuthority } from "../proofs/pki";
import { showCertificate, showExpiringCertificate, showOwnCertificate } from "../proofs/shownCertificate";
import { useOwnWorld } from "../world/useWorld";
import type { WorldHost } from "../world/worldHost";

longDescribe("source and replicas on running hosts", function () {
  this.timeout(10 * 60_000);
  const world = useOwnWorld({ config: { replication: "source-replica" } });
  const source = () => world().host("node-1");
  const replicas = () => [world().host("node-2"), world().host("node-3")];

  it("replicates what the source and the site write", async () => {
    assert.deepEqual(await hostsWithout(await writeRow(source()), replicas()), []);
    const text = `by the site ${process.hrtime.bigint()}`;
    assert.equal((await world().client.postNote(text)).status, 201);
    assert.deepEqual(await hostsWithout(text, world().hosts), []);
  });

  it("replicates over TLS: the source sees both replicas with encrypted connections, and none without", async () => {
    const kinds = await source().mysql(
      "SELECT CONNECTION_TYPE FROM performance_schema.threads WHERE PROCESSLIST_USER = 'replication'",
    );
    assert.deepEqual(kinds.flat(), ["SSL/TLS", "SSL/TLS"]);
    const [replica] = replicas();
    assert.ok(replica);
    try {
      await changeSource(replica, "SOURCE_SSL = 0");
      assert.match(await outcome(replica), /Access denied|insecure transport/);
    } finally {
      await changeSource(replica, "SOURCE_SSL = 1");
      assert.equal(await outcome(replica), "connected");
    }
  });

  it("a replica verifies the source's name; one that does not is let through by the same look", async () => {
    const [replica] = replicas();
    assert.ok(replica);
    await replica.run(`echo '${source().privateIp} other.internal' >> /etc/hosts`);
    try {
      await changeSource(replica, "SOURCE_HOST = 'other.internal', SOURCE_AUTO_POSITION = 1");
      assert.match(await outcome(replica), /certificate/i);
      await changeSource(replica, "SOURCE_SSL_VERIFY_SERVER_CERT = 0");
      assert.equal(await outcome(replica), "connected");
    } finally {
      await changeSource(
        replica,
        `SOURCE_HOST = '${source().fqdn}', SOURCE_AUTO_POSITION = 1, SOURCE_SSL_VERIFY_SERVER_CERT = 1`,
      );
      await replica.run("sed -i '/other.internal/d' /etc/hosts");
    }
    assert.equal(await outcome(replica), "connected");
  });

  it("a replica refuses a source of another CA, and one whose certificate has expired; one that looks at neither is let through", async () => {
    const [replica] = replicas();
    assert.ok(replica);
    const again = () => changeSource(replica, "SOURCE_SSL = 1");
    const names = [source().fqdn];
    const other = await TestAuthority.create("another");
    const internal = await TestAuthority.of(await world().account.internalCa());
    try {
      await showCertificate(source(), await other.issue({ names }), other.certificate);
      await again();
      assert.match(await outcome(replica), /certificate verify failed/);
      await showExpiringCertificate(source(), internal, names, async () => {
        await again();
        return (await outcome(replica)) === "connected";
      });
      await again();
      assert.match(await outcome(replica), /certificate verify failed/);
      await changeSource(replica, "SOURCE_SSL_CA = '', SOURCE_SSL_VERIFY_SERVER_CERT = 0");
      assert.equal(await outcome(replica), "connected");
    } finally {
      await showOwnCertificate(source());
      const verify = "SOURCE_SSL_CA = '/etc/mysql/tls/ca.pem', SOURCE_SSL_VERIFY_SERVER_CERT = 1";
      await changeSource(replica, verify);
    }
    assert.equal(await outcome(replica), "connected");
  });

  it("replicas refuse writes, root's too; without super_read_only one takes them", async () => {
    for (const replica of replicas()) await assert.rejects(writeRow(replica), /super-read-only/);
    const [replica] = replicas();
    assert.ok(replica);
    await replica.mysql("SET GLOBAL super_read_only = OFF");
    try {
      const text = await writeRow(replica, "SET SESSION sql_log_bin = 0");
      await replica.mysql(`SET SESSION sql_log_bin = 0; DELETE FROM app.notes WHERE text = '${text}'`);
    } finally {
      await replica.mysql("SET GLOBAL super_read_only = ON");
    }
  });

  it("an acknowledged note may be on the source alone: what a group does not let happen, the checker sees", async () => {
    for (const replica of replicas()) await replica.mysql("STOP REPLICA SQL_THREAD");
    const text = `on the source alone ${process.hrtime.bigint()}`;
    try {
      assert.equal((await world().client.postNote(text)).status, 201);
      const { verdict, missing } = await everyAcknowledged([text], world().hosts);
      assert.deepEqual([verdict, Object.keys(missing)], ["lost", ["node-2", "node-3"]]);
    } finally {
      for (const replica of replicas()) await replica.mysql("START REPLICA SQL_THREAD");
    }
    assert.deepEqual(await hostsWithout(text, replicas()), []);
  });

  it("without its source the site takes no writes and says so; it comes back by itself", async () => {
    await world().powerOff(source());
    try {
      await waitFor("the site to say no", async () => (await world().client.postNote("x")).status === 503, {
        within: 60,
      });
    } finally {
      await world().powerOn(source());
    }
    await world().waitUntilReady();
    assert.deepEqual(await hostsWithout(await writeRow(source()), replicas()), []);
  });
});

/** Changes how a replica reaches its source, and lets it begin anew. */
async function changeSource(replica: WorldHost, change: string): Promise<void> {
  await replica.mysql(`STOP REPLICA; CHANGE REPLICATION SOURCE TO ${change}; START REPLICA`);
}

/** "connected", or the error of the replica's first attempt. */
async function outcome(replica: WorldHost): Promise<string> {
  return waitFor(
    `${replica.name} connects or says why not`,
    async () => {
      const [member] = await members(replica, "source-replica");
      if (member?.state === "REPLICATES") return "connected";
      const [row] = await replica.mysql(
        "SELECT LAST_ERROR_MESSAGE FROM performance_schema.replication_connection_status",
      );
      return row?.[0] ? row[0] : undefined;
    },
    { within: 60 },
  );
}
