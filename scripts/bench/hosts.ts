// The part of `npm run bench` that measures running hosts. The measurement is in the test's host world and runs as a
// separate process, so that no other code imports the tests.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { missingForHosts } from "../../sandbox/index";
import { Failure } from "../failure";
import { PROJECT_DIR } from "../home";

const PROGRAM = join(PROJECT_DIR, "test", "hosts", "bench", "main.ts");

export interface Rates {
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
}

/** The rates with something and without it, measured one directly after the other. */
export interface Price {
  readonly with: Rates;
  readonly without: Rates;
}

/** The effect of a power cut of one database host on the site's visitors. */
export interface PowerCut {
  /** The longest time without an acknowledged write. */
  readonly gapSeconds: number;
  readonly parts: FailoverTimes;
  /** From the return of power until the host is ONLINE in its group again. */
  readonly rejoinSeconds: number;
  readonly requests: number;
  /** Requests without an answer, or answered with an error. */
  readonly failedRequests: number;
  readonly acknowledgedNotes: number;
  /** Acknowledged notes that are missing on a host after all have recovered. */
  readonly lostNotes: number;
}

/**
 * Times after a power cut, in seconds, of the slowest surviving host. Undefined: not seen. A member that is expelled at
 * once is never seen as unreachable.
 */
export interface FailoverTimes {
  /** The longest time without a commit by a client on the member itself: neither web host nor load balancer counts. */
  readonly directGapSeconds: number | undefined;
  readonly unreachableSeconds: number | undefined;
  readonly expelledSeconds: number | undefined;
  /** Until HAProxy on a web host sends nothing more to the member. */
  readonly haproxySeconds: number | undefined;
}

/** Resources that a host's processes used under load. */
export interface HostUse {
  /** Of one CPU. */
  readonly cpuPercent: number;
  readonly memoryMib: number;
}

/** The same load with and without the stand-in of the monitoring agent, in one run. */
export interface AgentCost {
  readonly requestsPerSecond: { readonly with: number; readonly without: number };
  readonly byHost: Readonly<Record<string, { readonly with: HostUse; readonly without: HostUse }>>;
}

/** Releases that running hosts apply in place. */
export interface ReleaseFigures {
  /** From its release's arrival in Spaces to its report that it is well; nginx reloads. */
  readonly secondsByWebHost: Readonly<Record<string, number>>;
  /** The same; mysqld is not restarted. */
  readonly secondsByDatabaseHost: Readonly<Record<string, number>>;
  /** `npm run up` with another application, over the whole stack. */
  readonly applicationSeconds: number;
  /** The hosts that a release of the application reaches. */
  readonly applicationHosts: number;
}

/** The base image, the plugins' build and npm's packages are in their caches. */
export interface HostFigures {
  /** From `npm start`. */
  readonly secondsToFirst200: number;
  readonly secondsToAllOnline: number;
  readonly releases: ReleaseFigures;
  readonly memoryMibByHost: Readonly<Record<string, number>>;
  readonly powerCuts: readonly PowerCut[];
  /** Rates through the load balancer. */
  readonly prices: {
    /** TLS on every hop, and none behind the load balancer. */
    readonly tls: Price;
    /** Visitors who keep no cookies: no request waits for what a session has seen. */
    readonly sessions: Price;
    /** Health checks that write nothing. */
    readonly healthWrites: Price;
  };
  /** Absent if no collector is available (it is built with Go). */
  readonly agent?: AgentCost;
}

/** The reason if hosts cannot run here; otherwise undefined. */
export async function hostsUnavailable(): Promise<string | undefined> {
  const { reasons, remedy } = await missingForHosts();
  return reasons.length === 0 ? undefined : `${reasons.join("; ")}${remedy ? `. ${remedy}` : ""}`;
}

/**
 * Deploys the dev stack on separate hosts, measures and removes it: five minutes, and half a minute for each power
 * cut. Throws a Failure with the end of the measurement's output.
 */
