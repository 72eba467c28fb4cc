/** Runs a policy over a fixture as @pulumi/policy's server does: registration by registration, then the whole stack. */
import type { PolicyResource, ResourceValidationArgs, StackValidationArgs } from "@pulumi/policy";
import { UnknownValueError, unknownCheckingProxy } from "@pulumi/policy";
import { compilePolicy, levelOf } from "../../policy/frame/compile";
import type { PolicyDefinition } from "../../policy/frame/definition";
import type { Fixture, FixtureResource } from "../../policy/frame/fixture";
import type { StackSettings } from "../../policy/frame/stack-settings";
import { unknownValue } from "../../policy/frame/value";

export interface SeenViolation {
  readonly resource: string;
  readonly message: string;
  readonly at: "registration" | "stack";
}

/** What the engine sends for an unknown string; the SDK's proxy throws where it meets it. */
const unknownSentinel = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** The properties as the SDK hands them to a policy: plain values behind the proxy that throws for unknown ones. */
export function asEngineProps(value: unknown): Record<string, unknown> {
  return unknownCheckingProxy(withSentinels(value)) as Record<string, unknown>;
}

function withSentinels(value: unknown): unknown {
  if (value === unknownValue) return unknownSentinel;
  if (Array.isArray(value)) return value.map(withSentinels);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withSentinels(item)]));
}

/** Fails loudly if the proxy has stopped throwing: every test of unknown values rests on it. */
export function proxyThrows(): boolean {
  try {
    void asEngineProps({ a: unknownValue }).a;
    return false;
  } catch (error) {
    return error instanceof UnknownValueError;
  }
}

/** The stack's settings and the clock of a fixture. */
export function settingsOf({ stack = "dev", config = {}, today }: Fixture): StackSettings {
  return {
    stack,
    config: new Map(Object.entries(config)),
    ...(today === undefined ? {} : { now: new Date(today) }),
  };
}

export function judgeFixture(definition: PolicyDefinition, fixture: Fixture): readonly SeenViolation[] {
  const stack = fixture.stack ?? "dev";
  const settings = settingsOf(fixture);
  // The engine does not ask a disabled policy.
  if (levelOf(definition, settings, { stack, project: "example" }) === "disabled") return [];
  const policy = compilePolicy(definition, () => settings);
  const getConfig = () => fixture.configuration ?? {};
  const seen: SeenViolation[] = [];
  const nameOf = (urn: string | undefined) => urn?.split("::").at(-1) ?? "";
  const urnOf = (name: string, { type }: FixtureResource) => `urn:pulumi:${stack}::example::${type}::${name}`;
  const engineOf = (name: string, resource: FixtureResource, outputs: FixtureResource["outputs"] = {}) => ({
    getConfig,
    urn: urnOf(name, resource),
    type: resource.type,
    name,
    props: asEngineProps({ ...resource.properties, ...outputs }),
    ...(resource.secrets === undefined ? {} : { secretInputs: resource.secrets }),
    opts: {
      protect: resource.protect === true,
      ignoreChanges: [...(resource.ignoreChanges ?? [])],
      additionalSecretOutputs: [...(resource.additionalSecretOutputs ?? [])],
      aliases: [],
    },
  });
  for (const [name, resource] of Object.entries(fixture.resources)) {
    const args = engineOf(name, resource) as unknown as ResourceValidationArgs;
    if (typeof policy.validateResource !== "function") throw new Error("one validation is expected");
    void policy.validateResource(args, (message, urn) => {
      seen.push({ resource: nameOf(urn), message, at: "registration" });
    });
  }
  const resources = Object.entries(fixture.resources).map(([name, resource]) => ({
    ...engineOf(name, resource, resource.outputs),
    propertyDependencies: Object.fromEntries(
      Object.entries(resource.references ?? {}).map(([property, names]) => [
        property,
        names.map((other) => {
          const target = fixture.resources[other];
          if (target === undefined) throw new Error(`the fixture has no resource ${other}`);
          return { urn: urnOf(other, target) };
        }),
      ]),
    ),
  })) as unknown as PolicyResource[];
  void policy.validateStack({ resources, getConfig } as unknown as StackValidationArgs, (message, urn) => {
    seen.push({ resource: nameOf(urn), message, at: "stack" });
  });
  return seen;
}
