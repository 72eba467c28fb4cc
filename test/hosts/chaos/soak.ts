import type { ChaosReport, ChaosRun, FaultName } from "../../../scripts/chaos/report";
import { waitFor } from "../../waitFor";
import { until } from "../workloads/measure";
import type { World } from "../world/world";
import { contents } from "./contents";
import { FAULTS, prepareFaults, removeFaults, type Struck } from "./faults";
import type { Judgement, Violation } from "./history";
import { leavesMajority, plan, type Step } from "./plan";
import { Sessions } from "./sessions";

export interface SoakOptions {
  readonly seed: number;
  readonly faults: readonly FaultName[];
  /** Leaves out what takes a majority of the members, and what does so together. */
  readonly keepsMajority?: boolean;
  /** Ends after so many steps, each one fault or two at once. */
  readonly steps?: number;
  /** Begins no step after so many seconds. */
  readonly seconds?: number;
  readonly tell: (line: string) => void;
  /** The soak ends after the step in progress. */
  readonly signal?: AbortSignal;
}

/** From the beginning of a step to that of the next, if the group is whole by then. */
const STEP_S = 20;
const SERVES_WITHIN_S = 120;
const WHOLE_WITHIN_S = 300;
const EXAMPLES = 12;

/** A step that has ended, in milliseconds of this machine's clock, without what the end of the history adds. */
interface Passed extends Omit<ChaosRun, "lost" | "doubled" | "others"> {
  readonly from: number;
  readonly to: number;
}

/** Faults at random from a seed under visitors' load, and the judgement of all that the visitors did and saw. */
export async function soak(world: World, options: SoakOptions): Promise<ChaosReport> {
  const {
    seed,
    steps = Number.POSITIVE_INFINITY,
    seconds = Number.POSITIVE_INFINITY,
    tell,
    signal,
  } = options;
  await prepareFaults(world);
  const sessions = Sessions.start(world);
  const passed: Passed[] = [];
  const doubts: string[] = [];
  const begin = Date.now();
  let told = 0;
  try {
    await sessions.fillList(120);
    const { keepsMajority = false } = options;
    const choice = { members: world.hostsWith("database").length, keepsMajority };
    const reaches = new Map(options.faults.map((name) => [name, FAULTS[name]]));
    for (const step of plan(seed, reaches, choice)) {
      const isOver = passed.length >= steps || Date.now() - begin > seconds * 1000;
      if (isOver || signal?.aborted) break;
      const one = await passThrough(world, sessions, step, begin);
      passed.push(one);
      tell(lineOf(one, passed.length));
      for (const violation of sessions.history.violations.slice(told, told + 3))
        tell(`  ${wordsOf(violation)}`);
      told = sessions.history.violations.length;
    }
  } catch (error) {
    doubts.push(error instanceof Error ? error.message : String(error));
    tell(String(doubts));
  } finally {
    await sessions.stop();
  }
  const members = await contents(world, sessions.prefix);
  const judgement = sessions.history.judge(members);
  if (doubts.length === 0) await removeFaults(world);
  return reportOf(seed, passed, sessions, withDoubts(judgement, doubts));
}

/** A history without a violation is not valid if the soak did not come to its end. */
function withDoubts(judgement: Judgement, more: readonly string[]): Judgement {
  const doubts = [...judgement.doubts, ...more];
  const isUnsure = judgement.verdict === "valid" && doubts.length > 0;
  return { ...judgement, doubts, verdict: isUnsure ? "unknown" : judgement.verdict };
}

