/** Derives states from inputs, and inputs from states. */
import { isZero, sameField } from "./compare";
import { type Fields, inputFields } from "./fields";
import { isInternalKey, isUnknown, type PropertyMap, UNKNOWN } from "./values";

/** The part of the state that follows from the inputs, without anything from the API. */
export function stateOfInputs(fields: Fields, inputs: PropertyMap): PropertyMap {
  const state: PropertyMap = {};
  for (const [key, field] of inputFields(fields)) {
    const value = inputs[key] ?? field.stateDefault;
    if (value === undefined || value === null) continue;
    state[key] = withoutInternal(isUnknown(value) || !field.stateOf ? value : field.stateOf(value));
  }
  return state;
}

function withoutInternal(value: PropertyMap[string]): PropertyMap[string] {
  if (Array.isArray(value)) return value.map(withoutInternal);
  if (typeof value !== "object" || value === null || isUnknown(value)) return value;
  const entries = Object.entries(value).filter(([key]) => !isInternalKey(key));
  return Object.fromEntries(entries.map(([key, item]) => [key, withoutInternal(item)]));
}

/** The state that the preview of a create shows: the inputs, with everything that the API chooses unknown. */
export function previewOfCreate(fields: Fields, inputs: PropertyMap): PropertyMap {
  const state = stateOfInputs(fields, inputs);
  for (const [key, field] of Object.entries(fields)) {
    if (
      state[key] === undefined &&
      (field.presence === "computed" || field.presence === "optionalComputed")
    ) {
      state[key] = UNKNOWN;
    }
  }
  return state;
}

/** The state that the preview of an update shows: the inputs on top of the old state. */
export function previewOfUpdate(fields: Fields, inputs: PropertyMap, state: PropertyMap): PropertyMap {
  const result = { ...state };
  const given = stateOfInputs(fields, inputs);
  for (const [key, field] of inputFields(fields)) {
    if (sameField(field, inputs[key], state[key], inputs)) continue;
    if (given[key] === undefined) delete result[key];
    else result[key] = given[key];
  }
  return result;
}

/** The inputs, plus the state's values for what the program leaves to the API. An update has to send both. */
export function planned(fields: Fields, inputs: PropertyMap, state: PropertyMap): PropertyMap {
  const result = { ...inputs };
  for (const [key, field] of inputFields(fields)) {
    const value = state[key];
    if (result[key] === undefined && field.presence === "optionalComputed" && value !== undefined)
      result[key] = value;
  }
  return result;
}

/** The inputs after a refresh: the program's own where the state still matches them, otherwise the state's. */
export function refreshedInputs(fields: Fields, inputs: PropertyMap, state: PropertyMap): PropertyMap {
  const result = { ...inputs };
  for (const [key, field] of inputFields(fields)) {
    const given = inputs[key];
    if (given === undefined || given === null || sameField(field, given, state[key], inputs)) continue;
    const value = state[key];
    if (value === undefined || value === null) delete result[key];
    else result[key] = value;
  }
  return result;
}

/** The inputs that create a resource with this state. An import writes them into the program. */
export function importedInputs(fields: Fields, state: PropertyMap): PropertyMap {
  const result: PropertyMap = {};
  for (const [key, field] of inputFields(fields)) {
    const value = state[key];
    const isDefault = value === (field.default ?? field.stateDefault);
    const isOther = field.conflictsWith?.some((other) => !isZero(state[other])) ?? false;
    if (value === undefined || value === null || isZero(value) || isDefault || isOther) continue;
    result[key] = value;
  }
  result.__defaults = [];
  return result;
}
