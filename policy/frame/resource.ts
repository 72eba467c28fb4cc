/** A resource as the policies of this pack see it. */
import { Inputs } from "./value";
import { toldSecrets } from "./wire-secrets";

export interface JudgedResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  /** The inputs that the program gave, where they have been seen; else the outputs that the stack holds. */
  readonly inputs: Inputs;
  /** What the stack holds: the inputs and what the provider answered. Empty before the stack is judged. */
  readonly outputs: Inputs;
  /** The resources that an input's value comes from. Empty before the stack is judged. */
  references(input: string): readonly JudgedResource[];
  ignoresChangesOf(input: string): boolean;
  /** Whether Pulumi refuses to delete it (the resource option `protect`). */
  readonly isProtected: boolean;
  /** Whether an input is or holds a secret in Pulumi's sense; undefined where the engine has not told. */
  isSecret(input: string): boolean | undefined;
}

/** The part of @pulumi/policy's arguments that a resource is made from. */
export interface EngineResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly props: unknown;
  readonly opts: { readonly ignoreChanges?: readonly string[]; readonly protect?: boolean };
  readonly propertyDependencies?: Readonly<Record<string, readonly { readonly urn: string }[]>>;
  /** Inputs that are or hold secrets, where another source than the engine's calls tells. */
  readonly secretInputs?: readonly string[];
}

const nothing = Inputs.from({});

/** Reads values only when a policy asks for them: most policies look at few types. */
class LazyResource implements JudgedResource {
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

  ignoresChangesOf(input: string): boolean {
    // An entry may be a path ("userData", "userData.x", "*").
    return (this.inputSource.opts.ignoreChanges ?? []).some(
      (path) =>
        path === "*" || path === input || path.startsWith(`${input}.`) || path.startsWith(`${input}[`),
    );
  }
}

/** A resource at its registration: its inputs are all there is. */
export function registeredResource(source: EngineResource): JudgedResource {
  return new LazyResource(source, undefined, () => undefined);
}

/** The resources of a whole stack, each with the inputs seen at its registration where there were any. */
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

/** The stack and project that a URN names: `urn:pulumi:<stack>::<project>::<type>::<name>`. */
export function parseUrn(urn: string): { readonly stack: string; readonly project: string } {
  const [head = "", project = ""] = urn.split("::");
  return { stack: head.split(":").at(-1) ?? "", project };
}
