/** What a policy of this pack is. One folder under policies/ holds one definition, its fixtures and its page. */
import type { Severity } from "@pulumi/policy";
import type { EvidenceEntry } from "../evidence/host";
import type { Violation } from "./message";
import type { JudgedResource } from "./resource";
import type { Production } from "./stack-settings";

export interface PolicyDefinition {
  /** Permanent and in kebab-case: refusals, configuration and documentation name the policy by it. */
  readonly name: string;
  readonly displayName: string;
  /** One sentence that says what the policy demands. */
  readonly description: string;
  readonly severity: Severity;
  readonly tags: readonly string[];
  readonly remediationSteps: string;
  /**
   * Judges what one resource's inputs tell, together with what has been registered before it. In an update the engine
   * asks this before it changes the resource, so a violation here is refused in time.
   */
  readonly judgeResource?: (resource: JudgedResource, context: JudgmentContext) => void;
  /**
   * Judges what only the whole stack tells: what is missing, what belongs together. In an update the engine asks this
   * after the changes, so whatever one resource tells belongs in `judgeResource`.
   */
  readonly judgeStack?: (resources: readonly JudgedResource[], context: JudgmentContext) => void;
}

export interface JudgmentContext {
  /** Whether the stack is production. */
  readonly production: Production;
  /** The resources registered so far (all of them, when the stack is judged). */
  readonly resources: readonly JudgedResource[];
  /** The evidence seen so far (all of it, when the stack is judged). */
  readonly evidence: readonly EvidenceEntry[];
  report(resource: JudgedResource, violation: Violation): void;
}
