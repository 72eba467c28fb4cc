/** The proof that roles are kept apart, in a stack with separated roles: who runs what, and who suffers from whose load. */
import assert from "node:assert/strict";
import { median } from "../../../scripts/bench/median";
import { Visitors } from "../workloads/visitors";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";

/** A host has so much of a CPU, as a droplet has its own: what one uses is nobody else's. */
const CPUS_OF_A_HOST = 0.3;
const ROUNDS = 3;
const COMMITS_IN_A_ROUND = 15;
const PHASES = ["no hog", "hogs on the web hosts", "hogs on the database host"] as const;
type Phase = (typeof PHASES)[number];

export function rolesProof(world: () => World): void {
  const [web, database] = [() => world().hostsWith("web"), () => world().hostsWith("database")];

  it("no web host runs mysqld, and no database host runs nginx, the application or HAProxy", async () => {
    const serving = ["nginx", "haproxy", "app", "mysqld"];
    for (const host of web()) assert.deepEqual(await running(host, serving), ["nginx", "haproxy", "app"]);
    for (const host of database()) assert.deepEqual(await running(host, serving), ["mysqld"], host.name);
  });

  it("with CPU hogs on every web host the site's writes go on, and the database's commits suffer far less than from hogs on its own host", async () => {
    const [writer] = database();
    assert.ok(writer);
    const latencies: Record<Phase, number[]> = {
      "no hog": [],
      "hogs on the web hosts": [],
      "hogs on the database host": [],
    };
    const hosts: Record<Phase, readonly WorldHost[]> = {
      "no hog": [],
      "hogs on the web hosts": web(),
      "hogs on the database host": [writer],
    };
    for (const { machine } of world().hosts) await machine.capCpu(CPUS_OF_A_HOST);
    try {
      // In turns, so that whatever else this machine does falls on all phases alike.
      for (let round = 0; round < ROUNDS; round++) {
        for (const phase of PHASES) {
          await withHogs(hosts[phase], async () => latencies[phase].push(...(await commitTimes(writer))));
        }
      }
      await withHogs(web(), async () => {
        const visitors = Visitors.start(world(), { writers: 1, readers: 1 });
        try {
          await visitors.goOn("with hogs on every web host", 6);
        } finally {
          await visitors.stop();
        }
      });
    } finally {
      for (const { machine } of world().hosts) await machine.capCpu(undefined);
    }
    const typical = (phase: Phase) => median(latencies[phase]);
    console.log(
      `      a commit, median of ${ROUNDS * COMMITS_IN_A_ROUND}: ` +
        PHASES.map((phase) => `${(typical(phase) / 1000).toFixed(1)} ms with ${phase}`).join(", "),
    );
    assert.ok(
      typical("hogs on the database host") > 1.5 * typical("hogs on the web hosts"),
      "hogs on the web hosts are as bad as on the database host",
    );
  });
}

/** Which of these a host runs, by the programs of its processes. */
async function running(host: WorldHost, names: readonly string[]): Promise<readonly string[]> {
  const patterns: Readonly<Record<string, string>> = { app: "^/usr/bin/node .*main.js serve" };
  const found = await Promise.all(
    names.map(async (name) => {
      const how = patterns[name] ? `-f '${patterns[name]}'` : `-x ${name}`;
      return (await host.attempt(`pgrep ${how}`)).code === 0 ? [name] : [];
    }),
  );
  return found.flat();
}

/** Two endless loops on each host, more than it has CPUs, while something is done. */
async function withHogs(hosts: readonly WorldHost[], work: () => Promise<unknown>): Promise<void> {
  const units = ["proof-hog-1", "proof-hog-2"];
  const start = units.map((unit) => `systemd-run --quiet --unit=${unit} sh -c 'while :; do :; done'`);
  await Promise.all(hosts.map((host) => host.run(start.join(" && "))));
  try {
    await work();
  } finally {
    await Promise.all(hosts.map((host) => host.run(`systemctl stop ${units.join(" ")}`)));
  }
}

/** Microseconds that mysqld takes for each of some commits. */
async function commitTimes(host: WorldHost): Promise<readonly number[]> {
  const one = `SET @begin = SYSDATE(6);
    INSERT INTO app.notes (text, web_host, database_host) VALUES ('timed', 'test', @@report_host);
    SELECT TIMESTAMPDIFF(MICROSECOND, @begin, SYSDATE(6));`;
  const rows = await host.mysql(one.repeat(COMMITS_IN_A_ROUND));
  return rows.map(([time]) => Number(time));
}
