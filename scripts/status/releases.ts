/** The releases that a stack's hosts run, by their own reports. */

import type { HostStatus } from "../../infra/releases/status";
import { describeStatus } from "../../infra/rollout/gate";
import { observed } from "../../infra/rollout/observer";
import { ageSeconds, isFresh, type ReportAccess, readReport } from "../../infra/rollout/reports";
import { readOutputs } from "../engine/outputs";
import type { Home } from "../home";

const READ_WITHIN_MS = 10_000;

export interface HostRelease {
  readonly host: string;
  /** When the release that runs was made, ISO 8601; undefined if the host has not reported yet, or runs its first one. */
  readonly release: string | undefined;
  /** True if the host has seen a newer release than the one that it runs. */
  readonly isBehind: boolean;
  readonly rebootRequired: boolean;
  /** "well", or what is wrong. */
  readonly state: string;
  /** Database hosts of a group, from a fresh report. */
  readonly member?: MemberReport;
  /** Web hosts, from a fresh report: the database hosts that HAProxy does not use, and why. */
  readonly unfit?: readonly { readonly host: string; readonly reason: string }[];
}

/** A database host's report about its group. */
export interface MemberReport {
  /** Members that this host sees ONLINE; undefined if its mysqld does not answer. */
  readonly online: number | undefined;
  /** Hosts in the group's list. */
  readonly listed: number | undefined;
  /** The supervisor's action on this host, and the reason. */
  readonly supervisor: string;
}

/**
 * The keys that read the reports of a stack's hosts.
 *
 * @throws Failure if the stack is not up
 */
export async function reportAccessOf(
  home: Home,
  stack: string,
  cloud: boolean,
): Promise<ReportAccess | undefined> {
  const outputs = JSON.parse(await readOutputs(home, stack, { cloud, showSecrets: true })) as {
    rollout?: ReportAccess;
  };
  return outputs.rollout;
}

/** Runs a function that reads reports through the endpoint of Spaces that an engine's environment names. */
export function withReports<T>(
  environment: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
  work: () => Promise<T>,
  onHost: (hostName: string, state: string) => void = () => {},
): Promise<T> {
  return observed({ signal, environment, onHost, hasHosts: true }, work);
}

/** The releases of a stack's hosts; undefined if they do not report. */
export async function releasesOf(
  access: ReportAccess | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly HostRelease[] | undefined> {
  return access && withReports(environment, AbortSignal.timeout(READ_WITHIN_MS), () => readReleases(access));
}

/** One line of `npm run status` for each host. */
function readReleases(access: ReportAccess): Promise<HostRelease[]> {
  return Promise.all(
    access.hosts.map(async (host): Promise<HostRelease> => {
      const report = await readReport(host, access);
      const { status } = report;
      const common = { host: host.name, release: undefined, isBehind: false, rebootRequired: false };
      if (status === undefined) return { ...common, state: "has not reported yet" };
      const [state = ""] = describeStatus(status).split("\n");
      return {
        ...common,
        ...(status.number === 0 ? {} : { release: new Date(status.number).toISOString() }),
        isBehind: status.wanted > status.number,
        rebootRequired: status.rebootRequired,
        state: isFresh(report) ? state : `last reported ${ageSeconds(report)} s ago`,
        ...(isFresh(report) && status.supervisor !== undefined
          ? { member: memberReport(status, status.supervisor) }
          : {}),
        ...(isFresh(report) && status.unfit !== undefined ? { unfit: status.unfit } : {}),
      };
    }),
  );
}

function memberReport({ group }: HostStatus, supervisor: string): MemberReport {
  return { online: group?.online, listed: group?.listed?.length, supervisor };
}
