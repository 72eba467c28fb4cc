/** What the survivors of a power cut see and do, and when: the parts of the time without a write. */
import type { FailoverTimes } from "../../../scripts/bench/hosts";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";
import { longestGap } from "./longestGap";

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

type Watcher = keyof typeof WATCHERS;

/** Watches all hosts but one while its power is cut. */
export class FailoverWatch {
  private constructor(
    private readonly off: WorldHost,
    private readonly members: readonly WorldHost[],
    private readonly web: readonly WorldHost[],
  ) {}

  static async start(world: World, off: WorldHost): Promise<FailoverWatch> {
    const [members, web] = (["database", "web"] as const).map((role) =>
      world.hostsWith(role).filter((host) => host !== off),
    ) as [WorldHost[], WorldHost[]];
    await members[0]?.mysql(
      "CREATE DATABASE IF NOT EXISTS bench; CREATE TABLE IF NOT EXISTS bench.probe (member INT UNSIGNED PRIMARY KEY, at DATETIME(6) NOT NULL)",
    );
    const watch = new FailoverWatch(off, members, web);
    for (const [name, hosts] of watch.all()) for (const host of hosts) await begin(host, name);
    return watch;
  }

  private all(): readonly (readonly [Watcher, readonly WorldHost[]])[] {
    return [
      ["writes", this.members],
      ["members", this.members],
      ["haproxy", this.web],
    ];
  }

  /** Ends the watchers. Gives the times since the power cut (milliseconds since the epoch), of the slowest host each. */
  async stop(cutAt: number): Promise<FailoverTimes> {
    const [writes = [], members = [], haproxy = []] = await Promise.all(
      this.all().map(([name, hosts]) => Promise.all(hosts.map((host) => end(host, name, cutAt / 1000)))),
    );
    const count = String(this.members.length + 1);
    return {
      directGapSeconds: slowest(writes.map(gapOf)),
      unreachableSeconds: first(members, ([, unreachable]) => Number(unreachable) > 0),
      expelledSeconds: first(members, ([seen]) => seen !== undefined && seen !== count),
      haproxySeconds: first(haproxy, ([down = ""]) => down.split(";").includes(this.off.name)),
    };
  }
}

/** When the slowest host saw it for the first time; undefined if one did not. */
function first(
  hosts: readonly (readonly Seen[])[],
  is: (rest: readonly string[]) => boolean,
): number | undefined {
  return slowest(hosts.map((seen) => seen.find(({ rest }) => is(rest))?.since));
}

function slowest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === times.length ? Math.max(...known) : undefined;
}

/** A line of a watcher: seconds since the power cut, and what it saw. */
interface Seen {
  readonly since: number;
  readonly rest: readonly string[];
}

async function begin(host: WorldHost, name: Watcher): Promise<void> {
  await host.run(`mkdir -p ${FOLDER}`);
  await host.write(`${FOLDER}/${name}.sh`, WATCHERS[name]);
  await host.run(
    `systemd-run --quiet --collect --unit=bench-${name} --property=StandardOutput=file:${FOLDER}/${name} bash ${FOLDER}/${name}.sh`,
  );
}

async function end(host: WorldHost, name: Watcher, cutAt: number): Promise<readonly Seen[]> {
  const text = await host.run(
    `systemctl stop bench-${name}.service; cat ${FOLDER}/${name}; rm ${FOLDER}/${name} ${FOLDER}/${name}.sh`,
  );
  return text
    .split("\n")
    .map((line) => line.split(/\s/))
    .map(([at = "", ...rest]) => ({ since: Number(at) - cutAt, rest }))
    .filter(({ since }) => since >= -1);
}

/** Undefined if fewer than two commits were seen. */
function gapOf(commits: readonly Seen[]): number | undefined {
  return commits.length > 1 ? longestGap(commits.map(({ since }) => since)) : undefined;
}
