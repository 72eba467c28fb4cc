/**
 * The table of faults: how each is made, and how it is lifted. Lifting is safe to run twice, and on a host that has
 * meanwhile rebooted or was never struck. Left out: clocks (a host shares the kernel's, and setting it would set this
 * machine's).
 */
import { writeFile } from "node:fs/promises";
import { dropletNamespace } from "../../../sandbox/hosts/instance";
import { runIn } from "../../../sandbox/hosts/network/namespace";
import type { FaultName } from "../../../scripts/chaos/report";
import { waitFor } from "../../waitFor";
import { members } from "../checkers/members";
import { BACK_ON_DISK, FAILING_DISK, SMALL_DISK } from "../faults/disks";
import { HeldSession } from "../faults/locks";
import { powerBack, powerCut } from "../faults/power";
import { databaseName } from "../proofs/healthCheck";
import { TestAuthority } from "../proofs/pki";
import { showCertificate, showOwnCertificate } from "../proofs/shownCertificate";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";
import { balancerReload } from "./balancerReload";
import type { Reach } from "./plan";

export interface Struck {
  readonly world: World;
  readonly hosts: readonly WorldHost[];
}

/** As long as faults leave a majority of the members, the site serves reads and writes. Nothing is ever lost. */
export interface Fault extends Reach {
  readonly inject: (struck: Struck) => Promise<unknown>;
  readonly heal: (struck: Struck) => Promise<unknown>;
}

const LIMIT = { timeoutMs: 300_000 };
const MEMBER_BACK_WITHIN_S = 240;

const onEach =
  (work: (host: WorldHost, world: World) => Promise<unknown>) =>
  ({ hosts, world }: Struck): Promise<unknown> =>
    Promise.all(hosts.map((host) => work(host, world)));
/** A line of shell on each host that is on. */
const shell = (script: string) =>
  onEach(async (host) => ((await host.isOn()) ? host.run(script, LIMIT) : undefined));
const nothing = async (): Promise<void> => {};

/** Ends all processes of a unit, or its first, at once. systemd starts it again. */
const killed = (unit: string, costs: number): Fault => ({
  strikes: 1,
  costs,
  inject: shell(`systemctl kill --kill-whom=all --signal=SIGKILL ${unit}`),
  heal: shell(`systemctl start ${unit}`),
});

/** Stops all processes of a unit: they hold their connections and answer nothing. */
const paused = (unit: string, costs: number): Fault => ({
  strikes: 1,
  costs,
  inject: shell(`systemctl kill --kill-whom=all --signal=SIGSTOP ${unit}`),
  heal: shell(`systemctl kill --kill-whom=all --signal=SIGCONT ${unit} || true; systemctl start ${unit}`),
});

const power = (strikes: number | "all"): Fault => ({
  strikes,
  costs: strikes,
  inject: ({ world, hosts }) => powerCut(world, hosts),
  async heal({ world, hosts }) {
    const isOn = await Promise.all(hosts.map((host) => host.isOn()));
    await powerBack(
      world,
      hosts.filter((_, index) => !isOn[index]),
    );
  },
});

/**
 * Drops packets in a host's own packet filter, before its rules, in a table of the fault's own.
 *
 * @param drop how packets from and to a set of addresses are dropped: nft statements
 * @param from who the packets are from and to, as addresses
 */
function filtered(
  name: string,
  drop: { readonly in?: string; readonly out?: string },
  from: (host: WorldHost, struck: Struck) => readonly string[],
): Pick<Fault, "inject" | "heal"> {
  const chain = (way: "in" | "out", statement: string, addresses: readonly string[]) =>
    `chain ${way} { type filter hook ${way}put priority -300; ${way === "in" ? "iif" : "oif"} != lo ip ${way === "in" ? "saddr" : "daddr"} { ${addresses.join(", ")} } ${statement}; };`;
  return {
    inject: (struck) =>
      onEach((host) => {
        const addresses = from(host, struck);
        const chains = (["in", "out"] as const).flatMap((way) =>
          drop[way] ? [chain(way, drop[way], addresses)] : [],
        );
        return host.run(`nft 'table inet chaos_${name} { ${chains.join(" ")} }'`);
      })(struck),
    heal: shell(`nft delete table inet chaos_${name} 2> /dev/null || true`),
  };
}

