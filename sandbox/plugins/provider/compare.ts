/**
 * Compares the inputs of a program with the state of a resource. The rules are those of Terraform's plugin SDK, which
 * the official provider is built on: an absent value equals a zero value, the order of a set does not matter, and a
 * value that the API chose (optional and computed) stays when the program does not set it.
 */
import { type Field, type Fields, inputFields, type Type } from "./fields";
import {
  containsUnknown,
  isInternalKey,
  isMap,
  isUnknown,
  type PropertyMap,
  type PropertyValue,
} from "./values";

export type ChangeKind = "add" | "delete" | "update";

export interface Change {
  readonly key: string;
  readonly kind: ChangeKind;
  readonly replaces: boolean;
  /** True when the old and the new inputs differ; false when only the state differs. */
  readonly inInputs: boolean;
}

type Given = PropertyValue | undefined;

/** The changes that bring a resource from its state to the program's (checked) inputs. */
export function compare(
  fields: Fields,
  inputs: PropertyMap,
  state: PropertyMap,
  oldInputs: PropertyMap,
): Change[] {
  const changes: Change[] = [];
  for (const [key, field] of inputFields(fields)) {
    if (sameField(field, inputs[key], state[key], inputs)) continue;
    changes.push({
      key,
      kind: isZero(state[key]) ? "add" : isZero(inputs[key]) ? "delete" : "update",
      replaces: replaces(field, inputs[key], state[key]),
      inInputs: !deepEqual(inputs[key], oldInputs[key]),
    });
  }
  return changes;
}

function replaces(field: Field, input: Given, state: Given): boolean {
  return typeof field.replaces === "function" ? field.replaces(input, state) : field.replaces === true;
}

/** True when the state already has what the input asks for. */
export function sameField(field: Field, input: Given, state: Given, inputs: PropertyMap): boolean {
  if (input === undefined || input === null) {
    if (field.stateDefault !== undefined) return deepEqual(field.stateDefault, state);
    return field.presence === "optionalComputed" || field.staysWhenAbsent === true || isZero(state);
  }
  if (containsUnknown(input)) return false;
  if (state !== undefined && state !== null && field.sameAs?.(input, state, inputs)) return true;
  return sameValue(field.type, field.stateOf ? field.stateOf(input) : input, state);
}

function sameValue(type: Type, input: Given, state: Given): boolean {
  if (isZero(input) || isZero(state)) return isZero(input) && isZero(state);
  switch (type.kind) {
    case "list":
      return sameList(type.items, input, state);
    case "set":
      return sameSet(type.items, input, state);
    case "map":
      return deepEqual(input, state);
    case "object":
      return isMap(input) && isMap(state) && sameObject(type.fields, input, state);
    default:
      return String(input) === String(state);
  }
}

function sameObject(fields: Fields, input: PropertyMap, state: PropertyMap): boolean {
  return inputFields(fields).every(([key, field]) => sameField(field, input[key], state[key], input));
}

function sameList(items: Type, input: Given, state: Given): boolean {
  if (!Array.isArray(input) || !Array.isArray(state) || input.length !== state.length) return false;
  return input.every((item, index) => sameValue(items, item, state[index]));
}

function sameSet(items: Type, input: Given, state: Given): boolean {
  if (!Array.isArray(input) || !Array.isArray(state)) return false;
  const left = [...state];
  for (const item of input) {
    const index = left.findIndex((candidate) => sameValue(items, item, candidate));
    // A set holds a repeated value once.
    if (index === -1 && !state.some((candidate) => sameValue(items, item, candidate))) return false;
    if (index !== -1) left.splice(index, 1);
  }
  return left.length === 0;
}

/** True for absent, empty and zero values, which Terraform's SDK cannot tell apart. */
export function isZero(value: Given): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  if (isUnknown(value)) return false;
  if (Array.isArray(value)) return value.length === 0;
  return isMap(value) && Object.keys(value).filter((key) => !isInternalKey(key)).length === 0;
}

/** Strict equality that ignores internal and absent keys. */
export function deepEqual(left: Given, right: Given): boolean {
  if (left === undefined || left === null) return right === undefined || right === null;
  if (isUnknown(left) || isUnknown(right)) return left === right;
  if (Array.isArray(left)) {
    return (
      Array.isArray(right) &&
      left.length === right.length &&
      left.every((item, i) => deepEqual(item, right[i]))
    );
  }
  if (!isMap(left) || !isMap(right)) return left === right;
  const keys = new Set([...Object.keys(left), ...Object.keys(right)].filter((key) => !isInternalKey(key)));
  return [...keys].every((key) => deepEqual(left[key], right[key]));
}

/** Sorts the members of sets in the order that they have in `like`, so that reading a state twice gives the same text. */
export function sortSetsLike(fields: Fields, state: PropertyMap, like: PropertyMap): PropertyMap {
  const result = { ...state };
  for (const [key, field] of Object.entries(fields)) {
    const wanted = like[key];
    const value = result[key];
    if (field.type.kind !== "set" || !Array.isArray(wanted) || !Array.isArray(value)) continue;
    result[key] = ordered(field.type.items, value, wanted);
  }
  return result;
}

function ordered(items: Type, value: PropertyValue[], like: PropertyValue[]): PropertyValue[] {
  const left = [...value];
  const result: PropertyValue[] = [];
  for (const wanted of like) {
    const index = left.findIndex((candidate) => sameValue(items, wanted, candidate));
    if (index !== -1) result.push(...left.splice(index, 1));
  }
  return [...result, ...left];
}
