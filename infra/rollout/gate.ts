/** The gates of a rollout: they wait for what hosts report, and name the host, unit and cause if one does not get well. */
import { setTimeout as delay } from "node:timers/promises";
import type { HostStatus } from "../releases/status";
import { mustReport, rolloutSignal, tellState } from "./observer";
import { ageSeconds, isFresh, type Report, readReport, type StatusHost, type StatusPlace } from "./reports";

/** The report that a host must write before the next one has its turn. */
export interface Turn {
  /** The release; undefined if any will do. */
  readonly number?: number;
  readonly dropletId: string;
  /** The boot that must be over. */
  readonly endedBoot?: string;
}

const POLL_MS = 1000;

/**
 * Waits until a host reports that it runs a release on its droplet and is well. Only a report that was written after
 * the call counts, by the clock of Spaces.
 *
 * @throws Error with the host, the failing unit and its cause, if the host has undone or refused the release, or does
 * not get well in time
 */
export async function untilWell(
  host: StatusHost,
  turn: Turn,
  place: StatusPlace,
  timeoutSeconds: number,
): Promise<void> {
  let begun: Date | undefined;
  await waitFor(host.name, timeoutSeconds, async () => {
    const { status, written, now } = await readReport(host, place);
    // Last-Modified has whole seconds.
    begun ??= new Date(Math.floor(now.getTime() / 1000) * 1000);
    if (status === undefined) return mustReport() ? "has not reported yet" : undefined;
    if (status.dropletId !== turn.dropletId) return "the new droplet has not reported yet";
    if (status.bootId === turn.endedBoot) return "has not rebooted yet";
    if (turn.number !== undefined && hasFailed(status, turn.number))
      throw new TurnError(host.name, describeStatus(status));
    if (turn.number !== undefined && status.number !== turn.number) return "has not applied the release yet";
    if (written < begun) return "waits for the next report";
    return status.outcome === "well" ? undefined : describeStatus(status);
  });
}

/**
 * Waits until the group can lose one member: every other member reports that it is well, that all members are ONLINE
 * and that its applier queue is empty. A member that the group has lost already is not waited for.
 *
 * @param leaving the member that is about to stop
 * @throws Error that names the member that is not ready in time
 */
export async function untilGroupIsWhole(
  leaving: string,
  others: readonly StatusHost[],
  place: StatusPlace,
  timeoutSeconds: number,
): Promise<void> {
  await waitFor(leaving, timeoutSeconds, async () => {
    const problem = await groupProblem(leaving, others, place);
    return problem && `must not stop, because ${problem}`;
  });
}

/** Shows that a member stops without waiting for its group, and why the group cannot do without it. */
export async function tellForcedStop(
  leaving: string,
  others: readonly StatusHost[],
  place: StatusPlace,
): Promise<void> {
  const problem = await groupProblem(leaving, others, place).catch(
    (error: unknown) => `its members ${asProblem(error)}`,
  );
  tellState(leaving, `stops by force${problem === undefined ? "" : `, although ${problem}`}`);
}

/** Why a group cannot do without a member, as its other members report; undefined if it can. */
async function groupProblem(
  leaving: string,
  others: readonly StatusHost[],
  place: StatusPlace,
): Promise<string | undefined> {
  for (const host of others) {
    const problem = memberProblem(await readReport(host, place), others.length + 1, leaving);
    if (problem !== undefined) return `${host.name} ${problem}`;
  }
  return undefined;
}

/**
 * Waits until the group consists of given hosts: each of them reports that it is well, and that the group's list of
 * members names them all and no other. A host that is no member can be deleted, and takes no acknowledged write with it.
 *
 * @throws Error that names the host that is not ready in time
 */
export async function untilGroupIs(
  hosts: readonly StatusHost[],
  place: StatusPlace,
  timeoutSeconds: number,
): Promise<void> {
  const wanted = hosts.map(({ name }) => name).sort();
  await waitFor("the group", timeoutSeconds, async () => {
    for (const host of hosts) {
      const report = await readReport(host, place);
      const problem = memberProblem(report, wanted.length) ?? listProblem(report, wanted);
      if (problem !== undefined) return `${host.name} ${problem}`;
    }
    return undefined;
  });
}

