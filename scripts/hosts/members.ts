import type { NamedHost } from "../../sandbox/index";

/** One member of a Group Replication group, as one of its hosts sees it. */
export interface Member {
  readonly host: string;
  /** MEMBER_STATE: ONLINE, RECOVERING, UNREACHABLE, OFFLINE, ERROR. */
  readonly state: string;
  /** MEMBER_ROLE: PRIMARY takes writes. */
  readonly role: string;
}

const QUERY =
  "SELECT MEMBER_HOST, MEMBER_STATE, MEMBER_ROLE FROM performance_schema.replication_group_members ORDER BY 1";
const LIMIT_MS = 10_000;

/** The group as a database host sees it; undefined where its MySQL does not answer (yet), or is not there. */
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
