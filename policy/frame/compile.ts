/** Turns definitions into policies of @pulumi/policy. */
import type {
  ReportViolation,
  ResourceValidationArgs,
  ResourceValidationPolicy,
  StackValidationArgs,
  StackValidationPolicy,
} from "@pulumi/policy";
import { type AnyConfiguration, ConfigurationError, engineSchema, readConfiguration } from "./configuration";
import type { JudgmentContext, PolicyDefinition } from "./definition";
import type { Level } from "./enforcement";
import { formatMessage } from "./message";
import { type JudgedResource, parseUrn } from "./resource";
import { type SeenResources, Session } from "./session";
import { productionOf, type StackSettings } from "./stack-settings";

/** A policy that is asked for each resource and for the stack, under one name. */
export type CompiledPolicy = ResourceValidationPolicy & StackValidationPolicy;

/**
 * Compiles the policies of one pack. They share what they have seen.
 *
 * @param settings what is known of the stack at the time of the call
 */
export function compilePolicies(
  definitions: readonly PolicyDefinition[],
  settings: () => StackSettings,
): CompiledPolicy[] {
  const session = new Session();
  return definitions.map((definition) => compilePolicy(definition, settings, session));
}

/** Compiles one policy; see `compilePolicies`. */
export function compilePolicy(
  definition: PolicyDefinition,
  settings: () => StackSettings,
  session = new Session(),
): CompiledPolicy {
  const run = new PolicyRun(definition, settings, session);
  return {
    name: definition.name,
    displayName: definition.displayName,
    description: definition.description,
    severity: definition.severity,
    tags: [...new Set([definition.category, ...definition.tags])],
    remediationSteps: definition.remediationSteps,
    ...(definition.configuration === undefined
      ? {}
      : { configSchema: engineSchema(definition.configuration) }),
    /**
     * Read by the SDK when the engine asks what the pack holds. The engine tells the stack's name and configuration
     * before that (`NewPolicyAnalyzer` in sdk/go/common/resource/plugin/analyzer_plugin.go), so the level can depend
     * on them; what the user sets replaces it (`ReconcilePolicyPackConfig` in pkg/resource/analyzer/config.go).
     */
    get enforcementLevel() {
      return levelOf(definition, settings());
    },
    validateResource: (args, reportViolation) => run.validateResource(args, reportViolation),
    validateStack: (args, reportViolation) => run.validateStack(args, reportViolation),
  };
}

/** How strictly a policy is enforced where the user has not said otherwise. */
export function levelOf(
  { enforcement }: PolicyDefinition,
  settings: StackSettings,
  urn: { readonly stack: string; readonly project: string } = { stack: "", project: "" },
): Level {
  return productionOf(settings, urn).production ? enforcement.production : enforcement.elsewhere;
}

class PolicyRun {
  private readonly reported = new Set<string>();

  constructor(
    private readonly definition: PolicyDefinition,
    private readonly settings: () => StackSettings,
    private readonly session: Session,
  ) {}

  validateResource(args: ResourceValidationArgs, reportViolation: ReportViolation): void {
    const resource = this.session.register(this.definition.name, args);
    const judge = this.definition.judgeResource;
    if (judge === undefined) return;
    this.judge(
      resource,
      () => this.session.seenSoFar(),
      () => args.getConfig(),
      reportViolation,
      (context) => judge(resource, context),
    );
  }

  validateStack(args: StackValidationArgs, reportViolation: ReportViolation): void {
    const judge = this.definition.judgeStack;
    if (judge === undefined) return;
    const seen = this.session.seenStack(this.definition.name, args.resources);
    this.judge(
      seen.resources[0],
      () => seen,
      () => args.getConfig(),
      reportViolation,
      (context) => judge(seen.resources, context),
    );
  }

  private judge(
    subject: JudgedResource | undefined,
    seen: () => SeenResources,
    given: () => Readonly<Record<string, unknown>>,
    reportViolation: ReportViolation,
    judge: (context: JudgmentContext) => void,
  ): void {
    if (subject === undefined) return;
    const report: JudgmentContext["report"] = (resource, violation) => {
      const message = formatMessage(resource, violation);
      // What a registration has told is not told again when the stack is judged.
      const key = `${resource.urn}\n${message}`;
      if (this.reported.has(key)) return;
      this.reported.add(key);
      reportViolation(message, resource.urn);
    };
    try {
      judge({
        production: productionOf(this.settings(), parseUrn(subject.urn)),
        configuration: this.configuration(given),
        get resources() {
          return seen().resources;
        },
        get evidence() {
          return seen().evidence;
        },
        report,
      });
    } catch (error) {
      // A judge that fails has judged nothing: that is a violation, not a pass. Its message could quote an input.
      report(subject, error instanceof ConfigurationError ? misconfigured(error) : notJudged(error));
    }
  }

  private configuration(given: () => Readonly<Record<string, unknown>>): AnyConfiguration {
    const { configuration } = this.definition;
    return configuration === undefined ? {} : readConfiguration(configuration, given());
  }
}

function misconfigured(error: ConfigurationError) {
  return {
    problem: `the policy could not judge it, because its own configuration is wrong: ${error.message}`,
    why: "what has not been judged cannot be taken for safe",
    fix: "correct the policy's entry in the configuration of the policy pack",
  };
}

function notJudged(error: unknown) {
  return {
    problem: `the policy could not judge it (${error instanceof Error ? error.constructor.name : "an error"})`,
    why: "what has not been judged cannot be taken for safe",
    fix: "report this as a fault of the policy pack, with the resource's type and the names of its inputs",
  };
}