function listProblem({ status }: Report, wanted: readonly string[]): string | undefined {
  if (status === undefined) return undefined;
  const listed = status.group?.listed ?? [];
  const missing = wanted.filter((name) => !listed.includes(name));
  if (missing.length > 0) return `has not admitted ${missing.join(", ")} to the group`;
  const others = listed.filter((name) => !wanted.includes(name));
  return others.length > 0 ? `waits for ${others.join(", ")} to leave the group` : undefined;
}

/** True if a host reports that it sees a member of the group ONLINE, or if Spaces cannot be asked: then it may. */
export async function groupRuns(hosts: readonly StatusHost[], place: StatusPlace): Promise<boolean> {
  const reports = await Promise.all(hosts.map((host) => readReport(host, place).catch(() => undefined)));
  return reports.some(
    (report) =>
      report === undefined ||
      (isFresh(report) && report.status !== undefined && (report.status.group?.online ?? 0) > 0),
  );
}

/**
 * Why a member would not do without another one; undefined if it would. One that the group has lost already takes
 * nothing away from it.
 */
function memberProblem(report: Report, count: number, leaving?: string): string | undefined {
  const { status } = report;
  if (status === undefined) return mustReport() ? "has not reported yet" : undefined;
  if (!isFresh(report)) return `last reported ${ageSeconds(report)} s ago`;
  const isLost = leaving !== undefined && lacksOnly(leaving, status);
  if (status.outcome !== "well" && !isLost) return describeStatus(status);
  const { group } = status;
  if (group === undefined) return "does not report its group";
  // While an update adds or removes hosts, the program's number is not the group's.
  const members = (group.listed?.length ?? count) - (isLost ? 1 : 0);
  if (group.online < members) return `sees ${group.online} of ${members} members ONLINE`;
  if (group.queue > 0) return `has ${group.queue} transactions in its applier queue`;
  return undefined;
}

/** True if a member is unwell only because another one is not in its group (`others_missing` in release/members.py). */
function lacksOnly(other: string, { outcome, cause, group }: HostStatus): boolean {
  const isThere = group?.members.some(({ host, state }) => host === other && state === "ONLINE");
  return outcome === "unwell" && isThere === false && new RegExp(`^${other} is [\\w ]+$`).test(cause ?? "");
}

/**
 * True if the newest release that a host has seen failed on it. False if its report cannot be read: the turn of the
 * host then says why.
 */
export async function newestFailed(host: StatusHost, place: StatusPlace): Promise<boolean> {
  const report = await readReport(host, place).catch(() => undefined);
  return report?.status !== undefined && isFailure(report.status);
}

function isFailure({ outcome }: HostStatus): boolean {
  return outcome === "undone" || outcome === "refused";
}

function hasFailed(status: HostStatus, number: number): boolean {
  return isFailure(status) && status.wanted === number;
}

/** A status in words: `undone at restart: nginx.service: did not start` and the last lines of the unit's journal. */
export function describeStatus({ outcome, step, unit, cause, journal = [] }: HostStatus): string {
  const where = [step === undefined ? outcome : `${outcome} at ${step}`, unit, cause]
    .filter(Boolean)
    .join(": ");
  return [where, ...journal.map((line) => `  ${line}`)].join("\n");
}

/** A failure that waiting does not repair. */
class TurnError extends Error {
  constructor(hostName: string, state: string) {
    super(`${hostName}: ${state}`);
  }
}

function asProblem(error: unknown): string {
  return `cannot be asked: ${reasonOf(error)}`;
}

/** The text of anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Calls a check once a second until it returns no problem. Problems in reaching Spaces are waited for as well. */
async function waitFor(
  hostName: string,
  timeoutSeconds: number,
  problemOf: () => Promise<string | undefined>,
): Promise<void> {
  const deadline = Date.now() + timeoutSeconds * 1000;
  let told: string | undefined;
  for (;;) {
    rolloutSignal()?.throwIfAborted();
    const problem = await problemOf().catch((error: unknown) => {
      if (error instanceof TurnError) throw error;
      return asProblem(error);
    });
    const [state = "well"] = (problem ?? "well").split("\n");
    if (state !== told) tellState(hostName, state);
    told = state;
    if (problem === undefined) return;
    if (Date.now() > deadline)
      throw new TurnError(hostName, `not well after ${timeoutSeconds} s: ${problem}`);
    await delay(POLL_MS, undefined, { signal: rolloutSignal() });
  }
}
