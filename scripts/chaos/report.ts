/** The result of `npm run chaos`, and its table. */

/** Names of the failures that the run can inject (`test/hosts/chaos/faults.ts` has the table). */
export const faultNames = [
  "power-one",
  "power-two",
  "power-all",
  "reboot",
  "kill-mysqld",
  "pause-mysqld",
  "restart-mysqld",
  "kill-supervisor",
  "pause-supervisor",
  "kill-haproxy",
  "pause-haproxy",
  "kill-app",
  "pause-app",
  "kill-health",
  "pause-health",
  "partition-one",
  "partition-all",
  "partition-link",
  "partition-one-way",
  "partition-host",
  "lossy-links",
  "slow-links",
  "disk-full",
  "disk-read-only",
  "connections",
  "lock-all",
  "lock-table",
  "large-transaction",
  "schema-change",
  "reload-balancer",
  "certificate-ends",
] as const;

export type FaultName = (typeof faultNames)[number];

export interface RequestCounts {
  /** Operations: a request and its repetition count as one. */
  readonly operations: number;
  /** Good at the first attempt: the raw client. */
  readonly rawGood: number;
  /** Good at the first or second attempt: the client that repeats an idempotent request once. */
  readonly retriedGood: number;
}

/** One failure, or two at once, and the cooldown after it. */
export interface ChaosRun extends RequestCounts {
  readonly faults: readonly FaultName[];
  readonly hosts: readonly string[];
  /** Seconds from the beginning of the soak. */
  readonly at: number;
  /** From the injection to the healing. */
  readonly seconds: number;
  /** From the healing until the group is whole. */
  readonly wholeAfterSeconds: number;
  readonly longestReadGapSeconds: number;
  readonly longestWriteGapSeconds: number;
  readonly lost: number;
  readonly doubled: number;
  /** Violations of the other rules. */
  readonly others: number;
  /** Why the site did not serve although it had to, or why the failure could not be injected. */
  readonly stalled?: string;
}

export interface ChaosReport {
  readonly seed: number;
  readonly runs: readonly ChaosRun[];
  readonly total: RequestCounts;
  readonly acknowledged: number;
  readonly verdict: "valid" | "invalid" | "unknown";
  readonly violationsByRule: Readonly<Record<string, number>>;
  /** The first few, in words. */
  readonly examples: readonly string[];
  readonly doubts: readonly string[];
}

/** The report as the command prints it. */
export function reportText(report: ChaosReport): string {
  const names = [...new Set(report.runs.map(rowName))].sort(
    (one, other) => positionOf(one) - positionOf(other),
  );
  const rows = names.map((name) =>
    rowOf(
      name,
      report.runs.filter((run) => rowName(run) === name),
    ),
  );
  const all = report.runs.length > 1 ? [rowOf("all", report.runs)] : [];
  const shares = `good requests: ${share(report.total, "rawGood")} of a client that repeats nothing, ${share(report.total, "retriedGood")} of one that repeats a request once`;
  const rules = Object.entries(report.violationsByRule).map(([rule, count]) => `  ${rule}: ${count}`);
  return [
    ...table([HEAD, ...rows, ...all]),
    "",
    `${report.total.operations} operations, ${report.acknowledged} acknowledged writes, seed ${report.seed}`,
    shares,
    ...(rules.length > 0 ? ["violations by rule:", ...rules] : []),
    ...report.examples.map((example) => `  ${example}`),
    ...report.doubts.map((doubt) => `not certain: ${doubt}`),
    `verdict: ${report.verdict}`,
  ].join("\n");
}

const COMBINED = "two at once";
const HEAD = [
  "failure",
  "number",
  "read gap",
  "write gap",
  "good, raw",
  "good, one repeat",
  "lost",
  "doubled",
  "verdict",
];

function rowName({ faults }: ChaosRun): string {
  return faults.length > 1 ? COMBINED : (faults[0] ?? "");
}

function positionOf(name: string): number {
  const position = (faultNames as readonly string[]).indexOf(name);
  return position === -1 ? faultNames.length : position;
}

function rowOf(name: string, runs: readonly ChaosRun[]): string[] {
  const sum = (of: (run: ChaosRun) => number) => runs.reduce((total, run) => total + of(run), 0);
  const longest = (of: (run: ChaosRun) => number) => `${Math.max(...runs.map(of)).toFixed(1)} s`;
  const counts = {
    operations: sum((run) => run.operations),
    rawGood: sum((run) => run.rawGood),
    retriedGood: sum((run) => run.retriedGood),
  };
  const [lost, doubled, others] = [
    sum((run) => run.lost),
    sum((run) => run.doubled),
    sum((run) => run.others),
  ];
  const stalled = runs.filter(({ stalled }) => stalled !== undefined).length;
  const verdict =
    lost + doubled + others > 0
      ? "invalid"
      : stalled > 0
        ? `stalled ${stalled}`
        : counts.operations === 0
          ? "unknown"
          : "valid";
  return [
    name,
    String(runs.length),
    longest((run) => run.longestReadGapSeconds),
    longest((run) => run.longestWriteGapSeconds),
    share(counts, "rawGood"),
    share(counts, "retriedGood"),
    String(lost),
    String(doubled),
    verdict,
  ];
}

/** Rounded down, so that 100 % means all. */
function share(counts: RequestCounts, of: "rawGood" | "retriedGood"): string {
  if (counts.operations === 0) return "none";
  return `${(Math.floor((counts[of] / counts.operations) * 10_000) / 100).toFixed(2)} %`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = HEAD.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd(),
  );
}
