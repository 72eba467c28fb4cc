/** Compiles definitions into policies of @pulumi/policy. */
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
import { shownAs, withTemplate } from "./templates";

/** One policy that the engine runs for each resource and for the whole stack, under one name. */
export type CompiledPolicy = ResourceValidationPolicy & StackValidationPolicy;

/**
 * Compiles the policies of one pack. They share the resources and evidence that they have seen.
 *
 * @param settings the settings of the stack that are known at the time of the call
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
     * The SDK reads it when the engine asks for the pack's policies. Before that, the engine sends the stack's name
     * and configuration (`NewPolicyAnalyzer` in sdk/go/common/resource/plugin/analyzer_plugin.go), so the level can
     * depend on them. A level that the user sets replaces it (`ReconcilePolicyPackConfig` in
     * pkg/resource/analyzer/config.go).
     */
    get enforcementLevel() {
      return levelOf(definition, settings());
    },
    validateResource: (args, reportViolation) => run.validateResource(args, reportViolation),
    validateStack: (args, reportViolation) => run.validateStack(args, reportViolation),
  };
}

/** The enforcement level of a policy, unless the user sets another one. */
export function levelOf(
  { enforcement }: PolicyDefinition,
  settings: StackSettings,
  urn?: { readonly stack: string; readonly project: string },
): Level {
  return productionOf(settings, urn).production ? enforcement.production : enforcement.elsewhere;
}

class PolicyRun {
  /** The messages of this run, by the URN of their resource. A process can serve several runs. */
  private readonly reported = new Map<string, Set<string>>();

  constructor(
    private readonly definition: PolicyDefinition,
    private readonly settings: () => StackSettings,
    private readonly session: Session,
  ) {}

  validateResource(args: ResourceValidationArgs, reportViolation: ReportViolation): void {
    const resource = this.session.register(this.definition.name, args);
    this.reported.delete(args.urn);
    const judge = this.definition.judgeResource;
    if (judge === undefined) return;
    this.judge(
      resource,
      () => this.session.seenSoFar(),
      () => args.getConfig(),
      reportViolation,
      (context) => {
        for (const one of withTemplate(resource)) judge(one, context);
      },
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
    this.reported.clear();
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
      const { name } = resource;
      const { type, at } = shownAs(resource, violation.at);
      const message = formatMessage({ type, name }, { ...violation, ...(at === undefined ? {} : { at }) });
      // A violation that was reported at registration is not reported again for the whole stack.
      const before = this.reported.get(resource.urn) ?? new Set();
      if (before.has(message)) return;
      this.reported.set(resource.urn, before.add(message));
      reportViolation(message, resource.urn);
    };
    try {
      judge({
        production: productionOf(this.settings(), parseUrn(subject.urn)),
        now: this.settings().now ?? new Date(),
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
      // A policy that throws has checked nothing, so it reports a violation instead of a pass. Its error message
      // could contain an input, so it is not printed.
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
    problem: `the policy could not check it, because the policy's own configuration is wrong: ${error.message}`,
    why: "a resource that was not checked may be insecure",
    fix: "correct the policy's entry in the configuration of the policy pack",
  };
}

function notJudged(error: unknown) {
  return {
    problem: `the policy could not check it (${error instanceof Error ? error.constructor.name : "an error"})`,
    why: "a resource that was not checked may be insecure",
    fix: "report this as a bug in the policy pack, with the resource's type and the names of its inputs",
  };
}
