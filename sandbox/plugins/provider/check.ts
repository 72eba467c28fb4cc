/**
 * The engine's Check call, the first one for each resource. It takes the program's inputs and returns them with
 * defaults filled in, together with everything that is wrong with them.
 */
import { createHash, randomBytes } from "node:crypto";
import { type Field, type Fields, inputFields, isInput, type Type } from "./fields";
import { isInternalKey, isMap, isUnknown, type PropertyMap, type PropertyValue } from "./values";

export interface Problem {
  /** Property path below the resource, such as `forwardingRules[0].entryPort`; empty for the resource as a whole. */
  readonly path: string;
  readonly reason: string;
}

export interface AutoName {
  readonly name: string;
  readonly randomSeed: Uint8Array;
  /** The name that the engine proposes when the user configured auto-naming; `undefined` without such configuration. */
  readonly proposed?: string | "disabled";
}

export interface Checked {
  readonly inputs: PropertyMap;
  readonly problems: Problem[];
}

/**
 * Fills in defaults and names, converts the values that the official provider converts (a number to a string and back),
 * and lists everything that is wrong. As in the official provider's inputs, `__defaults` in each object names the
 * properties that the program left out.
 */
export function checkInputs(
  fields: Fields,
  news: PropertyMap,
  olds: PropertyMap,
  autoName: AutoName,
): Checked {
  const problems: Problem[] = [];
  const named = withName(fields, news, olds, autoName);
  const inputs = checkObject(fields, named.inputs, "", problems, named.defaulted);
  return { inputs, problems };
}

function withName(
  fields: Fields,
  news: PropertyMap,
  olds: PropertyMap,
  autoName: AutoName,
): { inputs: PropertyMap; defaulted: string[] } {
  const key = Object.keys(fields).find((candidate) => fields[candidate]?.autoname);
  if (key === undefined || isGiven(news[key]) || autoName.proposed === "disabled")
    return { inputs: news, defaulted: [] };
  const old = olds[key];
  const wasDefaulted = Array.isArray(olds.__defaults) && olds.__defaults.includes(key);
  const value = wasDefaulted && isGiven(old) ? old : (autoName.proposed ?? randomName(autoName));
  return { inputs: { ...news, [key]: value }, defaulted: [key] };
}

function randomName({ name, randomSeed }: AutoName): string {
  const seed = randomSeed.length > 0 ? createHash("sha256").update(randomSeed).digest() : randomBytes(8);
  return `${name}-${seed.toString("hex").slice(0, 7)}`;
}

function isGiven(value: PropertyValue | undefined): value is PropertyValue {
  return value !== undefined && value !== null;
}

function checkObject(
  fields: Fields,
  given: PropertyMap,
  at: string,
  problems: Problem[],
  defaulted: string[] = [],
): PropertyMap {
  const result: PropertyMap = {};
  for (const key of Object.keys(given)) {
    const field = fields[key];
    if (isInternalKey(key) || !isGiven(given[key])) continue;
    if (field === undefined || !isInput(field)) problems.push(unknownKey(fields, join(at, key)));
  }
  for (const [key, field] of inputFields(fields)) {
    let value = given[key];
    if (!isGiven(value) && field.default !== undefined) {
      value = field.default;
      defaulted.push(key);
    }
    if (!isGiven(value)) {
      if (field.presence === "required") problems.push(missing(key, join(at, key)));
      continue;
    }
    result[key] = checkField(field, value, join(at, key), problems);
    for (const other of field.conflictsWith ?? []) {
      if (isGiven(given[key]) && isGiven(given[other])) {
        problems.push({
          path: join(at, key),
          reason: `Conflicting configuration arguments. "${key}" conflicts with "${other}"`,
        });
      }
    }
  }
  result.__defaults = defaulted.sort();
  return result;
}

function join(at: string, key: string): string {
  return at === "" ? key : `${at}.${key}`;
}

function missing(key: string, path: string): Problem {
  return {
    path,
    reason: `Missing required argument. The argument "${key}" is required, but no definition was found`,
  };
}

function unknownKey(fields: Fields, path: string): Problem {
  const known = inputFields(fields).map(([name]) => name);
  return { path, reason: `Invalid or unknown key. Known arguments: ${known.sort().join(", ")}` };
}

function checkField(field: Field, value: PropertyValue, path: string, problems: Problem[]): PropertyValue {
  const result = checkValue(field.type, value, path, problems);
  if (isUnknown(result)) return result;
  for (const validate of field.validate ?? []) {
    const reason = validate(result);
    if (reason !== undefined) problems.push({ path, reason: `Invalid value. "${lastKey(path)}" ${reason}` });
  }
  return result;
}

function lastKey(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

function checkValue(type: Type, value: PropertyValue, path: string, problems: Problem[]): PropertyValue {
  if (isUnknown(value)) return value;
  switch (type.kind) {
    case "list":
    case "set":
      return checkArray(type, value, path, problems);
    case "map":
      if (!isMap(value)) return wrongType("a map", value, path, problems);
      return Object.fromEntries(
        Object.entries(value)
          .filter(([key]) => !isInternalKey(key))
          .map(([key, item]) => [key, checkValue(type.values, item, join(path, key), problems)]),
      );
    case "object":
      if (!isMap(value)) return wrongType("an object", value, path, problems);
      return checkObject(type.fields, value, path, problems);
    default:
      return checkScalar(type.kind, value, path, problems);
  }
}

function checkArray(
  type: Extract<Type, { kind: "list" | "set" }>,
  value: PropertyValue,
  path: string,
  problems: Problem[],
): PropertyValue {
  if (!Array.isArray(value)) return wrongType("a list", value, path, problems);
  return value.map((item, index) => {
    const at = `${path}[${index}]`;
    const result = checkValue(type.items, item, at, problems);
    if (isUnknown(result)) return result;
    for (const validate of type.validate ?? []) {
      const reason = validate(result);
      if (reason !== undefined)
        problems.push({ path: at, reason: `Invalid value. An item of "${lastKey(path)}" ${reason}` });
    }
    return result;
  });
}

function checkScalar(
  kind: "string" | "integer" | "number" | "boolean",
  value: PropertyValue,
  path: string,
  problems: Problem[],
): PropertyValue {
  if (kind === "string") {
    if (typeof value === "string") return value;
    if (typeof value === "number" || typeof value === "boolean") return String(value);
    return wrongType("a string", value, path, problems);
  }
  if (kind === "boolean") {
    if (typeof value === "boolean") return value;
    if (value === "true" || value === "false") return value === "true";
    return wrongType("a boolean", value, path, problems);
  }
  const amount = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof amount !== "number" || !Number.isFinite(amount))
    return wrongType("a number", value, path, problems);
  if (kind === "integer" && !Number.isInteger(amount))
    return wrongType("a whole number", value, path, problems);
  return amount;
}

function wrongType(wanted: string, value: PropertyValue, path: string, problems: Problem[]): PropertyValue {
  const got =
    value === null
      ? "nothing"
      : Array.isArray(value)
        ? "a list"
        : isMap(value)
          ? "an object"
          : `a ${typeof value}`;
  problems.push({ path, reason: `Incorrect attribute value type. Expected ${wanted}, got ${got}` });
  return value;
}
