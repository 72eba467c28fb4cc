/** The definition of a policy. One folder under policies/ contains one definition, its fixtures and its page. */
import type { Severity } from "@pulumi/policy";
import type { EvidenceEntry } from "../evidence/entry";
import type { AnyConfiguration, ConfigurationOf, ConfigurationSchema } from "./configuration";
import type { Enforcement } from "./enforcement";
import type { Violation } from "./message";
import type { JudgedResource } from "./resource";
import type { Production } from "./stack-settings";

/** The sections of the policy index. */
export const categories = [
  "encryption",
  "writers",
  "roles",
  "network",
  "data",
  "monitoring",
  "hygiene",
] as const;
export type Category = (typeof categories)[number];

export interface PolicyDefinition<Configuration = AnyConfiguration> {
  /** Permanent, in kebab-case. Violations, configuration and documentation use this name. */
  readonly name: string;
  readonly displayName: string;
  readonly category: Category;
  /** One sentence that states the requirement. */
  readonly description: string;
  /** Possible damage of a violation: critical, high, medium or low. */
  readonly severity: Severity;
  /** Enforcement level, unless the user sets another one: `alwaysMandatory`, `mandatoryInProduction`, ... */
  readonly enforcement: Enforcement;
  readonly tags: readonly string[];
  /**
   * The DigitalOcean types whose resources it reports, for the table of resource types. A pool of droplets counts as
   * its droplets.
   */
  readonly types?: readonly string[];
  readonly remediationSteps: string;
  /**
   * The properties that a user can set. The values are in `context.configuration`, typed if `definePolicy` is used.
   */
  readonly configuration?: ConfigurationSchema;
  /**
   * Checks the inputs of one resource, together with the resources registered before it. In an update the engine
   * calls this before it changes the resource, so a violation prevents the change.
   */
  readonly judgeResource?: (resource: JudgedResource, context: JudgmentContext<Configuration>) => void;
  /**
   * Checks the whole stack: missing resources, and resources that belong together. In an update the engine calls this
   * after the changes, so use `judgeResource` for everything that one resource shows.
   */
  readonly judgeStack?: (
    resources: readonly JudgedResource[],
    context: JudgmentContext<Configuration>,
  ) => void;
}

export interface JudgmentContext<Configuration = AnyConfiguration> {
  /** True if the stack is production. */
  readonly production: Production;
  /** The time of the check, for what has an end date. */
  readonly now: Date;
  /** The values that the user set, with the defaults of the others. */
  readonly configuration: Configuration;
  /** The resources registered so far; in `judgeStack`, all of them. */
  readonly resources: readonly JudgedResource[];
  /** The evidence seen so far; in `judgeStack`, all of it. */
  readonly evidence: readonly EvidenceEntry[];
  report(resource: JudgedResource, violation: Violation): void;
}

/**
 * Defines a policy with a configuration, which its functions receive typed:
 *
 *     definePolicy({ ..., configuration: { minimum: { type: "integer", default: 3, description: "..." } },
 *     judgeStack(resources, { configuration }) { configuration.minimum; } })
 */
export function definePolicy<const S extends ConfigurationSchema>(
  definition: PolicyDefinition<ConfigurationOf<S>> & { readonly configuration: S },
): PolicyDefinition {
  // The values are read with this same schema, so they have the types that the functions expect.
  return definition as unknown as PolicyDefinition;
}
