/**
 * Inputs for policies. Every value is known, absent, unknown or mistyped, and the reader must say which.
 *
 * Reason: @pulumi/policy passes inputs through a proxy that throws if a value is unknown, and its server turns the
 * error into an advisory, so a mandatory policy silently passes in a preview (see `makeAnalyzeRpcFun` in its
 * server.js). A policy of this pack never uses the proxy. It reads this copy, in which an unknown is a value.
 *
 * Secrets arrive in plain text and look like any other value. Do not print a value unless the text is in a closed
 * vocabulary (see message.ts).
 */

/** Replaces a value that the engine does not know yet. */
export const unknownValue: unique symbol = Symbol("unknown");

export type Tree =
  | null
  | boolean
  | number
  | string
  | typeof unknownValue
  | readonly Tree[]
  | { readonly [key: string]: Tree };

export type Field<T> =
  | { readonly state: "known"; readonly value: T }
  | { readonly state: "absent" }
  | { readonly state: "unknown" }
  | { readonly state: "mistyped"; readonly expected: string };

const absent = { state: "absent" } as const;
const unknownField = { state: "unknown" } as const;
const known = <T>(value: T): Field<T> => ({ state: "known", value });
const mistyped = (expected: string) => ({ state: "mistyped", expected }) as const;

/** The engine sends nothing nested deeper. A deeper value reads as null. */
const maxDepth = 64;

/** Copies the values behind the SDK's proxy. If the proxy throws, the copy contains `unknownValue`. */
export function snapshot(value: unknown, depth = 0): Tree {
  if (value === unknownValue) return unknownValue;
  if (
    value === null ||
    typeof value === "boolean" ||
    typeof value === "number" ||
    typeof value === "string"
  ) {
    return value;
  }
  if (typeof value !== "object" || depth > maxDepth) return null;
  if (Array.isArray(value)) {
    return Array.from({ length: value.length }, (_, index) => snapshotOf(() => value[index], depth));
  }
  const record = value as Record<string, unknown>;
  const copy: Record<string, Tree> = Object.create(null);
  for (const key of Object.keys(record)) copy[key] = snapshotOf(() => record[key], depth);
  return copy;
}

function snapshotOf(read: () => unknown, depth: number): Tree {
  let value: unknown;
  try {
    value = read();
  } catch {
    // Only the SDK's proxy throws here, and only for unknown values.
    return unknownValue;
  }
  return snapshot(value, depth + 1);
}

function isRecord(tree: Tree | undefined): tree is { readonly [key: string]: Tree } {
  return typeof tree === "object" && tree !== null && !Array.isArray(tree);
}

/** True if any part of the value is unknown. */
export function holdsUnknown(tree: Tree): boolean {
  if (tree === unknownValue) return true;
  if (Array.isArray(tree)) return tree.some(holdsUnknown);
  return isRecord(tree) && Object.values(tree).some(holdsUnknown);
}

/** The value as text. Numbers count, because providers accept them as text. */
export function asText(tree: Tree | undefined): Field<string> {
  if (tree === undefined || tree === null) return absent;
  if (tree === unknownValue) return unknownField;
  if (typeof tree === "string") return known(tree);
  if (typeof tree === "number") return known(String(tree));
  return mistyped("a string");
}

/** The value as a whole number. Digits in a string count, because providers convert them. */
export function asInteger(tree: Tree | undefined): Field<number> {
  if (tree === undefined || tree === null) return absent;
  if (tree === unknownValue) return unknownField;
  const number = typeof tree === "string" && /^\d{1,15}$/.test(tree) ? Number(tree) : tree;
  return typeof number === "number" && Number.isInteger(number) ? known(number) : mistyped("a whole number");
}

/** The value as a flag. "true" and "false" count, because providers convert them. */
export function asFlag(tree: Tree | undefined): Field<boolean> {
  if (tree === undefined || tree === null) return absent;
  if (tree === unknownValue) return unknownField;
  if (tree === true || tree === "true") return known(true);
  if (tree === false || tree === "false") return known(false);
  return mistyped("true or false");
}

export function asObject(tree: Tree | undefined): Field<Inputs> {
  if (tree === undefined || tree === null) return absent;
  if (tree === unknownValue) return unknownField;
  return isRecord(tree) ? known(new Inputs(tree)) : mistyped("an object");
}

export function asList<T>(
  tree: Tree | undefined,
  item: (tree: Tree) => Field<T>,
): Field<readonly Field<T>[]> {
  if (tree === undefined || tree === null) return absent;
  if (tree === unknownValue) return unknownField;
  return Array.isArray(tree) ? known(tree.map((element: Tree) => item(element))) : mistyped("a list");
}

/** The inputs (or outputs) of one resource, or one object within them. */
export class Inputs {
  constructor(private readonly tree: { readonly [key: string]: Tree }) {}

  /** Reads the `props` that @pulumi/policy passes. */
  static from(props: unknown): Inputs {
    const tree = snapshot(props);
    return new Inputs(isRecord(tree) ? tree : {});
  }

  keys(): readonly string[] {
    return Object.keys(this.tree);
  }

  raw(name: string): Tree | undefined {
    return Object.hasOwn(this.tree, name) ? this.tree[name] : undefined;
  }

  text(name: string): Field<string> {
    return asText(this.raw(name));
  }

  integer(name: string): Field<number> {
    return asInteger(this.raw(name));
  }

  flag(name: string): Field<boolean> {
    return asFlag(this.raw(name));
  }

  object(name: string): Field<Inputs> {
    return asObject(this.raw(name));
  }

  texts(name: string): Field<readonly Field<string>[]> {
    return asList(this.raw(name), asText);
  }

  objects(name: string): Field<readonly Field<Inputs>[]> {
    return asList(this.raw(name), asObject);
  }
}

/** The known value, or the fallback if there is none. */
export function valueOr<T, F>(field: Field<T>, fallback: F): T | F {
  return field.state === "known" ? field.value : fallback;
}

/**
 * The known items of a list. Unknown and mistyped items are left out (if this matters, call `isFullyKnown` first).
 */
export function knownItems<T>(field: Field<readonly Field<T>[]>): readonly T[] {
  return valueOr(field, []).flatMap((item) => (item.state === "known" ? [item.value] : []));
}

/** True if the list and each of its items is known (an absent list is known to be empty). */
export function isFullyKnown<T>(field: Field<readonly Field<T>[]>): boolean {
  if (field.state === "absent") return true;
  return field.state === "known" && field.value.every((item) => item.state === "known");
}
