/** Which faults strike which hosts and for how long: the whole of a run, from its seed alone. */
import type { FaultName } from "../../../scripts/chaos/report";
import { type Random, randomFrom, shuffled } from "./random";

/** What the plan has to know of a fault. */
export interface Reach {
  /** How many members it strikes. */
  readonly strikes: number | "all";
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

/**
 * Steps without end. Every fault comes once before any comes again. A second fault strikes other members than the
 * first, so that each is the fault that its name says.
 */
export function* plan(
  seed: number,
  faults: ReadonlyMap<FaultName, Reach>,
  members: number,
): Generator<Step, never> {
  const random = randomFrom(seed);
  for (;;) {
    for (const name of shuffled([...faults.keys()], random)) {
      const order = shuffled(
        Array.from({ length: members }, (_, index) => index),
        random,
      );
      const first = strike(name, faults, order);
      const others = order.filter((member) => !first.members.includes(member));
      const second = random() < SHARE_OF_TWO ? secondOf(first, faults, others, random) : undefined;
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
): Strike | undefined {
  if (faults.get(first.fault)?.isAlone) return undefined;
  const possible = [...faults].filter(
    ([name, { strikes, isAlone }]) =>
      name !== first.fault && !isAlone && strikes !== "all" && strikes <= others.length,
  );
  const [name] = possible[Math.floor(random() * possible.length)] ?? [];
  return name && strike(name, faults, others);
}
