/** The replication group in sentences: which members are out, what they wait for, and what to do. */
import { NO_MAJORITY } from "../hosts/force";
import type { HostRelease } from "./releases";

const RUNBOOK = "docs/runbooks/member-not-online.md";
const SERVES = /^none: ONLINE/;

export interface GroupState {
  readonly isWhole: boolean;
  readonly lines: readonly string[];
}

/** Undefined if no host reports a group. */
export function groupState(stack: string, hosts: readonly HostRelease[]): GroupState | undefined {
  const members = hosts.flatMap(({ host, member }) => (member === undefined ? [] : [{ host, ...member }]));
  if (members.length === 0) return undefined;
  const largest = (values: readonly (number | undefined)[]) => Math.max(0, ...values.map((one) => one ?? 0));
  const online = largest(members.map((one) => one.online));
  const listed = largest([...members.map((one) => one.listed), members.length]);
  const out = members.filter(({ supervisor }) => !SERVES.test(supervisor));
  const unused = unusedMembers(hosts);
  if (online >= listed && out.length === 0)
    return { isWhole: unused.length === 0, lines: [`${online} of ${listed} members ONLINE`, ...unused] };
  return {
    isWhole: false,
    lines: [
      `${online} of ${listed} members ONLINE. ${consequence(online, listed)}`,
      ...out.map(({ host, supervisor }) => `${host}: ${supervisor}`),
      ...unused,
      ...out.flatMap(({ host, supervisor }) => remedy(stack, host, supervisor)),
    ],
  };
}

/** The members that web hosts do not use, one line for each reason. */
function unusedMembers(hosts: readonly HostRelease[]): string[] {
  const by = new Map<string, string[]>();
  for (const { host: web, unfit = [] } of hosts) {
    for (const { host, reason } of unfit) {
      const line = `${host.split(".")[0]}: not used (${reason}) by`;
      by.set(line, [...(by.get(line) ?? []), web]);
    }
  }
  return [...by].map(([line, webHosts]) => `${line} ${webHosts.join(", ")}`).sort();
}

function consequence(online: number, listed: number): string {
  if (online * 2 > listed) return "The site reads and writes with them.";
  return NO_MAJORITY;
}

function remedy(stack: string, host: string, supervisor: string): string[] {
  if (!supervisor.startsWith("wait: for an operator")) return [];
  if (supervisor.includes("replace this host")) return [`Run: npm run replace -- ${stack} ${host}`];
  return [`${host} needs an operator: ${RUNBOOK}`];
}
