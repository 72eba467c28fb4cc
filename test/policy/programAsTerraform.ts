/**
 * A small Pulumi program (policy/check/program.ts) as the JSON that Terraform would write for the same resources: a plan
 * of their creation, or the state after it.
 */
import { createHash } from "node:crypto";
import type { ProgramResources } from "../../policy/check/program";
import { parseShape, type Shape } from "../../policy/check/terraform-values";
import { providerShapes } from "./providerShapes";

type Values = Record<string, unknown>;

const shapes = new Map(
  [...providerShapes()].map(([token, shape]) => [token.split(":").at(-1) ?? "", parseShape(shape)]),
);
/** The attributes of which the provider keeps a hash. */
const hashed = [
  "droplet.user_data",
  "certificate.private_key",
  "certificate.leaf_certificate",
  "certificate.certificate_chain",
];
const reference = /\$\{([\w-]+)\.([\w.[\]]+)\}/g;

const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const singular = (name: string) =>
  name
    .replace(/ies$/, "y")
    .replace(/([^aeiou])es$/, "$1")
    .replace(/s$/, "");
const sha1 = (text: string) => createHash("sha1").update(text).digest("hex");

/** `digitalocean:Droplet` or the full token -> `Droplet`. */
const className = (type: string) => type.split(":").at(-1) ?? "";

function terraformType(type: string): string {
  const name = className(type);
  if (name === "LoadBalancer") return "digitalocean_loadbalancer";
  if (name === "DnsRecord") return "digitalocean_record";
  return `digitalocean_${snake(name.charAt(0).toLowerCase() + name.slice(1))}`;
}

/** One value of a plan, in its parts. */
interface Part {
  readonly value: unknown;
  readonly unknown: unknown;
  readonly sensitive: unknown;
  readonly expression: unknown;
}

class Conversion {
  /** The texts of which the resources have only hashes, as outputs of the module. */
  readonly outputs: Values = {};

  constructor(private readonly program: ProgramResources) {}

  address(name: string): string {
    return `${terraformType(this.program[name]?.type ?? "")}.${name}`;
  }

  block(properties: Readonly<Values>, shape: Shape, type = ""): Record<keyof Part, Values> {
    const parts: Record<keyof Part, Values> = { value: {}, unknown: {}, sensitive: {}, expression: {} };
    for (const [property, given] of Object.entries(properties)) {
      const member = shape.get(property);
      const attribute = snake(member?.block !== undefined && member.isList ? singular(property) : property);
      const part =
        member?.block === undefined
          ? this.attribute(given, hashed.includes(`${type}.${attribute}`))
          : this.blocks(given, member.block);
      parts.value[attribute] = part.value;
      if (part.unknown !== undefined) parts.unknown[attribute] = part.unknown;
      if (part.sensitive !== undefined) parts.sensitive[attribute] = part.sensitive;
      parts.expression[attribute] = part.expression;
    }
    return parts;
  }

  private blocks(given: unknown, shape: Shape): Part {
    const items = (Array.isArray(given) ? given : [given]) as Values[];
    const parts = items.map((item) => this.block(item, shape));
    return {
      value: parts.map(({ value }) => value),
      unknown: parts.map(({ unknown }) => unknown),
      sensitive: parts.map(({ sensitive }) => sensitive),
      expression: parts.map(({ expression }) => expression),
    };
  }

  private attribute(given: unknown, isHashed: boolean): Part {
    const references: string[] = [];
    let isSensitive = false;
    const convert = (value: unknown): { value: unknown; unknown: unknown } => {
      if (Array.isArray(value)) {
        const items = value.map(convert);
        return {
          value: items.map((one) => one.value ?? null),
          unknown: items.map((one) => one.unknown ?? false),
        };
      }
      if (typeof value === "object" && value !== null) {
        if ("fn::secret" in value) {
          isSensitive = true;
          return convert(value["fn::secret"]);
        }
        const items = Object.entries(value).map(([key, item]) => [key, convert(item)] as const);
        return {
          value: Object.fromEntries(items.map(([key, one]) => [key, one.value])),
          unknown: Object.fromEntries(items.map(([key, one]) => [key, one.unknown])),
        };
      }
      return typeof value === "string" ? this.text(value, references) : { value, unknown: undefined };
    };
    const { value, unknown } = convert(given);
    const known =
      isHashed && typeof value === "string" ? this.hash(value) : value === undefined ? {} : { value };
    return {
      value: "value" in known ? known.value : undefined,
      unknown,
      sensitive: isSensitive ? true : undefined,
      // Terraform does not evaluate functions for this part, such as sensitive().
      expression: references.length > 0 ? { references } : isSensitive ? {} : { constant_value: given },
    };
  }

  private hash(text: string): { value: string } {
    this.outputs[`text_${Object.keys(this.outputs).length}`] = { sensitive: true, value: text };
    return { value: sha1(text) };
  }

  /** A text is known if all of its references are to known inputs. */
  private text(text: string, references: string[]): { value: unknown; unknown: unknown } {
    let isKnown = true;
    const resolved = text
      .replace(/\$\$\{/g, "\u0000")
      .replace(reference, (_, name: string, attribute: string) => {
        const target = this.program[name]?.properties?.[attribute];
        references.push(`${this.address(name)}.${snake(attribute)}`, this.address(name));
        if (typeof target === "string" && !target.includes("${")) return target;
        isKnown = false;
        return "";
      });
    return isKnown
      ? { value: resolved.replaceAll("\u0000", "${"), unknown: undefined }
      : { value: undefined, unknown: true };
  }
}

/** The plan in which Terraform creates the resources. */
export function planOf(program: ProgramResources): Values {
  const conversion = new Conversion(program);
  const rows = Object.entries(program).map(([name, { type, properties = {} }]) => {
    const shape = shapes.get(className(type));
    if (shape === undefined) throw new Error(`no type ${type}`);
    const parts = conversion.block(properties, shape, snake(className(type)).slice(1));
    const head = { address: conversion.address(name), mode: "managed", type: terraformType(type), name };
    return { head, parts };
  });
  return {
    format_version: "1.2",
    terraform_version: "1.9.8",
    planned_values: {
      outputs: conversion.outputs,
      root_module: {
        resources: rows.map(({ head, parts }) => ({ ...head, schema_version: 1, values: parts.value })),
      },
    },
    resource_changes: rows.map(({ head, parts }) => ({
      ...head,
      change: {
        actions: ["create"],
        before: null,
        after: parts.value,
        after_unknown: { ...parts.unknown, id: true, urn: true },
        after_sensitive: parts.sensitive,
      },
    })),
    configuration: {
      root_module: {
        resources: rows.map(({ head, parts }) => ({ ...head, expressions: parts.expression })),
      },
    },
  };
}
