/**
 * The configuration of a policy: declared as JSON schema, which the engine shows and validates, and read back as
 * typed values. It supports only what both the engine's schema dialect and this reader support.
 *
 * An absent value has its default. A property without a default can be undefined.
 */
import type { PolicyConfigSchema } from "@pulumi/policy";
import { suggestion } from "./nearest";

interface Described {
  /** One sentence for the policy's page: the meaning of the property, and its unit. */
  readonly description: string;
}

export type ConfigurationProperty = Described &
  (
    | { readonly type: "boolean"; readonly default: boolean }
    | {
        readonly type: "integer" | "number";
        readonly default?: number;
        readonly minimum?: number;
        readonly maximum?: number;
      }
    | {
        readonly type: "string";
        readonly default?: string;
        readonly enum?: readonly string[];
        readonly form?: TextForm;
      }
    | {
        readonly type: "array";
        readonly items: { readonly type: "string"; readonly minLength?: number };
        readonly default: readonly string[];
        /** The form of each item. */
        readonly form?: TextForm;
      }
  );

/** A form of texts that the engine's schema cannot express, or for which its message would be unclear. */
export interface TextForm {
  /** In words, with an example: "a port or a range of ports, such as 22". */
  readonly expected: string;
  readonly fits: (text: string) => boolean;
  /** The text that a wrong one probably means, from a closed vocabulary. */
  readonly meant?: (text: string) => string | undefined;
}

export type ConfigurationSchema = Readonly<Record<string, ConfigurationProperty>>;

export type ConfigurationValue = boolean | number | string | readonly string[];

type ValueOf<P extends ConfigurationProperty> = P extends { readonly type: "boolean" }
  ? boolean
  : P extends { readonly type: "integer" | "number" }
    ? number
    : P extends { readonly type: "array" }
      ? readonly string[]
      : P extends { readonly enum: readonly (infer Word)[] }
        ? Word
        : string;

/** The typed values of a schema. */
export type ConfigurationOf<S extends ConfigurationSchema> = {
  readonly [Name in keyof S]: S[Name] extends { readonly default: unknown }
    ? ValueOf<S[Name]>
    : ValueOf<S[Name]> | undefined;
};

/** The configuration type of a policy that declares no configuration. */
export type AnyConfiguration = Readonly<Record<string, ConfigurationValue | undefined>>;

/** The schema in the format that the engine accepts. */
export function engineSchema(schema: ConfigurationSchema): PolicyConfigSchema {
  const properties = Object.entries(schema).map(([name, property]) => {
    const { form: _, ...known } = { form: undefined, ...property };
    return [name, known];
  });
  return structuredClone({ properties: Object.fromEntries(properties) }) as unknown as PolicyConfigSchema;
}

/** Says which property is wrong and what it must be, but not its value. */
export class ConfigurationError extends Error {}

/**
 * The values that a user set, and the defaults of the others.
 *
 * @throws ConfigurationError if a value does not match the schema, or the schema has no such property (with a
 * misspelt name, the default would silently apply)
 */
export function readConfiguration(
  schema: ConfigurationSchema,
  given: Readonly<Record<string, unknown>>,
): AnyConfiguration {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(schema, name))
      throw new ConfigurationError(
        `it has no property ${/^\w{1,40}$/.test(name) ? name : "with that name"}; ${suggestion(name, Object.keys(schema))}`,
      );
  }
  return Object.fromEntries(
    Object.entries(schema).map(([name, property]) => {
      const value = Object.hasOwn(given, name) ? given[name] : undefined;
      if (value === undefined || value === null) return [name, property.default];
      if (!fits(property, value)) throw new ConfigurationError(`${name} must be ${expectation(property)}`);
      checkForm(name, property, value as ConfigurationValue);
      return [name, value as ConfigurationValue];
    }),
  );
}

function checkForm(name: string, property: ConfigurationProperty, value: ConfigurationValue): void {
  const form = property.type === "string" || property.type === "array" ? property.form : undefined;
  if (form === undefined) return;
  const texts =
    typeof value === "string" ? [value] : Array.isArray(value) ? (value as readonly string[]) : [];
  for (const [index, text] of texts.entries()) {
    if (form.fits(text)) continue;
    const meant = form.meant?.(text);
    const at = property.type === "array" ? `${name}[${index}]` : name;
    throw new ConfigurationError(
      `${at} must be ${form.expected}${meant === undefined ? "" : `; did you mean "${meant}"?`}`,
    );
  }
}

function fits(property: ConfigurationProperty, value: unknown): boolean {
  switch (property.type) {
    case "boolean":
      return typeof value === "boolean";
    case "string":
      return typeof value === "string" && (property.enum === undefined || property.enum.includes(value));
    case "array":
      return (
        Array.isArray(value) &&
        value.every((item) => typeof item === "string" && item.length >= (property.items.minLength ?? 0))
      );
    default:
      return (
        typeof value === "number" &&
        (property.type === "number" ? Number.isFinite(value) : Number.isInteger(value)) &&
        value >= (property.minimum ?? Number.NEGATIVE_INFINITY) &&
        value <= (property.maximum ?? Number.POSITIVE_INFINITY)
      );
  }
}

/** The values that a property accepts, in words: "a whole number from 1 to 9". */
export function expectation(property: ConfigurationProperty): string {
  switch (property.type) {
    case "boolean":
      return "true or false";
    case "array":
      return "a list of strings";
    case "string":
      return property.enum === undefined ? "a string" : `one of ${property.enum.join(", ")}`;
    default: {
      const what = property.type === "integer" ? "a whole number" : "a number";
      const { minimum, maximum } = property;
      if (minimum !== undefined && maximum !== undefined) return `${what} from ${minimum} to ${maximum}`;
      if (minimum !== undefined) return `${what} of ${minimum} or more`;
      return maximum === undefined ? what : `${what} of ${maximum} or less`;
    }
  }
}
