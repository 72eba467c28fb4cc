/**
 * The kinds of settings: each reads a raw value, says which values are allowed, and describes itself in the
 * documentation.
 *
 * A kind converts a raw value (a string from `pulumi config set`, or a JSON value from a structured setting) into a
 * typed one, or says what is allowed.
 */

export type Environment = "development" | "production";

/** The allowed values, in words that fit after "expected". */
export class NotAllowed {
  constructor(readonly allowed: string) {}
}

/** The errors in the parts of a structured value. `where` follows the setting's path: "[0].name". */
export class WrongParts {
  constructor(readonly parts: readonly { readonly where: string; readonly problem: string }[]) {}
}

/** One setting: its type, default, range and one line of documentation. */
export interface Setting<T> {
  readonly type: string;
  /** The allowed values, in words that fit after "expected". */
  readonly allowed: string;
  readonly doc: string;
  /** Must be stored encrypted. Its value is never in an error or in the documentation. */
  readonly secret: boolean;
  /** The default; undefined = none. */
  readonly defaultFor: (environment: Environment) => T | undefined;
  readonly read: (raw: unknown) => T | NotAllowed | WrongParts;
}

interface Options<T> {
  readonly doc: string;
  readonly default?: T | ((environment: Environment) => T);
}

function setting<T>(
  type: string,
  allowed: string,
  options: Options<T>,
  parse: (raw: unknown) => T | undefined,
  secret = false,
): Setting<T> {
  const given = options.default;
  return {
    type,
    allowed,
    doc: options.doc,
    secret,
    defaultFor: (environment) =>
      typeof given === "function" ? (given as (environment: Environment) => T)(environment) : given,
    read: (raw) => parse(raw) ?? new NotAllowed(allowed),
  };
}

/** A different default for each environment. */
export function byEnvironment<const T>(development: T, production: T): (environment: Environment) => T {
  return (environment) => (environment === "production" ? production : development);
}

/** A whole number between two bounds, both included. */
export function integer(min: number, max: number, options: Options<number>): Setting<number> {
  return setting("integer", `${min} to ${max}`, options, (raw) => {
    const value = typeof raw === "string" && /^-?\d+$/.test(raw.trim()) ? Number(raw) : raw;
    return typeof value === "number" && Number.isInteger(value) && value >= min && value <= max
      ? value
      : undefined;
  });
}

/** true or false. */
export function flag(options: Options<boolean>): Setting<boolean> {
  return setting("boolean", "true or false", options, (raw) => {
    const value = raw === "true" ? true : raw === "false" ? false : raw;
    return typeof value === "boolean" ? value : undefined;
  });
}

/** One of several words. */
export function oneOf<const T extends string>(
  values: readonly T[],
  options: Options<NoInfer<T>>,
): Setting<T> {
  const allowed = values.length === 2 ? values.join(" or ") : `one of ${values.join(", ")}`;
  return setting("string", allowed, options, (raw) => values.find((value) => value === raw));
}

/** A text in a certain format, which `allowed` describes. */
export function text(
  allowed: string,
  accepts: (value: string) => boolean,
  options: Options<string>,
): Setting<string> {
  return setting("string", allowed, options, (raw) => {
    const value = typeof raw === "number" ? String(raw) : raw;
    return typeof value === "string" && accepts(value) ? value : undefined;
  });
}

/** A text that must be stored encrypted. */
export function secretText(
  allowed: string,
  accepts: (value: string) => boolean,
  doc: string,
): Setting<string> {
  return setting(
    "secret string",
    allowed,
    { doc },
    (raw) => (typeof raw === "string" && accepts(raw) ? raw : undefined),
    true,
  );
}

/** A list of distinct texts in the same format. */
export function listOf(
  allowed: string,
  accepts: (value: string) => boolean,
  options: Options<readonly string[]>,
): Setting<readonly string[]> {
  return setting<readonly string[]>("list of strings", `a list of ${allowed}`, options, (raw) => {
    const value = typeof raw === "string" ? parseJson(raw) : raw;
    if (!Array.isArray(value)) return undefined;
    const items = value.filter((item): item is string => typeof item === "string" && accepts(item));
    return items.length === value.length && new Set(items).size === items.length ? items : undefined;
  });
}

/** The value of a JSON text; undefined if it is not JSON. */
export function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}
