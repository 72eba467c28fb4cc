/** Makes the Pulumi package schema of a provider from its tables. `pulumi package get-schema` and `pulumi import` use it. */
import { type Field, type Fields, inputFields, type Type } from "./fields";
import { type Provider, token } from "./resource";

interface PropertySpec {
  type?: string;
  $ref?: string;
  items?: PropertySpec;
  additionalProperties?: PropertySpec;
  willReplaceOnChanges?: true;
  secret?: true;
  deprecationMessage?: string;
}

export interface ObjectSpec {
  properties: Record<string, PropertySpec>;
  required: string[];
  type?: string;
}

export interface PackageSchema {
  name: string;
  version: string;
  config: { variables: Record<string, PropertySpec> };
  types: Record<string, ObjectSpec>;
  resources: Record<
    string,
    ObjectSpec & { inputProperties: Record<string, PropertySpec>; requiredInputs: string[] }
  >;
  functions: Record<string, { inputs?: ObjectSpec; outputs: ObjectSpec }>;
}

export function packageSchema<C>(provider: Provider<C>, version: string): PackageSchema {
  const writer = new SchemaWriter(provider.name, provider.schemaOmitsReplaces !== true);
  const schema: PackageSchema = {
    name: provider.name,
    version,
    config: { variables: writer.properties(Object.entries(provider.config), false) },
    types: writer.types,
    resources: {},
    functions: {},
  };
  for (const type of provider.resources) {
    schema.resources[token(provider.name, type.name)] = {
      inputProperties: writer.properties(inputFields(type.fields), true),
      requiredInputs: requiredInputs(type.fields),
      properties: writer.properties(Object.entries(type.fields), false),
      required: requiredOutputs(type.fields),
    };
  }
  for (const type of provider.functions) {
    const inputs = writer.object(type.inputs);
    const outputs = {
      properties: writer.properties(Object.entries(type.outputs), false),
      required: requiredOutputs(type.outputs),
    };
    schema.functions[token(provider.name, type.name)] = {
      ...(Object.keys(type.inputs).length > 0 ? { inputs } : {}),
      outputs,
    };
  }
  return schema;
}

/** The API requires an auto-named property; the program may leave it out. */
function requiredInputs(fields: Fields): string[] {
  return Object.keys(fields)
    .filter((key) => fields[key]?.presence === "required" && fields[key]?.autoname === undefined)
    .sort();
}

function requiredOutputs(fields: Fields): string[] {
  return Object.keys(fields)
    .filter((key) => fields[key]?.presence !== "optional")
    .sort();
}

class SchemaWriter {
  readonly types: Record<string, ObjectSpec> = {};

  constructor(
    private readonly provider: string,
    private readonly showsReplaces: boolean,
  ) {}

  properties(fields: [string, Field][], asInputs: boolean): Record<string, PropertySpec> {
    const entries = [...fields].sort(([left], [right]) => left.localeCompare(right));
    return Object.fromEntries(entries.map(([key, field]) => [key, this.property(field, asInputs)]));
  }

  object(fields: Fields): ObjectSpec {
    return {
      properties: this.properties(Object.entries(fields), true),
      required: requiredInputs(fields),
      type: "object",
    };
  }

  private property(field: Field, asInput: boolean): PropertySpec {
    return {
      ...this.type(field.type),
      ...(asInput && this.showsReplaces && field.replaces === true ? { willReplaceOnChanges: true } : {}),
      ...(field.secret ? { secret: true } : {}),
      ...(field.deprecated === undefined ? {} : { deprecationMessage: field.deprecated }),
    };
  }

  private type(type: Type): PropertySpec {
    switch (type.kind) {
      case "list":
      case "set":
        return { type: "array", items: this.type(type.items) };
      case "map":
        return { type: "object", additionalProperties: this.type(type.values) };
      case "object":
        return { $ref: `#/types/${this.objectType(type.name, type.fields)}` };
      default:
        return { type: type.kind };
    }
  }

  private objectType(name: string, fields: Fields): string {
    const id = `${this.provider}:index/${name}:${name}`;
    if (this.types[id] === undefined) {
      this.types[id] = { properties: {}, required: [] }; // reserves the name: a type may contain itself
      this.types[id] = this.object(fields);
    }
    return id;
  }
}
