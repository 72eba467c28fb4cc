/**
 * Examples of a policy that run: the tests judge each one, and the policy's page shows the same ones.
 *
 * A property may hold `unknownValue`, as the engine has it in a preview.
 */

export interface FixtureResource {
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** Resources of the fixture that a property's value comes from, as the engine tells them: property -> names. */
  readonly references?: Readonly<Record<string, readonly string[]>>;
  readonly ignoreChanges?: readonly string[];
  /** The resource option `protect`. */
  readonly protect?: boolean;
  /** Inputs that are secrets in Pulumi's sense; where absent, the engine does not tell. */
  readonly secrets?: readonly string[];
  /** What the provider answered, beside the inputs: only the judgment of a whole stack sees it (`outputs`). */
  readonly outputs?: Readonly<Record<string, unknown>>;
}

export interface Fixture {
  /** What the example shows, as a clause; unique within its policy. */
  readonly title: string;
  /** The stack's name; "dev" where absent. */
  readonly stack?: string;
  /** The stack's configuration, `namespace:key` -> text. */
  readonly config?: Readonly<Record<string, string>>;
  /** What the user has set for the policy. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** The example shows what the policy leaves alone, so no mutant of it need be caught. */
  readonly leftAlone?: true;
  /** By name, in the order of their registration. */
  readonly resources: Readonly<Record<string, FixtureResource>>;
}

export interface ExpectedViolation {
  readonly resource: string;
  /** Text that the message holds. */
  readonly says: string;
  /** When the engine hears it: with the resource's registration (before an update changes it), or with the stack. */
  readonly at: "registration" | "stack";
}

export interface InvalidFixture extends Fixture {
  /** Every violation that the policy reports, in any order. */
  readonly violations: readonly ExpectedViolation[];
}

/** Mutants of the valid fixtures that the policy may let pass. One that excepts nothing fails the tests. */
export interface HarmlessMutants {
  /** The part of a resource that is changed, e.g. `/^tags(\[\d+\])?$/`. */
  readonly path: RegExp;
  /** Of `removed`, `emptied`, `unknown`, `mistyped`; all of them where absent. */
  readonly change?: RegExp;
  /** Names of the fixture's resources that it holds for; all of them where absent. */
  readonly resource?: RegExp;
  /** Why it is right to let it pass. */
  readonly reason: string;
}

export interface PolicyFixtures {
  readonly harmlessMutants?: readonly HarmlessMutants[];
  readonly valid: readonly Fixture[];
  readonly invalid: readonly InvalidFixture[];
}
