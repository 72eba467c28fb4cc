/**
 * Converts the attributes of a resource of Terraform's DigitalOcean provider to the inputs and outputs of the Pulumi
 * resource. Pulumi's provider is made from Terraform's: it has the same attributes in camel case, lists have plural
 * names, and a block that occurs at most once is an object.
 */
import { isMapping, type Mapping } from "../evidence/config-merge";
import { unknownValue } from "../frame/value";
import { inputsByType } from "./terraform-inputs";

interface Member {
  /** Of a block: its own members. */
  readonly block?: Shape;
  readonly isList: boolean;
  /** True for a block that DigitalOcean chooses if the user does not set it. */
  readonly isChosen: boolean;
}

/** The inputs of a type or the members of a block, by their Pulumi names. */
export type Shape = ReadonlyMap<string, Member>;

export interface MappedType {
  /** Pulumi's name of the type, such as `Droplet`. */
  readonly name: string;
  readonly token: string;
  readonly inputs: Shape;
}

/** Terraform's names that are not the Pulumi name in snake case. */
const otherNames: Readonly<Record<string, string>> = {
  LoadBalancer: "digitalocean_loadbalancer",
  DnsRecord: "digitalocean_record",
};

const types: ReadonlyMap<string, MappedType> = new Map(
  Object.entries(inputsByType).map(([name, notation]) => {
    const module = name.charAt(0).toLowerCase() + name.slice(1);
    const terraform = otherNames[name] ?? `digitalocean_${snakeCase(module)}`;
    return [terraform, { name, token: `digitalocean:index/${module}:${name}`, inputs: parseShape(notation) }];
  }),
);

/** The Pulumi type of a Terraform type; undefined if there is none. */
export const mappedType = (terraformType: string): MappedType | undefined => types.get(terraformType);

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const camelCase = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** Reads the notation of terraform-inputs.ts. */
export function parseShape(notation: string): Shape {
  const words = notation.match(/~?\w+\*?\{?|\}/g) ?? [];
  let next = 0;
  const members = (): Shape => {
    const shape = new Map<string, Member>();
    for (let word = words[next++]; word !== undefined && word !== "}"; word = words[next++]) {
      const name = word.replace(/[~*{]/g, "");
      const flags = { isList: word.includes("*"), isChosen: word.startsWith("~") };
      shape.set(name, word.endsWith("{") ? { ...flags, block: members() } : flags);
    }
    return shape;
  };
  return members();
}

/** The Pulumi name of an input; undefined for an attribute that is only an output. */
export function inputName(attribute: string, shape: Shape): string | undefined {
  // The one name that Pulumi's provider does not derive: in an app, `domains` is another, older input.
  if (attribute === "domain" && shape.has("domainNames")) return "domainNames";
  const name = camelCase(attribute);
  return [name, `${name}s`, `${name}es`, name.replace(/y$/, "ies")].find((one) => shape.has(one));
}

/** The name of an output: `urn` is a word of Pulumi, so that the output has another name. */
export function outputName(attribute: string, type: MappedType): string {
  if (attribute !== "urn") return camelCase(attribute);
  if (type.name === "SpacesBucket") return "bucketUrn";
  if (/Cluster$/.test(type.name)) return "clusterUrn";
  return `${type.name.charAt(0).toLowerCase()}${type.name.slice(1)}Urn`;
}

/** Adds the values that a plan does not know: `true` in `after_unknown` marks one. */
export function withUnknown(value: unknown, unknown: unknown): unknown {
  if (unknown === true) return unknownValue;
  if (Array.isArray(unknown)) {
    const list = Array.isArray(value) ? value : [];
    const length = Math.max(list.length, unknown.length);
    return Array.from({ length }, (_, index) => withUnknown(list[index], unknown[index]));
  }
  if (!isMapping(unknown)) return value;
  const known = isMapping(value) ? value : {};
  const keys = new Set([...Object.keys(known), ...Object.keys(unknown)]);
  return Object.fromEntries([...keys].map((key) => [key, withUnknown(known[key], unknown[key])]));
}

/** Every text and number in a value, as text. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string" || typeof value === "number") return [String(value)];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** Terraform's provider does not tell an attribute that is not set from an empty one. */
const isUnset = (value: unknown) =>
  value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);

/**
 * The inputs that the configuration sets.
 *
 * @param expressions the resource's part of a plan's configuration. With it, values that the configuration does not set
 * are left out: they are defaults, or DigitalOcean chooses them. A dynamic block has no expression, so that a block
 * counts as set if it has a known value, and if it is unknown and DigitalOcean does not choose it.
 */
export function inputsOf(values: Mapping, shape: Shape, expressions?: Mapping): Record<string, unknown> {
  const isSet: IsSet = (attribute, member, value) =>
    expressions === undefined ||
    attribute in expressions ||
    (member.block !== undefined && !(value === unknownValue && member.isChosen));
  return membersOf(values, shape, expressions, isSet);
}

type IsSet = (attribute: string, member: Member, value: unknown) => boolean;

function membersOf(
  values: Mapping,
  shape: Shape,
  expressions: Mapping | undefined,
  isSet: IsSet,
): Record<string, unknown> {
  const members: Record<string, unknown> = {};
  for (const [attribute, value] of Object.entries(values)) {
    const name = inputName(attribute, shape);
    const member = name === undefined ? undefined : shape.get(name);
    if (name === undefined || member === undefined || isUnset(value) || !isSet(attribute, member, value))
      continue;
    members[name] = converted(value, member, expressions?.[attribute]);
  }
  return members;
}

function converted(value: unknown, { block, isList }: Member, expressions: unknown): unknown {
  if (block === undefined || value === unknownValue) return value;
  const configured = Array.isArray(expressions)
    ? Object.assign({}, ...expressions.filter(isMapping))
    : undefined;
  const items = (Array.isArray(value) ? value : [value]).map((item: unknown) =>
    isMapping(item) ? blockOf(item, block, configured) : item,
  );
  return isList ? items : items[0];
}

/** The members of a block, without those that the configuration does not set and a plan does not know. */
function blockOf(values: Mapping, shape: Shape, configured: Mapping | undefined): Record<string, unknown> {
  return membersOf(
    values,
    shape,
    configured,
    (attribute, _, value) => configured === undefined || attribute in configured || value !== unknownValue,
  );
}
