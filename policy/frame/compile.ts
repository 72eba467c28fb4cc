/** Turns a definition into a policy of @pulumi/policy. */
import type {
  ReportViolation,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationArgs,
  StackValidationPolicy,
} from "@pulumi/policy";
import { isEvidenceComponent, readEvidence } from "../evidence/host";
import type { JudgmentContext, PolicyDefinition } from "./definition";
import { formatMessage } from "./message";
import {
  type EngineResource,
  type JudgedResource,
  parseUrn,
  registeredResource,
  stackResources,
} from "./resource";
import { productionOf, type StackSettings } from "./stack-settings";

/** A policy that is asked for each resource and for the stack, under one name. */
export type CompiledPolicy = ResourceValidationPolicy & StackValidationPolicy;

/**
 * Compiles a definition. The compiled policy remembers what it has seen since its process began, which is one preview
 * or one update: the engine starts the pack anew for each.
 *
 * @param settings what is known of the stack at the time of the call
 */
export function compilePolicy(definition: PolicyDefinition, settings: () => StackSettings): CompiledPolicy {
  const run = new PolicyRun(definition, settings);
  return {
    name: definition.name,
    displayName: definition.displayName,
    description: definition.description,
    severity: definition.severity,
    tags: [...definition.tags],
    remediationSteps: definition.remediationSteps,
    enforcementLevel: "mandatory",
    validateResource: (args, reportViolation) => run.validateResource(args, reportViolation),
    validateStack: (args, reportViolation) => run.validateStack(args, reportViolation),
  };
}

class PolicyRun {
  private readonly sources = new Map<string, EngineResource>();
  private readonly registered = new Map<string, JudgedResource>();
  private readonly reported = new Set<string>();

  constructor(
    private readonly definition: PolicyDefinition,
    private readonly settings: () => StackSettings,
  ) {}

  validateResource(args: ResourceValidationArgs, reportViolation: ReportViolation): void {
    const resource = registeredResource(args);
    this.sources.set(args.urn, args);
    this.registered.set(args.urn, resource);
    const judge = this.definition.judgeResource;
    if (judge === undefined) return;
    this.judge(resource, [...this.registered.values()], reportViolation, (context) =>
      judge(resource, context),
    );
  }

  validateStack(args: StackValidationArgs, reportViolation: ReportViolation): void {
    const judge = this.definition.judgeStack;
    if (judge === undefined) return;
    const resources = stackResources(args.resources, this.sources);
    this.judge(resources[0], resources, reportViolation, (context) => judge(resources, context));
  }

  private judge(
    subject: JudgedResource | undefined,
    resources: readonly JudgedResource[],
    reportViolation: ReportViolation,
    judge: (context: JudgmentContext) => void,
  ): void {
    if (subject === undefined) return;
    const context: JudgmentContext = {
      production: productionOf(this.settings(), parseUrn(subject.urn)),
      resources,
      get evidence() {
        return resources.filter(isEvidenceComponent).flatMap((component) => readEvidence(component).entries);
      },
      report: (resource, violation) => {
        const message = formatMessage(resource, violation);
        // What a registration has told is not told again when the stack is judged.
        const key = `${resource.urn}\n${message}`;
        if (this.reported.has(key)) return;
        this.reported.add(key);
        reportViolation(message, resource.urn);
      },
    };
    try {
      judge(context);
    } catch (error) {
      // A judge that fails has judged nothing: that is a violation, not a pass. Its message could quote an input.
      context.report(subject, {
        problem: `the policy could not judge it (${error instanceof Error ? error.constructor.name : "an error"})`,
        why: "what has not been judged cannot be taken for safe",
        fix: "report this as a fault of the policy pack, with the resource's type and the names of its inputs",
      });
    }
  }
}
