/**
 * Comparing the inputs of a program with the state of a resource, by the rules of Terraform's plugin SDK that the
 * official provider follows: an absent value and a zero value are the same, order in a set says nothing, and what the
 * API decides (optional and computed) is left alone where the program does not say.
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
  /** Whether the old and the new inputs show the change; else it is in the state alone. */
  readonly inInputs: boolean;
}

type Given = PropertyValue | undefined;

/** The changes that the program's (checked) inputs ask of the state that the resource is in. */
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

/** Whether an input asks for nothing but what the state already is. */
export function sameField(field: Field, input: Given, state: Given, inputs: PropertyMap): boolean {
  if (input === undefined || input === null) {
    if (field.stateDefault !== undefined) return deepEqual(field.stateDefault, state);
    return field.presence === "optionalComputed" || isZero(state);
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
    // A value given twice is one member of a set.
    if (index === -1 && !state.some((candidate) => sameValue(items, item, candidate))) return false;
    if (index !== -1) left.splice(index, 1);
  }
  return left.length === 0;
}

/** Absent, empty or zero: Terraform's SDK cannot tell these apart. */
export function isZero(value: Given): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true;
  if (isUnknown(value)) return false;
  if (Array.isArray(value)) return value.length === 0;
  return isMap(value) && Object.keys(value).filter((key) => !isInternalKey(key)).length === 0;
}

/** Equality to the letter, apart from keys that are internal or absent. */
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

/** Puts the members of sets into the order of `like`, so that a state read again reads the same. */
export function inOrderOf(fields: Fields, state: PropertyMap, like: PropertyMap): PropertyMap {
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
