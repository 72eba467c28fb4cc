/** Scores the pack on a corpus: compares its reports on the first preview of each program with the expected verdict. */
import { definitions } from "../registry";
import { type Environment, environments, type Program, type ReportedLevel, type Verdict } from "./corpus";
import { judgeState, type PolicySetting } from "./judge";
import { previewOf } from "./program";
import { readPolicySettings } from "./settings";

/** The names of the stacks that stand in for the environments. */
const stacks: Readonly<Record<Environment, string>> = { development: "dev", production: "prod" };

/** A policy whose report differs from the expected verdict. */
export interface Difference {
  readonly kind: "missed" | "false alarm";
  readonly environment: Environment;
  readonly program: string;
  readonly policy: string;
  readonly level: ReportedLevel;
  /** The first message of a false alarm. */
  readonly message?: string;
}

export interface Score {
  readonly programs: number;
  /** How many are sound (`isSound`). */
  readonly sound: number;
  readonly caught: Readonly<Record<Environment, number>>;
  readonly differences: readonly Difference[];
}

export function scoreOf(programs: readonly Program[]): Score {
  const caught = { development: 0, production: 0 };
  const differences: Difference[] = [];
  for (const program of programs)
    for (const environment of environments) {
      const expected = entriesOf(program[environment]);
      const found = judged(program, environment);
      for (const [key, [policy, level]] of expected) {
        if (found.has(key)) caught[environment] += 1;
        else differences.push({ kind: "missed", environment, program: program.name, policy, level });
      }
      for (const [key, { policy, level, message }] of found)
        if (!expected.has(key))
          differences.push({
            kind: "false alarm",
            environment,
            program: program.name,
            policy,
            level,
            message,
          });
    }
  return { programs: programs.length, sound: programs.filter(isSound).length, caught, differences };
}

/** True if no mandatory policy refuses the program in any environment, by its expected verdict. */
export const isSound = (program: Program): boolean =>
  environments.every((environment) => !program[environment].mandatory?.length);

function entriesOf(verdict: Verdict): ReadonlyMap<string, readonly [policy: string, level: ReportedLevel]> {
  const levels = ["mandatory", "advisory"] as const;
  return new Map(
    levels.flatMap((level) =>
      (verdict[level] ?? []).map((policy) => [`${level} ${policy}`, [policy, level]] as const),
    ),
  );
}

/** Verdicts on versions depend on the day, so the corpus has one. */
const corpusDay = new Date("2026-11-29");

function judged(program: Program, environment: Environment) {
  const stack = stacks[environment];
  const given: ReadonlyMap<string, PolicySetting> = readPolicySettings(
    JSON.stringify(program.settings ?? {}),
    definitions,
  );
  const state = previewOf(program.resources, stack, "corpus");
  const { findings } = judgeState(state, definitions, { stack, config: new Map(), now: corpusDay }, given);
  const found = new Map<string, { policy: string; level: ReportedLevel; message: string }>();
  for (const { policy, level, message } of findings) {
    const key = `${level} ${policy.name}`;
    if (!found.has(key)) found.set(key, { policy: policy.name, level, message });
  }
  return found;
}

/** The score as a table, and a line for each difference. */
export function scoreReport({ programs, sound, caught, differences }: Score): string {
  const count = (environment: Environment, kind: Difference["kind"]) =>
    differences.filter((one) => one.environment === environment && one.kind === kind).length;
  const rows = environments.map((environment) => [
    environment,
    caught[environment],
    count(environment, "missed"),
    count(environment, "false alarm"),
  ]);
  const lines = [["", "caught", "missed", "false alarms"], ...rows].map((cells) =>
    cells
      .map((cell, at) => (at === 0 ? String(cell).padEnd(12) : String(cell).padStart(14)))
      .join("")
      .trimEnd(),
  );
  const details = differences.map(
    ({ kind, environment, program, policy, level, message }) =>
      `${kind}: ${program}, ${environment}: ${policy} (${level})${message === undefined ? "" : `\n  ${message}`}`,
  );
  const head = `${programs} programs, ${sound} of them sound\n`;
  return `${[head, ...lines, ...(details.length > 0 ? ["", ...details] : [])].join("\n")}\n`;
}