/** Makes a step's faults, lifts them, and waits until all is whole. Throws if it does not become so. */
async function passThrough(world: World, sessions: Sessions, step: Step, begin: number): Promise<Passed> {
  const all = world.hostsWith("database");
  const strikes = step.strikes.map(({ fault, members }) => {
    const hosts = members.flatMap((index) => all[index] ?? []);
    return { name: fault, fault: FAULTS[fault], struck: { world, hosts } satisfies Struck };
  });
  const from = Date.now();
  let stalled: string | undefined;
  try {
    for (const { fault, struck } of strikes) await fault.inject(struck);
    const faults = strikes.map(({ fault }) => fault);
    if (leavesMajority(faults, all.length))
      await sessions.goOn(`during ${strikes.map(({ name }) => name).join(" and ")}`, SERVES_WITHIN_S);
    await until(from + step.seconds * 1000);
  } catch (error) {
    stalled = String(error).split("\n")[0] ?? "";
  }
  for (const { name, fault, struck } of strikes)
    await waitFor(`${name} is lifted`, () => fault.heal(struck).then(() => true), {
      within: WHOLE_WITHIN_S,
      every: 2,
    });
  const healed = Date.now();
  await waitFor("every member ONLINE", () => world.databaseIsWhole(), {
    within: WHOLE_WITHIN_S,
    explain: () => world.complaints(),
  });
  await world.waitUntilReady(WHOLE_WITHIN_S);
  await sessions.goOn("after the fault", SERVES_WITHIN_S);
  const wholeAfterSeconds = (Date.now() - healed) / 1000;
  await until(from + STEP_S * 1000);
  const to = Date.now();
  return {
    from,
    to,
    faults: strikes.map(({ name }) => name),
    hosts: strikes.flatMap(({ struck }) => struck.hosts.map(({ name }) => name)),
    at: (from - begin) / 1000,
    seconds: (healed - from) / 1000,
    wholeAfterSeconds,
    longestReadGapSeconds: sessions.longestGapSeconds("read", from, to),
    longestWriteGapSeconds: sessions.longestGapSeconds("append", from, to),
    ...sessions.counts(from, to),
    ...(stalled === undefined ? {} : { stalled }),
  };
}

function lineOf(run: Passed, number: number): string {
  const clock = new Date(run.at * 1000).toISOString().slice(11, 19);
  const { operations, rawGood, retriedGood } = run;
  const good = `${rawGood} of ${operations} good${retriedGood === rawGood ? "" : `, ${retriedGood} after one repeat`}`;
  return [
    `${clock}  ${number}. ${run.faults.join(" and ")} (${[...new Set(run.hosts)].join(", ")})`,
    `${run.seconds.toFixed(0)} s, whole after ${run.wholeAfterSeconds.toFixed(0)} s`,
    `gaps: reads ${run.longestReadGapSeconds.toFixed(1)} s, writes ${run.longestWriteGapSeconds.toFixed(1)} s`,
    good,
    ...(run.stalled ? [`STALLED: ${run.stalled}`] : []),
  ].join("; ");
}

function reportOf(
  seed: number,
  passed: readonly Passed[],
  sessions: Sessions,
  { verdict, violations, doubts }: Judgement,
): ChaosReport {
  const count = (rules: (rule: string) => boolean, { from, to }: Passed) =>
    violations.filter(({ rule, at }) => rules(rule) && at !== undefined && at >= from && at < to).length;
  const runs = passed.map((one): ChaosRun => {
    const { from: _from, to: _to, ...run } = one;
    return {
      ...run,
      lost: count((rule) => rule === "lost", one),
      doubled: count((rule) => rule === "doubled", one),
      others: count((rule) => rule !== "lost" && rule !== "doubled", one),
    };
  });
  return {
    seed,
    runs,
    total: sessions.counts(),
    acknowledged: sessions.acknowledged,
    verdict: verdict === "valid" && runs.length === 0 ? "unknown" : verdict,
    violationsByRule: countsByRule(violations),
    examples: violations.slice(0, EXAMPLES).map(wordsOf),
    doubts: runs.length === 0 ? [...doubts, "no fault was injected"] : doubts,
  };
}

function countsByRule(violations: readonly Violation[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { rule } of violations) counts[rule] = (counts[rule] ?? 0) + 1;
  return counts;
}

function wordsOf({ rule, at, detail }: Violation): string {
  return `${rule}: ${detail}${at === undefined ? "" : ` (${new Date(at).toISOString()})`}`;
}