const BOTH_WAYS = { in: "drop", out: "drop" };
const otherMembers = (host: WorldHost, { world }: Struck): string[] =>
  world
    .hostsWith("database")
    .filter((other) => other !== host)
    .map(({ privateIp }) => privateIp);
const otherStruck = (host: WorldHost, { hosts }: Struck): string[] =>
  hosts.filter((other) => other !== host).map(({ privateIp }) => privateIp);

/** Runs SQL in a session of its own, which holds its locks until it is ended. */
function held(sql: string): Pick<Fault, "inject" | "heal"> {
  const sessions = new WeakMap<WorldHost, HeldSession>();
  const end = async (host: WorldHost) => {
    if (await host.isOn()) await sessions.get(host)?.end();
    sessions.delete(host);
  };
  return {
    inject: onEach(async (host) => {
      await end(host);
      sessions.set(host, await HeldSession.open(host, sql));
    }),
    heal: onEach(end),
  };
}

/** Moves MySQL's data to another disk, which is then made to fail. The member leaves its group for it and comes back. */
async function onOtherDisk(host: WorldHost, world: World, script: string): Promise<void> {
  await host.run(script, LIMIT);
  await waitFor(
    `${host.name} ONLINE on the other disk`,
    async () => {
      const view = await members(host, world.replication);
      return view.some(({ host: name, state }) => name === host.fqdn && state === "ONLINE");
    },
    { within: MEMBER_BACK_WITHIN_S },
  );
}

/** The kernel takes a file system for damaged and makes it read-only (mount option errors=remount-ro). */
async function damage(host: WorldHost): Promise<void> {
  const device = await host.run("findmnt --noheadings --output SOURCE /var/lib/mysql");
  await writeFile(`/sys/fs/ext4/${device.replace("/dev/", "")}/trigger_fs_error`, "chaos\n");
}

/** mysqld shows a certificate that ends within the run, to each client that connects from now on. */
async function showEndingCertificate(host: WorldHost, world: World): Promise<void> {
  const [web] = world.hostsWith("web");
  const names = [host.fqdn, ...(web ? [await databaseName(web)] : [])];
  const internal = await TestAuthority.of(await world.account.internalCa());
  await showCertificate(host, await internal.issue({ names, days: 3 / (24 * 3600) }));
}

/** Of 1 KB each: together less than group_replication_transaction_size_limit (150 MB) and a member's message cache. */
const LARGE_TRANSACTION = `
SET SESSION cte_max_recursion_depth = 100000;
INSERT INTO chaos.large (text)
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 30000)
SELECT REPEAT('x', 1000) FROM numbers`;

/** A column comes and goes while rows are written, all on one member: MySQL allows no other use of DDL in a group. */
const SCHEMA_CHANGE = Array.from(
  { length: 5 },
  (_, n) => `
ALTER TABLE chaos.changed ADD COLUMN extra${n} INT NULL;
INSERT INTO chaos.changed (text) VALUES ('row');
ALTER TABLE chaos.changed DROP COLUMN extra${n}`,
).join(";");

/** Sessions that were open before the server took no more. */
const crowded = new WeakMap<WorldHost, HeldSession>();

const SUPERVISOR = "secured-web-group.service";
/** It strikes one host; the group may lose the member, or it keeps all. */
const aMember = { strikes: 1, costs: 1 } as const;
const aHost = { strikes: 1, costs: 0 } as const;

