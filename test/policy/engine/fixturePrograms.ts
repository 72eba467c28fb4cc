/** Fixtures as programs for the real engine, and which of them can be run together. */
import * as pulumi from "@pulumi/pulumi";
import type { PolicyDefinition } from "../../../policy/frame/definition";
import type { Fixture, FixtureResource, InvalidFixture } from "../../../policy/frame/fixture";
import { unknownValue } from "../../../policy/frame/value";
import { judgeFixture } from "../harness";
import { registeredPolicies } from "../registered";

/** A fixture that stands for its policy. */
export interface Chosen<F extends Fixture = Fixture> {
  readonly definition: PolicyDefinition;
  readonly fixture: F;
}

/** Fixtures that one stack holds together, each resource's name with its policy's before it. */
export interface Group<F extends Fixture = Fixture> {
  readonly members: readonly Chosen<F>[];
  readonly together: Fixture;
}

export function holdsUnknown(value: unknown): boolean {
  if (value === unknownValue) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsUnknown);
}

/**
 * For each policy, a fixture whose values are known, or come from resources of the fixture that the engine has a
 * provider for, and that says the same with other names of its resources.
 */
export function chosenFixtures(): {
  readonly valid: readonly Chosen[];
  readonly invalid: readonly Chosen<InvalidFixture>[];
} {
  // The engine's clock cannot be set.
  const known = ({ resources, today }: Fixture) =>
    today === undefined &&
    Object.values(resources).every(({ properties, references = {} }) =>
      Object.entries(properties).every(
        ([key, value]) =>
          !holdsUnknown(value) ||
          (references[key] ?? ["none"]).every((name) => resources[name]?.type.startsWith("digitalocean:")),
      ),
    );
  return {
    valid: registeredPolicies.flatMap(({ definition, fixtures }) => {
      const fixture = fixtures.valid.find(
        (one) => known(one) && one.leftAlone !== true && fits(withMember([], { definition, fixture: one })),
      );
      return fixture === undefined ? [] : [{ definition, fixture }];
    }),
    invalid: registeredPolicies.flatMap(({ definition, fixtures }) => {
      const fixture = fixtures.invalid.find(
        (one) => known(one) && fits(withMember([], { definition, fixture: one })),
      );
      return fixture === undefined ? [] : [{ definition, fixture }];
    }),
  };
}

/** Puts fixtures together as long as each policy still says of the whole what it says of its own. */
export function grouped<F extends Fixture>(chosen: readonly Chosen<F>[]): readonly Group<F>[] {
  const groups: Group<F>[] = [];
  for (const one of chosen) {
    const at = groups.findIndex((group) => fits(withMember(group.members, one)));
    const joined = withMember(at === -1 ? [] : (groups[at]?.members ?? []), one);
    if (at === -1) groups.push(joined);
    else groups[at] = joined;
  }
  return groups;
}

const nameOf = ({ definition }: Chosen, resource: string) => `${definition.name}.${resource}`;

function withMember<F extends Fixture>(before: readonly Chosen<F>[], one: Chosen<F>): Group<F> {
  const members = [...before, one];
  const resources = members.flatMap((member) =>
    Object.entries(member.fixture.resources).map(
      ([name, resource]) =>
        [
          nameOf(member, name),
          {
            ...resource,
            ...(resource.references === undefined
              ? {}
              : {
                  references: Object.fromEntries(
                    Object.entries(resource.references).map(([property, names]) => [
                      property,
                      names.map((other) => nameOf(member, other)),
                    ]),
                  ),
                }),
          },
        ] as const,
    ),
  );
  const { stack, config } = one.fixture;
  const together: Fixture = {
    title: "together",
    ...(stack === undefined ? {} : { stack }),
    ...(config === undefined ? {} : { config }),
    resources: Object.fromEntries(resources),
  };
  return { members, together };
}

function fits<F extends Fixture>({ members, together }: Group<F>): boolean {
  const [first] = members;
  return members.every((member) => {
    const { definition, fixture } = member;
    if (fixture.stack !== first?.fixture.stack) return false;
    if (JSON.stringify(fixture.config) !== JSON.stringify(first?.fixture.config)) return false;
    const configured = {
      ...together,
      ...(fixture.configuration === undefined ? {} : { configuration: fixture.configuration }),
    };
    const seen = judgeFixture(definition, configured);
    const expected = "violations" in fixture ? (fixture as unknown as InvalidFixture).violations : [];
    if (expected.length === 0) return seen.length === 0;
    return expected.every(({ resource, says }) =>
      seen.some((one) => one.resource === nameOf(member, resource) && one.message.includes(says)),
    );
  });
}

/** A resource of a type that has no class here. */
class AnyResource extends pulumi.CustomResource {}

type Registered = ReadonlyMap<string, pulumi.Resource>;

/** Registers a fixture's resources. A value that a preview does not know is the id of the resource it comes from. */
export function programOf(fixture: Fixture): () => Promise<void> {
  return async () => {
    const registered = new Map<string, pulumi.Resource>();
    // What a resource refers to comes before it, wherever it stands in the fixture.
    const ensure = (name: string) => {
      const resource = fixture.resources[name];
      if (resource === undefined || registered.has(name)) return;
      for (const source of Object.values(resource.references ?? {}).flat()) ensure(source);
      registered.set(name, register(name, resource, registered));
    };
    for (const name of Object.keys(fixture.resources)) ensure(name);
  };
}

function register(name: string, resource: FixtureResource, registered: Registered): pulumi.Resource {
  const { type, properties, protect, ignoreChanges, secrets = [], references = {} } = resource;
  const { additionalSecretOutputs } = resource;
  const inputs = Object.fromEntries(
    Object.entries(properties).map(([key, given]) => {
      const value = withOutputs(given, [...(references[key] ?? [])], registered);
      return [key, secrets.includes(key) ? pulumi.secret(value) : value];
    }),
  );
  const options = {
    ...(protect === undefined ? {} : { protect }),
    ...(ignoreChanges === undefined ? {} : { ignoreChanges: [...ignoreChanges] }),
    ...(additionalSecretOutputs === undefined
      ? {}
      : { additionalSecretOutputs: [...additionalSecretOutputs] }),
  };
  return type.startsWith("digitalocean:")
    ? new AnyResource(type, name, inputs, options)
    : new pulumi.ComponentResource(type, name, inputs, options);
}

/** Each unknown value becomes the id of a resource that the property refers to; the last one of a list, of all others. */
function withOutputs(value: unknown, sources: string[], registered: Registered): unknown {
  if (value === unknownValue) return idOf(sources[0], registered);
  if (Array.isArray(value)) {
    const last = value.lastIndexOf(unknownValue);
    return value.flatMap((item: unknown, index) => {
      if (item !== unknownValue) return [withOutputs(item, sources, registered)];
      const taken = sources.splice(0, index === last ? sources.length : 1);
      return taken.map((source) => idOf(source, registered));
    });
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, withOutputs(item, sources, registered)]),
  );
}

function idOf(name: string | undefined, registered: Registered): pulumi.Output<string> {
  const source = registered.get(name ?? "");
  if (!(source instanceof pulumi.CustomResource)) throw new Error("an unknown value comes from no resource");
  return source.id;
}
