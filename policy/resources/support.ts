/** Problems with dates at which support ends, and with flags that have a default. */
import { describeState } from "../evidence/host";
import type { JudgmentContext } from "../frame/definition";
import type { JudgedResource } from "../frame/resource";
import type { Inputs } from "../frame/value";

const dayMs = 86_400_000;

/**
 * The problem with a release whose support ends on a day (such as "2026-04-30"), if fewer days are left than required;
 * otherwise undefined.
 */
export function endOfSupport(end: string, now: Date, minimumDays: number): string | undefined {
  const left = Math.floor((Date.parse(end) - now.getTime()) / dayMs);
  if (left >= minimumDays) return undefined;
  return left < 0 ? `support for this release ended on ${end}` : `support for this release ends on ${end}`;
}

/** A flag that must have a value, and the default where it is absent. */
interface RequiredFlag {
  readonly name: string;
  readonly wanted: boolean;
  readonly fallback: boolean;
  readonly why: string;
  readonly fix: string;
}

/** Reports a resource whose flag does not have the required value. */
export function reportFlag(
  resource: JudgedResource,
  { name, wanted, fallback, why, fix }: RequiredFlag,
  context: JudgmentContext,
): void {
  const problem = flagProblem(resource.inputs, name, wanted, fallback);
  if (problem !== undefined) context.report(resource, { at: name, problem, why, fix });
}

/** The problem with a flag that must be `wanted`; undefined if there is none. An absent flag has the default. */
export function flagProblem(
  inputs: Inputs,
  name: string,
  wanted: boolean,
  fallback: boolean,
): string | undefined {
  const flag = inputs.flag(name);
  if (flag.state === "known") return flag.value === wanted ? undefined : `${name} is ${flag.value}`;
  if (flag.state === "absent")
    return fallback === wanted ? undefined : `${name} is not set, and the default is ${fallback}`;
  return `the value of ${name} ${describeState(flag)}`;
}
