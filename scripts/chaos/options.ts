import { randomInt } from "node:crypto";
import type { CommandArguments } from "../commandLine";
import { usageFailure } from "../failure";
import { type FaultName, faultNames } from "./report";

const defaultMinutes = 30;
const longestMinutes = 24 * 60;
const mostRuns = 10_000;
const largestSeed = 2 ** 32 - 1;

/** The order for the process that runs the soak. */
export interface ChaosOptions {
  readonly seed: number;
  readonly faults: readonly FaultName[];
  readonly keepsMajority: boolean;
  readonly seconds?: number;
  readonly steps?: number;
}

/**
 * The options of the command. Without --minutes and --runs it takes 30 minutes; with both, it ends at whichever comes
 * first. Throws a Failure (exit code 2) that names the wrong option and what it accepts.
 */
export function chaosOptions(
  args: Pick<CommandArguments, "text" | "flag">,
  newSeed = () => randomInt(largestSeed),
): ChaosOptions {
  const minutes = wholeNumber("minutes", args.text("minutes"), 1, longestMinutes);
  const steps = wholeNumber("runs", args.text("runs"), 1, mostRuns);
  const limit = minutes ?? (steps === undefined ? defaultMinutes : undefined);
  return {
    seed: wholeNumber("seed", args.text("seed"), 0, largestSeed) ?? newSeed(),
    // prose-allow fault: the name of the option
    faults: chosen(args.text("faults")),
    keepsMajority: args.flag("majority"),
    ...(limit === undefined ? {} : { seconds: limit * 60 }),
    ...(steps === undefined ? {} : { steps }),
  };
}

function wholeNumber(
  option: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw usageFailure(`--${option}: expected a whole number from ${least} to ${most}, got "${text}"`);
}

function chosen(text: string | undefined): readonly FaultName[] {
  if (text === undefined) return faultNames;
  const names = text.split(",").map((name) => name.trim());
  const unknown = names.filter((name) => !(faultNames as readonly string[]).includes(name));
  if (unknown.length > 0)
    throw usageFailure(
      // prose-allow fault: the name of the option
      `--faults: unknown name ${unknown.map((name) => `"${name}"`).join(", ")}`,
      `Names: ${faultNames.join(", ")}.`,
    );
  return [...new Set(names)] as FaultName[];
}
