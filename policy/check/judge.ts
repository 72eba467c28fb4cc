/** Runs the policies on an exported state, in the way that the engine runs them on a stack. */
import type { ResourceValidationArgs, StackValidationArgs } from "@pulumi/policy";
import { compilePolicies, levelOf } from "../frame/compile";
import type { PolicyDefinition } from "../frame/definition";
import type { Level } from "../frame/enforcement";
import { productionOf, type StackSettings } from "../frame/stack-settings";
import type { State, StateResource } from "./state";

/**
 * A user's settings for one policy: its level and its configuration, in the format of `pulumi --policy-pack-config`.
 */
export interface PolicySetting {
  readonly level?: Level;
  readonly configuration: Readonly<Record<string, unknown>>;
}

export interface Finding {
  readonly policy: PolicyDefinition;
  readonly level: Exclude<Level, "disabled">;
  readonly resource: StateResource;
  readonly message: string;
}

/** A violation that a team accepts (baseline.ts). */
export interface Exception {
  readonly policy: string;
  /** The resource's name in the program, or its URN. */
  readonly resource: string;
  /** The violation's whole message; without it, every violation of the policy by the resource is accepted. */
  readonly message?: string;
  readonly reason: string;
  /** The last day on which it is accepted, `YYYY-MM-DD` in UTC. */
  readonly until: string;
}

/** An exception, and the violations that it matches. */
export interface Match {
  readonly exception: Exception;
  readonly findings: readonly Finding[];
}

export interface Judgment {
  readonly state: State;
  /** The reason why the stack counts as production; undefined if it does not. */
  readonly productionBecause: string | undefined;
  /** The policies that ran, in the pack's order. */
  readonly policies: readonly {
    readonly policy: PolicyDefinition;
    readonly level: Exclude<Level, "disabled">;
  }[];
  readonly disabled: readonly PolicyDefinition[];
  readonly findings: readonly Finding[];
  /** Of a baseline (`withBaseline`). */
  readonly exceptions: {
    /** Their violations are not in `findings`. */
    readonly accepted: readonly Match[];
    /** Their last day has passed, so their violations are in `findings`. */
    readonly ended: readonly Match[];
    /** Without a violation. */
    readonly unused: readonly Exception[];
  };
}

export function judgeState(
  state: State,
  definitions: readonly PolicyDefinition[],
  settings: StackSettings,
  given: ReadonlyMap<string, PolicySetting> = new Map(),
): Judgment {
  const where = { stack: state.stack, project: state.project };
  const production = productionOf(settings, where);
  const levels = definitions.map(
    (policy) => [policy, given.get(policy.name)?.level ?? levelOf(policy, settings, where)] as const,
  );
  const asked = levels.flatMap(([policy, level]) => (level === "disabled" ? [] : [{ policy, level }]));
  const byUrn = new Map(state.resources.map((resource) => [resource.urn, resource]));
  const findings: Finding[] = [];
  const compiled = compilePolicies(
    asked.map(({ policy }) => policy),
    () => settings,
  );
  const whole = state.resources.map(({ outputs }) => outputs);
  const policies = asked.flatMap((one, index) => {
    const run = compiled[index];
    return run === undefined
      ? []
      : [{ ...one, run, getConfig: () => given.get(one.policy.name)?.configuration ?? {} }];
  });
  const reporter = (policy: PolicyDefinition, level: Finding["level"]) => (message: string, urn?: string) => {
    const resource = byUrn.get(urn ?? "");
    if (resource !== undefined) findings.push({ policy, level, resource, message });
  };
  for (const resource of state.resources) {
    for (const { policy, level, run, getConfig } of policies) {
      if (typeof run.validateResource !== "function") continue;
      // The policies of this pack read no other arguments, and they are synchronous.
      const args = { ...resource.inputs, getConfig } as unknown as ResourceValidationArgs;
      void run.validateResource(args, reporter(policy, level));
    }
  }
  for (const { policy, level, run, getConfig } of policies) {
    const args = { resources: whole, getConfig } as unknown as StackValidationArgs;
    void run.validateStack(args, reporter(policy, level));
  }
  return {
    state,
    productionBecause: production.production ? production.because : undefined,
    policies: asked,
    disabled: levels.flatMap(([policy, level]) => (level === "disabled" ? [policy] : [])),
    findings: sorted(findings),
    exceptions: { accepted: [], ended: [], unused: [] },
  };
}

/** Each accepted finding once, with the reason of the first exception that matches it. */
export function acceptedFindings({ exceptions }: Judgment): ReadonlyMap<Finding, string> {
  const pairs = exceptions.accepted.flatMap(({ exception, findings }) =>
    findings.map((finding) => [finding, exception.reason] as const),
  );
  return new Map(pairs.reverse());
}

/** The severities of policies, the most severe first. */
export const severities = ["critical", "high", "medium", "low"];

/** Mandatory violations first, then by severity. */
function sorted(findings: readonly Finding[]): readonly Finding[] {
  const rank = ({ level, policy }: Finding) =>
    (level === "mandatory" ? 0 : severities.length) + severities.indexOf(policy.severity);
  return [...findings].sort((one, other) => rank(one) - rank(other));
}
