/** A resource as the policies of this pack see it. */
import { Inputs } from "./value";
import { toldSecrets } from "./wire-secrets";

export interface JudgedResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** The program's inputs, if they have been seen; otherwise the outputs in the stack. */
  readonly inputs: Inputs;
  /** The outputs in the stack: the inputs and the provider's answer. Empty before the whole stack is checked. */
  readonly outputs: Inputs;
  /** True for the droplet that a pool's template describes (templates.ts). */
  readonly isTemplate: boolean;
  /** False at the registration, when outputs and references are not known yet. */
  readonly isInStack: boolean;
  /** The resources that an input's value comes from. Empty before the whole stack is checked. */
  references(input: string): readonly JudgedResource[];
  ignoresChangesOf(input: string): boolean;
  /** True if Pulumi refuses to delete it (the resource option `protect`). */
  readonly isProtected: boolean;
  /** True if an input is a Pulumi secret or contains one; undefined if the engine has not reported it. */
  isSecret(input: string): boolean | undefined;
  /** True if the program makes an output a secret (the resource option `additionalSecretOutputs`). */
  hidesOutput(output: string): boolean;
}

/** The part of @pulumi/policy's arguments that a resource is built from. */
export interface EngineResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly props: unknown;
  readonly opts: {
    readonly ignoreChanges?: readonly string[];
    readonly protect?: boolean;
    readonly additionalSecretOutputs?: readonly string[];
  };
  readonly propertyDependencies?: Readonly<Record<string, readonly { readonly urn: string }[]>>;
  /** Inputs that are secrets or contain secrets, if known from another source than the engine's calls. */
  readonly secretInputs?: readonly string[];
}

const nothing = Inputs.from({});

/** Reads values only when a policy asks for them, because most policies use few types. */
class LazyResource implements JudgedResource {
  readonly isTemplate = false;
  private inputsRead: Inputs | undefined;
  private outputsRead: Inputs | undefined;

  constructor(
    private readonly inputSource: EngineResource,
    private readonly outputSource: EngineResource | undefined,
    private readonly resolve: (urn: string) => JudgedResource | undefined,
  ) {}

  get urn(): string {
    return this.inputSource.urn;
  }

  get type(): string {
    return this.inputSource.type;
  }

  get name(): string {
    return this.inputSource.name;
  }

  get inputs(): Inputs {
    this.inputsRead ??= Inputs.from(this.inputSource.props);
    return this.inputsRead;
  }

  get isInStack(): boolean {
    return this.outputSource !== undefined;
  }

  get outputs(): Inputs {
    if (this.outputSource === undefined) return nothing;
    this.outputsRead ??= Inputs.from(this.outputSource.props);
    return this.outputsRead;
  }

  references(input: string): readonly JudgedResource[] {
    const dependencies = this.outputSource?.propertyDependencies?.[input] ?? [];
    return dependencies.flatMap(({ urn }) => this.resolve(urn) ?? []);
  }

  get isProtected(): boolean {
    return this.inputSource.opts.protect === true;
  }

  isSecret(input: string): boolean | undefined {
    const { secretInputs, urn } = this.inputSource;
    return secretInputs?.includes(input) ?? toldSecrets(urn)?.has(input);
  }

  hidesOutput(output: string): boolean {
    return (this.inputSource.opts.additionalSecretOutputs ?? []).includes(output);
  }

  ignoresChangesOf(input: string): boolean {
    // An entry can be a path ("userData", "userData.x", "*").
    return (this.inputSource.opts.ignoreChanges ?? []).some(
      (path) =>
        path === "*" || path === input || path.startsWith(`${input}.`) || path.startsWith(`${input}[`),
    );
  }
}

/** A resource at its registration: only its inputs are known. */
export function registeredResource(source: EngineResource): JudgedResource {
  return new LazyResource(source, undefined, () => undefined);
}

/** The resources of a whole stack, each with the inputs from its registration, if there were any. */
export function stackResources(
  sources: readonly EngineResource[],
  registered: (urn: string) => EngineResource | undefined,
): readonly JudgedResource[] {
  const byUrn = new Map<string, JudgedResource>();
  for (const source of sources) {
    byUrn.set(
      source.urn,
      new LazyResource(registered(source.urn) ?? source, source, (urn) => byUrn.get(urn)),
    );
  }
  return [...byUrn.values()];
}

/** The stack and project in a URN: `urn:pulumi:<stack>::<project>::<type>::<name>`. */
export function parseUrn(urn: string): { readonly stack: string; readonly project: string } {
  const [head = "", project = ""] = urn.split("::");
  return { stack: head.split(":").at(-1) ?? "", project };
}
