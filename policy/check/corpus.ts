/**
 * Reads a corpus: small programs, each with its expected verdict in a development stack and in a production stack. A
 * verdict lists the policies that report a violation, by level.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { definitions } from "../registry";
import type { ProgramResources } from "./program";

export const environments = ["development", "production"] as const;
export type Environment = (typeof environments)[number];

export type ReportedLevel = "mandatory" | "advisory";
/** The names of the policies that report a violation, by level. */
export type Verdict = Readonly<Partial<Record<ReportedLevel, readonly string[]>>>;

export interface Program extends Readonly<Record<Environment, Verdict>> {
  readonly name: string;
  /** The purpose of the program, and its errors. */
  readonly about: string;
  /** Levels and configuration of policies, in the form of `pulumi --policy-pack-config`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly resources: ProgramResources;
}

const sharedFile = "shared.yaml";

/** Reads a folder: `shared.yaml` (anchors for all groups), and one file for each group of programs. */
export function readCorpus(folder: string): readonly Program[] {
  const shared = readFileSync(join(folder, sharedFile), "utf8");
  return readdirSync(folder)
    .filter((file) => file.endsWith(".yaml") && file !== sharedFile)
    .sort()
    .flatMap((file) => readPrograms(readFileSync(join(folder, file), "utf8"), shared));
}

/**
 * Reads the programs of one group.
 *
 * @param shared text that comes before the group's, with anchors that it uses
 * @throws Error if a program lacks a verdict, or a verdict names a policy that the pack does not have
 */
export function readPrograms(text: string, shared = ""): readonly Program[] {
  const read = parse(`${shared}\n${text}`, { merge: true, maxAliasCount: -1 }) as {
    readonly programs: Readonly<Record<string, Omit<Program, "name">>>;
  };
  return Object.entries(read.programs).map(([name, program]) => {
    for (const environment of environments) checkVerdict(`${name}, ${environment}`, program[environment]);
    return { name, ...program };
  });
}

function checkVerdict(at: string, verdict: Verdict | undefined): void {
  if (verdict === undefined) throw new Error(`${at}: expected a verdict, found none`);
  for (const [level, names] of Object.entries(verdict)) {
    if (level !== "mandatory" && level !== "advisory")
      throw new Error(`${at}: expected mandatory or advisory, got "${level}"`);
    for (const name of names)
      if (definitions.every((one) => one.name !== name)) throw new Error(`${at}: the pack has no ${name}`);
  }
}
