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
}

export interface Fixture {
  /** What the example shows, as a clause; unique within its policy. */
  readonly title: string;
  /** The stack's name; "dev" where absent. */
  readonly stack?: string;
  /** The stack's configuration, `namespace:key` -> text. */
  readonly config?: Readonly<Record<string, string>>;
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

export interface PolicyFixtures {
  readonly valid: readonly Fixture[];
  readonly invalid: readonly InvalidFixture[];
}
