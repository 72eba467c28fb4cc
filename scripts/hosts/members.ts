import type { NamedHost } from "../../sandbox/index";

/** One member of a Group Replication group, as seen by one of its hosts. */
export interface Member {
  readonly host: string;
  /** MEMBER_STATE: ONLINE, RECOVERING, UNREACHABLE, OFFLINE, ERROR. */
  readonly state: string;
  /** MEMBER_ROLE: PRIMARY accepts writes. */
  readonly role: string;
}

const QUERY =
  "SELECT MEMBER_HOST, MEMBER_STATE, MEMBER_ROLE FROM performance_schema.replication_group_members ORDER BY 1";
const LIMIT_MS = 10_000;

/** The group as seen by a database host; undefined if its MySQL does not answer or does not exist. */
export async function groupMembers({ host }: NamedHost): Promise<readonly Member[] | undefined> {
  const args = ["--batch", "--skip-column-names", "--connect-timeout=3", "--execute", QUERY];
  try {
    const { code, stdout } = await host.attempt("mysql", args, { timeoutMs: LIMIT_MS });
    if (code !== 0) return undefined;
    return stdout
      .split("\n")
      .map((line) => line.split("\t"))
      .filter(([name]) => name)
      .map(([name = "", state = "", role = ""]) => ({ host: name, state, role }));
  } catch {
    return undefined; // it is off
  }
}
