/**
 * Examples of a policy. The tests run each one, and the policy's page shows the same ones.
 *
 * A property can be `unknownValue`, like an unknown value in a preview.
 */

export interface FixtureResource {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** The fixture's resources that a property's value comes from, as the engine reports them: property -> names. */
  readonly references?: Readonly<Record<string, readonly string[]>>;
  readonly ignoreChanges?: readonly string[];
  /** The resource option `protect`. */
  readonly protect?: boolean;
  /** Inputs that are Pulumi secrets. If absent, the engine does not report secrets. */
  readonly secrets?: readonly string[];
  /** The resource option `additionalSecretOutputs`. */
  readonly additionalSecretOutputs?: readonly string[];
  /** Outputs from the provider. Only `judgeStack` sees them. */
  readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface Fixture {
  /** The point of the example, as a clause; unique within its policy. */
  readonly title: string;
  /** The stack's name; default "dev". */
  readonly stack?: string;
  /** The stack's configuration, `namespace:key` -> text. */
  readonly config?: Readonly<Record<string, string>>;
  /** The policy's configuration, as set by the user. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** The day of the check, as "2026-11-30"; default: today. */
  readonly today?: string;
  /** The policy ignores this example, so it does not have to find any mutant of it. */
  readonly leftAlone?: true;
  /** By name, in the order of registration. */
  readonly resources: Readonly<Record<string, FixtureResource>>;
}

export interface ExpectedViolation {
  readonly resource: string;
  /** Text that the message contains. */
  readonly says: string;
  /**
   * When the policy reports it: at the resource's registration (before an update changes it), or for the whole stack.
   */
  readonly at: "registration" | "stack";
}

export interface InvalidFixture extends Fixture {
  /** All violations that the policy reports, in any order. */
  readonly violations: readonly ExpectedViolation[];
}

/** Mutants of the valid fixtures that the policy may accept. The tests fail if an exception matches no mutant. */
export interface HarmlessMutants {
  /** The changed part of a resource, for example `/^tags(\[\d+\])?$/`. */
  readonly path: RegExp;
  /** Some of `removed`, `emptied`, `unknown`, `mistyped`; default: all. */
  readonly change?: RegExp;
  /** Names of the fixture's resources to which it applies; default: all. */
  readonly resource?: RegExp;
  /** The reason why the policy may accept it. */
  readonly reason: string;
}

export interface PolicyFixtures {
  readonly harmlessMutants?: readonly HarmlessMutants[];
  readonly valid: readonly Fixture[];
  readonly invalid: readonly InvalidFixture[];
}
