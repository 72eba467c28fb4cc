/**
 * The table form of a resource type or a function: each property with its type and the rules that the official
 * (bridged Terraform) provider applies to it. Checking, comparing and the package schema are all read off this table.
 */
import type { PropertyMap, PropertyValue } from "./values";

export type Type =
  | { readonly kind: "string" | "integer" | "number" | "boolean" }
  | { readonly kind: "list" | "set"; readonly items: Type; readonly validate?: readonly Validator[] }
  | { readonly kind: "map"; readonly values: Type }
  | { readonly kind: "object"; readonly name: string; readonly fields: Fields };

export type Fields = Readonly<Record<string, Field>>;

/** Says what is wrong with a known value, or nothing where it is right. Never quotes the value: it may be a secret. */
export type Validator = (value: PropertyValue) => string | undefined;

/**
 * `optionalComputed`: the program may give it, the API decides otherwise; taking it out of the program changes
 * nothing. `computed`: an output alone.
 */
export type Presence = "required" | "optional" | "optionalComputed" | "computed";

export interface Rules {
  /** Filled in by check where the program gives nothing. */
  readonly default?: PropertyValue;
  /** Stands in the state, not in the inputs, where the program gives nothing (Terraform's plugin framework does so). */
  readonly stateDefault?: PropertyValue;
  /** Whether a change replaces the resource: always, or by the new input and the old state. */
  readonly replaces?:
    | true
    | ((input: PropertyValue | undefined, state: PropertyValue | undefined) => boolean);
  readonly secret?: true;
  /** A missing value becomes the resource's name and seven random hex digits. */
  readonly autoname?: true;
  readonly deprecated?: string;
  readonly validate?: readonly Validator[];
  readonly conflictsWith?: readonly string[];
  /** What the state keeps of an input, such as the lower-case slug of a region or the hash of user data. */
  readonly stateOf?: (input: PropertyValue) => PropertyValue;
  /** Further ways for an input and a state to mean the same thing. */
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

/** An array in which order says nothing. The validators are for each item. */
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
