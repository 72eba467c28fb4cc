import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { digitalocean } from "../../../sandbox/plugins/digitalocean/provider";
import { packageSchema } from "../../../sandbox/plugins/provider/packageSchema";
import type { Provider } from "../../../sandbox/plugins/provider/resource";
import { random } from "../../../sandbox/plugins/random/provider";
import { tls } from "../../../sandbox/plugins/tls/provider";

interface Spec {
  type?: string;
  $ref?: string;
  items?: Spec;
  additionalProperties?: Spec;
  oneOf?: Spec[];
  willReplaceOnChanges?: boolean;
  secret?: boolean;
  deprecationMessage?: string;
  enum?: unknown[];
}
type Specs = Record<string, Spec>;
interface ObjectSpec extends Spec {
  properties?: Specs;
  required?: string[];
}
interface ResourceSpec extends ObjectSpec {
  inputProperties?: Specs;
  requiredInputs?: string[];
}
interface Schema {
  resources: Record<string, ResourceSpec>;
  functions: Record<string, { inputs?: ObjectSpec; outputs?: ObjectSpec }>;
  types: Record<string, ObjectSpec>;
}

/** A property with everything that is compared, nested types written out. */
type Flat = { type: unknown; replaces: boolean; secret: boolean; deprecated: boolean };

class Flattener {
  constructor(private readonly schema: Schema) {}

  properties(specs: Specs = {}): Record<string, Flat> {
    return Object.fromEntries(Object.entries(specs).map(([key, spec]) => [key, this.property(spec)]));
  }

  object(spec: ObjectSpec | undefined): unknown {
    return { properties: this.properties(spec?.properties), required: sorted(spec?.required) };
  }

  private property(spec: Spec): Flat {
    return {
      type: this.type(spec),
      replaces: spec.willReplaceOnChanges === true,
      secret: spec.secret === true,
      deprecated: spec.deprecationMessage !== undefined,
    };
  }

  private type(spec: Spec): unknown {
    if (spec.items) return { list: this.type(spec.items) };
    if (spec.additionalProperties) return { map: this.type(spec.additionalProperties) };
    // A choice of a string and an enumeration of known strings is a string.
    if (spec.oneOf) return spec.type;
    if (!spec.$ref) return spec.type;
    const name = spec.$ref.replace("#/types/", "");
    const type = this.schema.types[name];
    assert.ok(type, `no type ${name}`);
    return { name, ...(this.object(type) as object) };
  }
}

function sorted(names: string[] | undefined): string[] {
  return [...(names ?? [])].sort();
}

/** What differs between two resources, by property; empty where nothing does. */
function differences(
  ours: ResourceSpec,
  theirs: ResourceSpec,
  mine: Flattener,
  official: Flattener,
): string[] {
  const found: string[] = [];
  const compare = (what: string, left: unknown, right: unknown) => {
    try {
      assert.deepEqual(left, right);
    } catch {
      found.push(`${what}: ours ${JSON.stringify(left)}, official ${JSON.stringify(right)}`);
    }
  };
  for (const kind of ["inputProperties", "properties"] as const) {
    const [left, right] = [mine.properties(ours[kind]), official.properties(theirs[kind])];
    for (const key of new Set([...Object.keys(left), ...Object.keys(right)])) {
      compare(`${kind}.${key}`, left[key], right[key]);
    }
  }
  compare("requiredInputs", sorted(ours.requiredInputs), sorted(theirs.requiredInputs));
  compare("required", sorted(ours.required), sorted(theirs.required));
  return found;
}

function describeSchema<C>(provider: Provider<C>): void {
  describe(`schema of ${provider.name}, against the official one`, () => {
    const ours = packageSchema(provider, "1.2.3") as unknown as Schema;
    const file = join(__dirname, "..", "reference", `pulumi-${provider.name}.json`);
    const theirs = JSON.parse(readFileSync(file, "utf8")) as Schema;

    it("has every resource type, and no other", () => {
      assert.deepEqual(sorted(Object.keys(ours.resources)), sorted(Object.keys(theirs.resources)));
    });

    it("has every function, and no other", () => {
      assert.deepEqual(sorted(Object.keys(ours.functions)), sorted(Object.keys(theirs.functions)));
    });

    for (const type of Object.keys(ours.resources)) {
      it(`${type}: inputs, types, required, replacing, outputs, secrets`, () => {
        const [mine, official] = [new Flattener(ours), new Flattener(theirs)];
        assert.deepEqual(differences(ours.resources[type]!, theirs.resources[type]!, mine, official), []);
      });
    }

    for (const name of Object.keys(ours.functions)) {
      it(`${name}: inputs and outputs`, () => {
        const [mine, official] = [new Flattener(ours), new Flattener(theirs)];
        assert.deepEqual(
          mine.object(ours.functions[name]?.inputs),
          official.object(theirs.functions[name]?.inputs),
        );
        assert.deepEqual(
          mine.object(ours.functions[name]?.outputs),
          official.object(theirs.functions[name]?.outputs),
        );
      });
    }

    it("sees a difference: a property that replaces, a secret, a type, a required input", () => {
      const [type] = Object.keys(ours.resources);
      const changed = structuredClone(ours.resources[type!]!);
      const [input] = Object.keys(changed.inputProperties!);
      changed.inputProperties![input!] = { type: "nothing", secret: true };
      changed.requiredInputs = [...(changed.requiredInputs ?? []), "nothing"];
      const [mine, official] = [new Flattener(ours), new Flattener(theirs)];
      const found = differences(changed, theirs.resources[type!]!, mine, official);
      assert.equal(found.length, 2, found.join("\n"));
    });
  });
}

describeSchema(digitalocean);
describeSchema(random);
describeSchema(tls);
