/**
 * Describes the properties of a resource type or a function as a table: each property's type, and the rules that the
 * official (bridged Terraform) provider applies to it. check.ts, compare.ts and packageSchema.ts all work from it.
 */
import type { PropertyMap, PropertyValue } from "./values";

export type Type =
  | { readonly kind: "string" | "integer" | "number" | "boolean" }
  | { readonly kind: "list" | "set"; readonly items: Type; readonly validate?: readonly Validator[] }
  | { readonly kind: "map"; readonly values: Type }
  | { readonly kind: "object"; readonly name: string; readonly fields: Fields };

export type Fields = Readonly<Record<string, Field>>;

/** Returns what is wrong with a known value, or `undefined`. It never quotes the value, which may be a secret. */
export type Validator = (value: PropertyValue) => string | undefined;

/**
 * `optionalComputed`: the program may set it; if it does not, the API chooses, and removing it from the program changes
 * nothing. `computed`: an output only.
 */
export type Presence = "required" | "optional" | "optionalComputed" | "computed";

export interface Rules {
  /** Check fills this in when the program sets nothing. */
  readonly default?: PropertyValue;
  /** Goes into the state, not the inputs, when the program sets nothing, as in Terraform's plugin framework. */
  readonly stateDefault?: PropertyValue;
  /** Whether a change replaces the resource: always, or depending on the new input and the old state. */
  readonly replaces?:
    | true
    | ((input: PropertyValue | undefined, state: PropertyValue | undefined) => boolean);
  /** Removing it from the program changes nothing: the resource keeps what it has. */
  readonly staysWhenAbsent?: true;
  readonly secret?: true;
  /** A missing value becomes the resource's name, a dash and seven random hex digits. */
  readonly autoname?: true;
  readonly deprecated?: string;
  readonly validate?: readonly Validator[];
  readonly conflictsWith?: readonly string[];
  /** Converts an input to what the state keeps: a region slug in lower case, the hash of user data. */
  readonly stateOf?: (input: PropertyValue) => PropertyValue;
  /** True when an input and a state differ as values but mean the same. */
  readonly sameAs?: (input: PropertyValue, state: PropertyValue, inputs: PropertyMap) => boolean;
}

export interface Field extends Rules {
  readonly type: Type;
  readonly presence: Presence;
}

export const string: Type = { kind: "string" };
export const integer: Type = { kind: "integer" };
export const number: Type = { kind: "number" };
export const boolean: Type = { kind: "boolean" };

export function list(items: Type, ...validate: Validator[]): Type {
  return { kind: "list", items, validate };
}

/** An array whose order does not matter. The validators apply to each item. */
export function set(items: Type, ...validate: Validator[]): Type {
  return { kind: "set", items, validate };
}

export function map(values: Type): Type {
  return { kind: "map", values };
}

/** A nested object; `name` is the last part of its token in the package schema. */
export function object(name: string, fields: Fields): Type {
  return { kind: "object", name, fields };
}

export function required(type: Type, rules: Rules = {}): Field {
  return { ...rules, type, presence: "required" };
}

export function optional(type: Type, rules: Rules = {}): Field {
  return { ...rules, type, presence: "optional" };
}

export function optionalComputed(type: Type, rules: Rules = {}): Field {
  return { ...rules, type, presence: "optionalComputed" };
}

export function computed(type: Type, rules: Rules = {}): Field {
  return { ...rules, type, presence: "computed" };
}

export function isInput(field: Field): boolean {
  return field.presence !== "computed";
}

export function inputFields(fields: Fields): [string, Field][] {
  return Object.entries(fields).filter(([, field]) => isInput(field));
}

export function secretKeys(fields: Fields): Set<string> {
  return new Set(Object.keys(fields).filter((key) => fields[key]?.secret));
}
