/** The stand-in for the random plugin. Every change of an input creates a new value, so all inputs replace. */
import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { hash } from "bcryptjs";
import type { Problem } from "../provider/check";
import {
  boolean,
  computed,
  type Field,
  type Fields,
  integer,
  map,
  optional,
  optionalComputed,
  required,
  string,
} from "../provider/fields";
import type { Provider, ResourceType } from "../provider/resource";
import { atLeast, matching } from "../provider/validators";
import { isUnknown, type PropertyMap } from "../provider/values";
import { drawString } from "./draw";
import { adjectives, adverbs, animals } from "./words";

/** The random plugin needs no client. */
type None = Record<string, never>;

const replaces = { replaces: true } as const;
const keepers: Field = optional(map(string), replaces);

/** A random value exists only in the state: reading returns the state, and deleting does nothing. */
const stateOnly: Pick<ResourceType<None>, "read" | "settle" | "delete"> = {
  read: async (_op, _id, prior) => ({ state: prior }),
  settle: async (_op, _id, prior) => prior,
  delete: async () => {},
};

const randomId: ResourceType<None> = {
  ...stateOnly,
  name: "RandomId",
  fields: {
    byteLength: required(integer, { ...replaces, validate: [atLeast(1)] }),
    keepers,
    prefix: optional(string, replaces),
    b64Url: computed(string),
    b64Std: computed(string),
    hex: computed(string),
    dec: computed(string),
  },
  async create(_op, inputs) {
    const bytes = randomBytes(Number(inputs.byteLength));
    return { id: bytes.toString("base64url"), state: idState(bytes, String(inputs.prefix ?? "")) };
  },
  async read(_op, id, prior) {
    if (prior.byteLength !== undefined) return { state: prior };
    const parts = id.split(",");
    const encoded = parts.pop() ?? "";
    const prefix = parts.join(",");
    const bytes = Buffer.from(encoded, "base64url");
    if (bytes.length === 0)
      throw new Error(`to import a RandomId use its base64url form or "prefix,base64url", not "${id}"`);
    const state = {
      byteLength: bytes.length,
      ...idState(bytes, prefix),
      ...(prefix === "" ? {} : { prefix }),
    };
    return { id: encoded, state };
  },
};

function idState(bytes: Buffer, prefix: string): PropertyMap {
  const hex = bytes.toString("hex");
  return {
    b64Url: prefix + bytes.toString("base64url"),
    b64Std: prefix + bytes.toString("base64"),
    hex: prefix + hex,
    dec: prefix + BigInt(`0x${hex}`).toString(),
  };
}

const count: Field = optionalComputed(integer, { ...replaces, stateDefault: 0, validate: [atLeast(0)] });
const allowed: Field = optionalComputed(boolean, { ...replaces, stateDefault: true });
/** `number` is the old name of `numeric`; both are the same setting. */
const digits: Field = optionalComputed(boolean, replaces);

const stringFields: Fields = {
  length: required(integer, { ...replaces, validate: [atLeast(1)] }),
  keepers,
  lower: allowed,
  upper: allowed,
  special: allowed,
  numeric: digits,
  number: { ...digits, deprecated: "**NOTE**: This is deprecated, use `numeric` instead." },
  minLower: count,
  minUpper: count,
  minNumeric: count,
  minSpecial: count,
  overrideSpecial: optional(string, replaces),
};

function stringProblems(inputs: PropertyMap): Problem[] {
  const minima = ["minLower", "minUpper", "minNumeric", "minSpecial"].map((key) => inputs[key] ?? 0);
  const problems: Problem[] = [];
  if (typeof inputs.length === "number" && !minima.some(isUnknown)) {
    const needed = minima.reduce<number>((sum, value) => sum + Number(value), 0);
    if (inputs.length < needed) {
      const reason = `Invalid value. "length" must be ${needed} or more: the sum of minLower, minUpper, minNumeric and minSpecial`;
      problems.push({ path: "length", reason });
    }
  }
  if (inputs.number !== undefined && inputs.numeric !== undefined && inputs.number !== inputs.numeric) {
    problems.push({
      path: "number",
      reason: 'Conflicting configuration arguments. "number" conflicts with "numeric"',
    });
  }
  return problems;
}

function withDigits(inputs: PropertyMap): boolean {
  return (inputs.numeric ?? inputs.number ?? true) === true;
}

