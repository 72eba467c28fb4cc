/** The resource types and functions of a plugin. server.ts serves them to the engine. */
import type { Problem } from "./check";
import type { Fields } from "./fields";
import type { PropertyMap } from "./values";

/** One running call of the engine. `C` is the type of the plugin's configured client. */
export interface Operation<C> {
  readonly client: C;
  /** The resource's name in the program, for messages. */
  readonly name: string;
  /** Aborted when the engine cancels (Ctrl-C). Waits then end; a request that changes something still completes. */
  readonly signal: AbortSignal;
  /** How long to wait for the API's asynchronous work, if the program sets a custom timeout. */
  readonly timeoutMs?: number;
}

export interface Created {
  readonly id: string;
  /** Outputs that are already known, such as the UUID of a certificate (its id is its name). */
  readonly state?: PropertyMap;
}

export interface Read {
  /** The resource's own id, when the engine passed an import id such as `domain,id`. */
  readonly id?: string;
  readonly state: PropertyMap;
}

export interface ResourceType<C> {
  /** The last part of the token, such as `Droplet` in `digitalocean:index/droplet:Droplet`. */
  readonly name: string;
  readonly fields: Fields;
  /** Checks rules that involve several properties. Values may be unknown. */
  problems?(inputs: PropertyMap): Problem[];
  /** Keys whose state requires a replacement even if no input changes, such as the end of a certificate's validity. */
  forcedReplacements?(state: PropertyMap, inputs: PropertyMap): string[];
  /** Why no update can bring this state to these inputs, or `undefined`. Diff reports it, so a preview shows it. */
  refuses?(state: PropertyMap, inputs: PropertyMap): string | undefined;
  /**
   * Creates the resource. Work after the id is known belongs in `settle`: if that fails, the engine keeps the resource.
   */
  create(op: Operation<C>, inputs: PropertyMap): Promise<Created>;
  /** Waits until a created or changed resource is ready and returns its state. Without it, `read` is called instead. */
  settle?(op: Operation<C>, id: string, prior: PropertyMap, inputs: PropertyMap): Promise<PropertyMap>;
  /** The current state on top of `prior` (empty in an import), or `undefined` if the resource no longer exists. */
  read(op: Operation<C>, id: string, prior: PropertyMap): Promise<Read | undefined>;
  /** Changes the resource. If the program leaves a value to the API, `inputs` has the value from the state. */
  update?(
    op: Operation<C>,
    id: string,
    inputs: PropertyMap,
    state: PropertyMap,
    changed: ReadonlySet<string>,
  ): Promise<void>;
  delete(op: Operation<C>, id: string, state: PropertyMap): Promise<void>;
}

export interface FunctionType<C> {
  /** The last part of the token, such as `getDroplet`. */
  readonly name: string;
  readonly inputs: Fields;
  readonly outputs: Fields;
  call(op: Operation<C>, inputs: PropertyMap): Promise<PropertyMap>;
}

export interface Provider<C> {
  readonly name: string;
  readonly config: Fields;
  readonly resources: readonly ResourceType<C>[];
  readonly functions: readonly FunctionType<C>[];
  /** True when the official schema does not mark the properties that replace (Terraform plugin-framework providers). */
  readonly schemaOmitsReplaces?: boolean;
  /** Environment variables to use when a configuration key is not set; the first non-empty one applies. */
  readonly configFromEnv?: Readonly<Record<string, readonly string[]>>;
  /** Checks the configuration as a whole. Values may be unknown. */
  configProblems?(config: PropertyMap): Problem[];
  /** `signal` is aborted when the engine cancels. */
  configure(config: PropertyMap, signal: AbortSignal): C;
}

/** `digitalocean:index/droplet:Droplet` */
export function token(provider: string, name: string): string {
  return `${provider}:index/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`;
}
