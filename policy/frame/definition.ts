/** What a policy of this pack is. One folder under policies/ holds one definition, its fixtures and its page. */
import type { Severity } from "@pulumi/policy";
import type { EvidenceEntry } from "../evidence/host";
import type { AnyConfiguration, ConfigurationOf, ConfigurationSchema } from "./configuration";
import type { Enforcement } from "./enforcement";
import type { Violation } from "./message";
import type { JudgedResource } from "./resource";
import type { Production } from "./stack-settings";

/** The sections of the index of policies. */
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
  /** Permanent and in kebab-case: refusals, configuration and documentation name the policy by it. */
  readonly name: string;
  readonly displayName: string;
  readonly category: Category;
  /** One sentence that says what the policy demands. */
  readonly description: string;
  /** What a violation may cost: critical, high, medium or low. */
  readonly severity: Severity;
  /** What a violation does where the user has not said otherwise: `alwaysMandatory`, `mandatoryInProduction`, ... */
  readonly enforcement: Enforcement;
  readonly tags: readonly string[];
  readonly remediationSteps: string;
  /** What a user may set. The values arrive in `context.configuration`, typed where `definePolicy` is used. */
  readonly configuration?: ConfigurationSchema;
  /**
   * Judges what one resource's inputs tell, together with what has been registered before it. In an update the engine
   * asks this before it changes the resource, so a violation here is refused in time.
   */
  readonly judgeResource?: (resource: JudgedResource, context: JudgmentContext<Configuration>) => void;
  /**
   * Judges what only the whole stack tells: what is missing, what belongs together. In an update the engine asks this
   * after the changes, so whatever one resource tells belongs in `judgeResource`.
   */
  readonly judgeStack?: (
    resources: readonly JudgedResource[],
    context: JudgmentContext<Configuration>,
  ) => void;
}

export interface JudgmentContext<Configuration = AnyConfiguration> {
  /** Whether the stack is production. */
  readonly production: Production;
  /** What the user has set, with the defaults of what he has not. */
  readonly configuration: Configuration;
  /** The resources registered so far (all of them, when the stack is judged). */
  readonly resources: readonly JudgedResource[];
  /** The evidence seen so far (all of it, when the stack is judged). */
  readonly evidence: readonly EvidenceEntry[];
  report(resource: JudgedResource, violation: Violation): void;
}

/**
 * A policy with a configuration, whose judges see it typed:
 *
 *     definePolicy({ ..., configuration: { minimum: { type: "integer", default: 3, description: "..." } },
 *       judgeStack(resources, { configuration }) { configuration.minimum; } })
 */
export function definePolicy<const S extends ConfigurationSchema>(
  definition: PolicyDefinition<ConfigurationOf<S>> & { readonly configuration: S },
): PolicyDefinition {
  // The frame reads the values by this same schema, so the judges get what their type says.
  return definition as unknown as PolicyDefinition;
}
