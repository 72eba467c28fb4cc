// What `npm run bench` measures on running hosts. The measuring itself lies with the tests' world of hosts; it is a
// process of its own, so that nothing of the project imports its tests.
import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { missingForHosts } from "../../sandbox/hosts/requirements";
import { Failure } from "../failure";
import { PROJECT_DIR } from "../home";

const PROGRAM = join(PROJECT_DIR, "test", "hosts", "bench", "main.ts");

export interface Rates {
  readonly readsPerSecond: number;
  readonly writesPerSecond: number;
}

/** From the start of the deployment, with the base image, the plugins' build and npm's packages in their caches. */
export interface HostFigures {
  readonly secondsToDroplets: number;
  readonly secondsToFirst200: number;
  readonly secondsToAllOnline: number;
  readonly memoryMibByHost: Readonly<Record<string, number>>;
  /** For each power cut the longest time without an acknowledged write. */
  readonly failoverGapsSeconds: readonly number[];
  /** Through the load balancer: with TLS on every hop, and with none behind the load balancer. */
  readonly encrypted: Rates;
  readonly plain: Rates;
}

/** Where hosts cannot run here, why; else undefined. */
export async function hostsUnavailable(): Promise<string | undefined> {
  const { reasons, remedy } = await missingForHosts();
  return reasons.length === 0 ? undefined : `${reasons.join("; ")}${remedy ? `. ${remedy}` : ""}`;
}

/**
 * Deploys the dev stack on hosts of its own, measures and removes it: two minutes, and half a minute for each power cut.
 * Throws a Failure with the end of what the measurement said.
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
  throw new Failure(`The hosts could not be measured:\n${said.slice(-20).join("\n")}`);
}

/** The figures as rows of a table. */
export function hostRows(figures: HostFigures): [string, string][] {
  const { encrypted, plain, failoverGapsSeconds: gaps } = figures;
  const ratio = (a: number, b: number) => (b === 0 ? "no ratio" : `ratio ${(a / b).toFixed(2)}`);
  const seconds = (value: number) => `${value.toFixed(1)} s`;
  return [
    ["droplets have booted", seconds(figures.secondsToDroplets)],
    ["first 200 through the load balancer", seconds(figures.secondsToFirst200)],
    ["every member ONLINE", seconds(figures.secondsToAllOnline)],
    ...Object.entries(figures.memoryMibByHost).map(([name, mib]): [string, string] => [
      `memory of ${name}`,
      `${mib} MiB`,
    ]),
    [
      "reads with TLS on every hop, and with none behind the load balancer",
      `${encrypted.readsPerSecond} and ${plain.readsPerSecond} a second, ${ratio(encrypted.readsPerSecond, plain.readsPerSecond)}`,
    ],
    [
      "writes with TLS on every hop, and with none behind the load balancer",
      `${encrypted.writesPerSecond} and ${plain.writesPerSecond} a second, ${ratio(encrypted.writesPerSecond, plain.writesPerSecond)}`,
    ],
    [
      "longest time without a write at a power cut (p50, p95)",
      gaps.length === 0
        ? "not measured"
        : `${seconds(percentile(gaps, 0.5))}, ${seconds(percentile(gaps, 0.95))} of ${gaps.length}`,
    ],
  ];
}

/** The smallest value that so large a share of all values does not exceed (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}