export async function measureHosts(
  powerCuts: number,
  onProgress: (line: string) => void,
): Promise<HostFigures> {
  const child = spawn(process.execPath, ["--import", "tsx", PROGRAM, String(powerCuts)], {
    cwd: PROJECT_DIR,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let answer = "";
  const said: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    answer += text;
  });
  createInterface({ input: child.stderr }).on("line", (line) => {
    said.push(line);
    onProgress(line);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  if (code === 0) return JSON.parse(answer.trim().split("\n").at(-1) ?? "") as HostFigures;
  throw new Failure(`Could not measure the hosts:
${said.slice(-20).join("\n")}`);
}

/** The measurements as rows of a table. */
export function hostRows(figures: HostFigures): [string, string][] {
  const { prices, powerCuts, releases } = figures;
  const sum = (of: (cut: PowerCut) => number) => powerCuts.reduce((total, cut) => total + of(cut), 0);
  const ratio = (a: number, b: number) => (b === 0 ? "no ratio" : `ratio ${(a / b).toFixed(2)}`);
  const pair = (a: number, b: number) => `${a} and ${b} a second, ${ratio(a, b)}`;
  const compared = (what: string, price: Price): [string, string][] => [
    [`reads with ${what}`, pair(price.with.readsPerSecond, price.without.readsPerSecond)],
    [`writes with ${what}`, pair(price.with.writesPerSecond, price.without.writesPerSecond)],
  ];
  const seconds = (value: number) => `${value.toFixed(1)} s`;
  const times = (byHost: Readonly<Record<string, number>>) => Object.values(byHost).map(seconds).join(", ");
  return [
    ["npm start to the first 200 through the load balancer", seconds(figures.secondsToFirst200)],
    ["npm start to every member ONLINE", seconds(figures.secondsToAllOnline)],
    ["a release in place, web hosts", times(releases.secondsByWebHost)],
    ["a release in place without a restart, database hosts", times(releases.secondsByDatabaseHost)],
    [
      "npm run up with another application",
      `${seconds(releases.applicationSeconds)}, ${releases.applicationHosts} hosts one after another`,
    ],
    ...Object.entries(figures.memoryMibByHost).map(([name, mib]): [string, string] => [
      `memory of ${name}`,
      `${mib} MiB`,
    ]),
    ...compared("TLS on every hop, and without TLS behind the load balancer", prices.tls),
    ...compared("sessions that read their own writes, and without", prices.sessions),
    ...compared("health checks that write, and without their writes", prices.healthWrites),
    ["longest time without a write at a power cut", spread(powerCuts.map((cut) => cut.gapSeconds))],
    ...partRows(powerCuts.map(({ parts }) => parts)),
    ["from the return of power to ONLINE", spread(powerCuts.map((cut) => cut.rejoinSeconds))],
    [
      "failed requests around the power cuts",
      `${sum((cut) => cut.failedRequests)} of ${sum((cut) => cut.requests)}`,
    ],
    ["lost acknowledged notes", `${sum((cut) => cut.lostNotes)} of ${sum((cut) => cut.acknowledgedNotes)}`],
    ...agentRows(figures.agent),
  ];
}

function partRows(parts: readonly FailoverTimes[]): [string, string][] {
  const row = (what: string, of: (times: FailoverTimes) => number | undefined): [string, string] => [
    `  ${what}`,
    spread(parts.map(of).filter((seconds) => seconds !== undefined)),
  ];
  return [
    row("longest time without a commit on a surviving member", (times) => times.directGapSeconds),
    row("until the others see the member as unreachable", (times) => times.unreachableSeconds),
    row("until the others have expelled it", (times) => times.expelledSeconds),
    row("until HAProxy on the other hosts has taken it out", (times) => times.haproxySeconds),
  ];
}

function agentRows(agent: AgentCost | undefined): [string, string][] {
  if (agent === undefined) return [["with the monitoring agent, and without", "not measured"]];
  const pair = (a: number, b: number, unit: string) =>
    `${a.toFixed(1)} and ${b.toFixed(1)} ${unit}, ratio ${(a / b).toFixed(2)}`;
  const { requestsPerSecond: rate, byHost } = agent;
  return [
    ["requests with the monitoring agent, and without", pair(rate.with, rate.without, "a second")],
    ...Object.entries(byHost).flatMap(([name, use]): [string, string][] => [
      [`CPU of ${name}, the same`, pair(use.with.cpuPercent, use.without.cpuPercent, "percent of a CPU")],
      [`memory of ${name}, the same`, pair(use.with.memoryMib, use.without.memoryMib, "MiB")],
    ]),
  ];
}

function spread(values: readonly number[]): string {
  if (values.length === 0) return "not measured";
  const [min, p50, p95, max] = [0, 0.5, 0.95, 1].map((share) => `${percentile(values, share).toFixed(1)} s`);
  return `${p50} (p50), ${p95} (p95), ${min} to ${max}, of ${values.length}`;
}

/** The smallest value that is not exceeded by the given share of all values (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
