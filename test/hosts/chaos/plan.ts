/** Which faults strike which hosts and for how long: the whole of a run, from its seed alone. */
import type { FaultName } from "../../../scripts/chaos/report";
import { type Random, randomFrom, shuffled } from "./random";

/** What the plan has to know of a fault. */
export interface Reach {
  /** How many members it strikes. */
  readonly strikes: number | "all";
  /** How many members the group may lose by it. A group serves as long as it has more than half of them. */
  readonly costs: number | "all";
  /** No other fault may be there at the same time. */
  readonly isAlone?: boolean;
}

export interface Strike {
  readonly fault: FaultName;
  /** Positions in the list of members. */
  readonly members: readonly number[];
}

export interface Step {
  /** One, or two that are there at the same time. */
  readonly strikes: readonly Strike[];
  /** How long they last at least. */
  readonly seconds: number;
}

const SHORTEST_S = 4;
const LONGEST_S = 12;
const SHARE_OF_TWO = 0.25;

export interface PlanOptions {
  readonly members: number;
  /** Only faults, alone and together, that leave a majority of the members. */
  readonly keepsMajority?: boolean;
}

/** True if a majority of the members takes part while these faults are there. */
export function leavesMajority(faults: readonly Reach[], members: number): boolean {
  const lost = faults.reduce((sum, { costs }) => sum + (costs === "all" ? members : costs), 0);
  return lost * 2 < members;
}

/**
 * Steps without end. Every fault comes once before any comes again. A second fault strikes other members than the
 * first, so that each is the fault that its name says. Throws if no fault is left to choose from.
 */
export function* plan(
  seed: number,
  all: ReadonlyMap<FaultName, Reach>,
  { members, keepsMajority = false }: PlanOptions,
): Generator<Step, never> {
  const random = randomFrom(seed);
  const isAllowed = (...reaches: Reach[]) => !keepsMajority || leavesMajority(reaches, members);
  const faults = new Map([...all].filter(([, reach]) => isAllowed(reach)));
  if (faults.size === 0) throw new Error("no fault to choose from leaves a majority of the members");
  for (;;) {
    for (const name of shuffled([...faults.keys()], random)) {
      const order = shuffled(
        Array.from({ length: members }, (_, index) => index),
        random,
      );
      const first = strike(name, faults, order);
      const others = order.filter((member) => !first.members.includes(member));
      const second = random() < SHARE_OF_TWO ? secondOf(first, faults, others, random, isAllowed) : undefined;
      const seconds = SHORTEST_S + Math.floor(random() * (LONGEST_S - SHORTEST_S + 1));
      yield { strikes: second ? [first, second] : [first], seconds };
    }
  }
}

function strike(fault: FaultName, faults: ReadonlyMap<FaultName, Reach>, order: readonly number[]): Strike {
  const count = faults.get(fault)?.strikes;
  return { fault, members: count === "all" ? order : order.slice(0, count) };
}

function secondOf(
  first: Strike,
  faults: ReadonlyMap<FaultName, Reach>,
  others: readonly number[],
  random: Random,
  isAllowed: (...reaches: Reach[]) => boolean,
): Strike | undefined {
  const reach = faults.get(first.fault);
  if (!reach || reach.isAlone) return undefined;
  const possible = [...faults].filter(
    ([name, other]) =>
      name !== first.fault &&
      !other.isAlone &&
      other.strikes !== "all" &&
      other.strikes <= others.length &&
      isAllowed(reach, other),
  );
  const [name] = possible[Math.floor(random() * possible.length)] ?? [];
  return name && strike(name, faults, others);
}