function drawFor(inputs: PropertyMap): string {
  const flag = (key: string) => inputs[key] !== false;
  const minimum = (key: string) => Number(inputs[key] ?? 0);
  return drawString({
    length: Number(inputs.length),
    lower: flag("lower"),
    upper: flag("upper"),
    special: flag("special"),
    numeric: withDigits(inputs),
    minLower: minimum("minLower"),
    minUpper: minimum("minUpper"),
    minNumeric: minimum("minNumeric"),
    minSpecial: minimum("minSpecial"),
    ...(inputs.overrideSpecial === undefined ? {} : { overrideSpecial: String(inputs.overrideSpecial) }),
  });
}

/** Finds a change of `numeric` that the inputs do not show by themselves: it was removed, or `number` changed. */
function changedDigits(state: PropertyMap, inputs: PropertyMap): string[] {
  if (isUnknown(inputs.numeric) || isUnknown(inputs.number) || state.numeric === undefined) return [];
  return state.numeric === withDigits(inputs) ? [] : ["numeric"];
}

function importedString(result: string): PropertyMap {
  return {
    result,
    length: result.length,
    lower: true,
    upper: true,
    special: true,
    numeric: true,
    number: true,
    minLower: 0,
    minUpper: 0,
    minNumeric: 0,
    minSpecial: 0,
  };
}

const randomString: ResourceType<None> = {
  ...stateOnly,
  name: "RandomString",
  fields: { ...stringFields, result: computed(string) },
  problems: stringProblems,
  forcedReplacements: changedDigits,
  async create(_op, inputs) {
    const [result, numeric] = [drawFor(inputs), withDigits(inputs)];
    return { id: result, state: { result, numeric, number: numeric } };
  },
  async read(_op, id, prior) {
    return { state: prior.result === undefined ? importedString(id) : prior };
  },
};

/** The official provider's cost. bcrypt uses only the first 72 bytes of a password. */
const bcryptRounds = 10;

const randomPassword: ResourceType<None> = {
  ...stateOnly,
  name: "RandomPassword",
  fields: {
    ...stringFields,
    result: computed(string, { secret: true }),
    bcryptHash: computed(string, { secret: true }),
  },
  problems: stringProblems,
  forcedReplacements: changedDigits,
  async create(_op, inputs) {
    const [result, numeric] = [drawFor(inputs), withDigits(inputs)];
    return {
      id: "none",
      state: { result, numeric, number: numeric, bcryptHash: await hash(result, bcryptRounds) },
    };
  },
  async read(_op, id, prior) {
    if (prior.result !== undefined) return { state: prior };
    return { id: "none", state: { ...importedString(id), bcryptHash: await hash(id, bcryptRounds) } };
  },
};

const randomPet: ResourceType<None> = {
  ...stateOnly,
  name: "RandomPet",
  fields: {
    keepers,
    length: optionalComputed(integer, { ...replaces, stateDefault: 2, validate: [atLeast(1)] }),
    prefix: optional(string, replaces),
    separator: optionalComputed(string, { ...replaces, stateDefault: "-" }),
  },
  async create(_op, inputs) {
    const separator = String(inputs.separator ?? "-");
    const words = petName(Number(inputs.length ?? 2));
    return {
      id: [...(inputs.prefix === undefined ? [] : [String(inputs.prefix)]), ...words].join(separator),
    };
  },
};

function petName(length: number): string[] {
  const pick = (words: readonly string[]) => words[randomInt(words.length)] ?? "";
  const described = length > 1 ? [pick(adjectives), pick(animals)] : [pick(animals)];
  return [...Array.from({ length: Math.max(0, length - 2) }, () => pick(adverbs)), ...described];
}

const uuid = matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, "is not a UUID");

const randomUuid: ResourceType<None> = {
  ...stateOnly,
  name: "RandomUuid",
  fields: { keepers, result: computed(string) },
  async create() {
    const result = randomUUID();
    return { id: result, state: { result } };
  },
  async read(_op, id, prior) {
    if (prior.result !== undefined) return { state: prior };
    if (uuid(id) !== undefined) throw new Error(`"${id}" ${uuid(id)}`);
    return { state: { result: id } };
  },
};

export const random: Provider<None> = {
  name: "random",
  schemaOmitsReplaces: true,
  config: {},
  configure: () => ({}),
  resources: [randomId, randomPassword, randomPet, randomString, randomUuid],
  functions: [],
};
