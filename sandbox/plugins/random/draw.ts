/** Random strings from sets of characters, with an unbiased cryptographic source. */
import { randomInt } from "node:crypto";

const lower = "abcdefghijklmnopqrstuvwxyz";
const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const numeric = "0123456789";
/** The official provider's set of special characters. */
const special = "!@#$%&*()-_=+[]{}<>:?";

export interface Alphabet {
  readonly length: number;
  readonly lower: boolean;
  readonly upper: boolean;
  readonly numeric: boolean;
  readonly special: boolean;
  readonly minLower: number;
  readonly minUpper: number;
  readonly minNumeric: number;
  readonly minSpecial: number;
  /** Replaces the default special characters. */
  readonly overrideSpecial?: string;
}

/**
 * Returns a string of `length` characters with at least the given number of each kind, in random order.
 *
 * @throws Error if no kind of character is allowed
 */
export function drawString(wanted: Alphabet): string {
  const specials = wanted.overrideSpecial || special;
  const all = [
    wanted.upper ? upper : "",
    wanted.lower ? lower : "",
    wanted.numeric ? numeric : "",
    wanted.special ? specials : "",
  ].join("");
  const drawn = [
    ...draw(numeric, wanted.minNumeric),
    ...draw(lower, wanted.minLower),
    ...draw(upper, wanted.minUpper),
    ...draw(specials, wanted.minSpecial),
  ];
  return shuffled([...drawn, ...draw(all, wanted.length - drawn.length)]).join("");
}

function draw(characters: string, count: number): string[] {
  if (count > 0 && characters === "") {
    throw new Error("no kind of character is allowed: set one of lower, upper, numeric and special to true");
  }
  const each = [...characters];
  return Array.from({ length: Math.max(0, count) }, () => each[randomInt(each.length)] ?? "");
}

function shuffled(items: string[]): string[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = randomInt(last + 1);
    [items[last], items[other]] = [items[other] ?? "", items[last] ?? ""];
  }
  return items;
}