export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  "power-one": power(1),
  "power-two": power(2),
  "power-all": power("all"),
  reboot: { ...aMember, inject: onEach((host, world) => world.reboot(host)), heal: power(1).heal },
  "kill-mysqld": killed("mysql.service", 1),
  "pause-mysqld": paused("mysql.service", 1),
  "restart-mysqld": { ...aMember, inject: shell("systemctl restart mysql.service"), heal: nothing },
  "kill-supervisor": killed(SUPERVISOR, 0),
  "pause-supervisor": paused(SUPERVISOR, 0),
  "kill-haproxy": killed("haproxy.service", 0),
  "pause-haproxy": paused("haproxy.service", 0),
  "kill-app": killed("secured-web-app.service", 0),
  "pause-app": paused("secured-web-app.service", 0),
  "kill-health": killed("secured-web-health.service", 0),
  "pause-health": paused("secured-web-health.service", 0),
  // From the other members; the load balancer still reaches the host.
  "partition-one": { ...aMember, ...filtered("one", BOTH_WAYS, otherMembers) },
  "partition-all": {
    strikes: "all",
    costs: "all",
    ...filtered("all", BOTH_WAYS, otherMembers),
  },
  // Two members do not see each other, and the third sees both.
  "partition-link": { strikes: 2, costs: 1, ...filtered("link", BOTH_WAYS, otherStruck) },
  "partition-one-way": { ...aMember, ...filtered("way", { in: "drop" }, otherMembers) },
  // From the members and from the load balancer.
  "partition-host": { ...aMember, ...filtered("host", BOTH_WAYS, () => ["10.0.0.0/8"]) },
  "lossy-links": {
    ...aMember,
    ...filtered(
      "loss",
      { in: "numgen random mod 100 < 10 drop", out: "numgen random mod 100 < 10 drop" },
      otherMembers,
    ),
  },
  // Every packet to other hosts waits behind those before it.
  "slow-links": {
    ...aMember,
    inject: onEach((host, world) =>
      runIn(dropletNamespace(world.instance, host.identity.dropletId), "tc", [
        ...["qdisc", "replace", "dev", "eth1", "root", "tbf"],
        ...["rate", "1mbit", "burst", "16kb", "latency", "400ms"],
      ]),
    ),
    heal: shell("tc qdisc del dev eth1 root 2> /dev/null || true"),
  },
  "disk-full": {
    ...aMember,
    isAlone: true,
    inject: onEach(async (host, world) => {
      await onOtherDisk(host, world, SMALL_DISK);
      await host.attempt("head -c 1G /dev/zero > /var/lib/mysql/filler");
    }),
    heal: shell(BACK_ON_DISK),
  },
  "disk-read-only": {
    ...aMember,
    isAlone: true,
    inject: onEach(async (host, world) => {
      await onOtherDisk(host, world, FAILING_DISK);
      await damage(host);
    }),
    heal: shell(BACK_ON_DISK),
  },
  connections: {
    ...aMember,
    inject: onEach(async (host) => {
      await crowded.get(host)?.end();
      crowded.set(host, await HeldSession.open(host, "SET GLOBAL max_connections = 1"));
    }),
    heal: onEach(async (host) => {
      const limit = Number(await host.run("sed -n 's/^max_connections = //p' /etc/mysql/secured-web.cnf"));
      const isLifted = async () =>
        (await host.mysql("SELECT @@GLOBAL.max_connections"))[0]?.[0] === String(limit);
      const session = crowded.get(host);
      if (session && !(await isLifted().catch(() => false)))
        await session.run(`SET GLOBAL max_connections = ${limit}`);
      await waitFor("free connections", isLifted, { within: 60 });
      await session?.end();
      crowded.delete(host);
    }),
  },
  "lock-all": { ...aMember, ...held("FLUSH TABLES WITH READ LOCK") },
  "lock-table": { ...aMember, ...held("LOCK TABLES app.notes READ") },
  "large-transaction": {
    ...aHost,
    inject: onEach((host) => host.mysql(LARGE_TRANSACTION, LIMIT)),
    heal: nothing,
  },
  "schema-change": { ...aHost, inject: onEach((host) => host.mysql(SCHEMA_CHANGE, LIMIT)), heal: nothing },
  "certificate-ends": {
    ...aMember,
    inject: onEach(showEndingCertificate),
    heal: onEach(async (host) => ((await host.isOn()) ? showOwnCertificate(host) : undefined)),
  },
  "reload-balancer": { ...aHost, inject: ({ world }) => balancerReload(world), heal: nothing },
};

/** The faults' own tables, apart from the application's. */
export async function prepareFaults(world: World): Promise<void> {
  const [host] = world.hostsWith("database");
  await host?.mysql(`
CREATE DATABASE IF NOT EXISTS chaos;
CREATE TABLE IF NOT EXISTS chaos.large (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS chaos.changed (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, text TEXT NOT NULL)`);
}

export async function removeFaults(world: World): Promise<void> {
  const [host] = world.hostsWith("database");
  await host?.mysql("DROP DATABASE IF EXISTS chaos");
}
