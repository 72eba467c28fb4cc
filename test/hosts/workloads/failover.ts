/** What the survivors of a power cut see and do, and when: the parts of the time without a write. */
import type { FailoverTimes } from "../../../scripts/bench/hosts";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";

const FOLDER = "/run/secured-web-bench";
const CLIENT =
  "mysql --no-defaults --socket=/run/mysqld/mysqld.sock --user=root --batch --skip-column-names --unbuffered";
const repeated = (sql: string) => `while sleep 0.03; do echo "${sql}"; done | ${CLIENT}`;

/** Programs that write a line with the time (seconds since the epoch) and what they see. */
const WATCHERS = {
  // Each commit, straight to the member.
  writes: repeated("REPLACE INTO bench.probe VALUES (@@server_id, NOW(6)); SELECT UNIX_TIMESTAMP(NOW(6));"),
  members: repeated(
    "SELECT UNIX_TIMESTAMP(NOW(6)), COUNT(*), SUM(MEMBER_STATE = 'UNREACHABLE') FROM performance_schema.replication_group_members;",
  ),
  // The servers of HAProxy that are down, with a semicolon between two.
  haproxy:
    'while sleep 0.03; do echo "$(date +%s.%N) $(echo \'show stat\' | socat - /run/haproxy-stats.sock | awk -F, \'$1 == "writers" && $18 ~ /^DOWN/ { printf "%s;", $2 }\')"; done',
} as const;

/** Watches all members but one while its power is cut. */
export class FailoverWatch {
  private constructor(
    private readonly world: World,
    private readonly off: WorldHost,
    private readonly survivors: readonly WorldHost[],
  ) {}

  static async start(world: World, off: WorldHost): Promise<FailoverWatch> {
    const survivors = world.hostsWith("database").filter((host) => host !== off);
    await survivors[0]?.mysql(
      "CREATE DATABASE IF NOT EXISTS bench; CREATE TABLE IF NOT EXISTS bench.probe (member INT UNSIGNED PRIMARY KEY, at DATETIME(6) NOT NULL)",
    );
    for (const host of survivors) {
      await host.run(`mkdir -p ${FOLDER}`);
      for (const [name, script] of Object.entries(WATCHERS)) {
        await host.write(`${FOLDER}/${name}.sh`, script);
        await host.run(
          `systemd-run --quiet --collect --unit=bench-${name} --property=StandardOutput=file:${FOLDER}/${name} bash ${FOLDER}/${name}.sh`,
        );
      }
    }
    return new FailoverWatch(world, off, survivors);
  }

  /** Ends the watchers. Gives the times since the power cut (milliseconds since the epoch), of the slowest survivor each. */
  async stop(cutAt: number): Promise<FailoverTimes> {
    const seen = await Promise.all(this.survivors.map((host) => this.stopOn(host, cutAt / 1000)));
    const slowest = (of: (one: FailoverTimes) => number | undefined) => {
      const values = seen.map(of).filter((value) => value !== undefined);
      return values.length < seen.length ? undefined : Math.max(...values);
    };
    return {
      directGapSeconds: Math.max(...seen.map((one) => one.directGapSeconds)),
      unreachableSeconds: slowest((one) => one.unreachableSeconds),
      expelledSeconds: slowest((one) => one.expelledSeconds),
      haproxySeconds: slowest((one) => one.haproxySeconds),
    };
  }

  private async stopOn(host: WorldHost, cutAt: number): Promise<FailoverTimes> {
    await host.run(
      Object.keys(WATCHERS)
        .map((name) => `systemctl stop bench-${name}.service`)
        .join("; "),
    );
    const read = async (name: keyof typeof WATCHERS) =>
      (await host.run(`cat ${FOLDER}/${name}`))
        .split("\n")
        .map((line) => line.split(/\s/))
        .map(([at = "", ...rest]) => ({ since: Number(at) - cutAt, rest }))
        .filter(({ since }) => since >= -1);
    const [writes, members, haproxy] = [await read("writes"), await read("members"), await read("haproxy")];
    await host.run(`rm -r ${FOLDER}`);
    if (writes.length < 2) throw new Error(`${host.name}: no commits were seen around the power cut`);
    const all = String(this.world.hostsWith("database").length);
    return {
      directGapSeconds: writes.reduce(
        (gap, { since }, index) => Math.max(gap, since - (writes[index - 1]?.since ?? since)),
        0,
      ),
      unreachableSeconds: members.find(({ rest: [, unreachable] }) => Number(unreachable) > 0)?.since,
      expelledSeconds: members.find(({ rest: [count] }) => count !== undefined && count !== all)?.since,
      haproxySeconds: haproxy.find(({ rest: [down = ""] }) => down.split(";").includes(this.off.name))?.since,
    };
  }
}
