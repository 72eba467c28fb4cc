/** What a resource type and a function of a plugin are, for the server that speaks with the engine. */
import type { Problem } from "./check";
import type { Fields } from "./fields";
import type { PropertyMap } from "./values";

/** One call of the engine while it runs. `C` is the plugin's configured client. */
export interface Operation<C> {
  readonly client: C;
  /** The resource's name in the program, for messages. */
  readonly name: string;
  /** Aborted when the engine cancels (Ctrl-C): waits end, requests that change something are still heard out. */
  readonly signal: AbortSignal;
  /** How long to wait for what the API does on its own, where the program sets a custom timeout. */
  readonly timeoutMs?: number;
}

export interface Created {
  readonly id: string;
  /** Outputs known already, such as the UUID of a certificate whose id is its name. */
  readonly state?: PropertyMap;
}

export interface Read {
  /** Where the id given was an import id, such as `domain,id`. */
  readonly id?: string;
  readonly state: PropertyMap;
}

export interface ResourceType<C> {
  /** The last part of the token, such as `Droplet` in `digitalocean:index/droplet:Droplet`. */
  readonly name: string;
  readonly fields: Fields;
  /** Rules over several properties. Values may be unknown. */
  problems?(inputs: PropertyMap): Problem[];
  /** Keys of the state that make a replacement due by themselves, such as an expired certificate. */
  due?(state: PropertyMap, inputs: PropertyMap): string[];
  /** Why these inputs can never become of this state, where that is so; said in a preview already. */
  refuses?(state: PropertyMap, inputs: PropertyMap): string | undefined;
  /** Makes the resource. What comes after the id is known belongs into `settle`: its failure keeps the resource. */
  create(op: Operation<C>, inputs: PropertyMap): Promise<Created>;
  /** Waits until a resource just created or changed is ready and gives its state; `read` where there is no wait. */
  settle?(op: Operation<C>, id: string, prior: PropertyMap, inputs: PropertyMap): Promise<PropertyMap>;
  /** The state now, over `prior` (empty in an import); `undefined` where the resource is gone. */
  read(op: Operation<C>, id: string, prior: PropertyMap): Promise<Read | undefined>;
  /** Changes the resource; `inputs` hold the state's values for what the program leaves to the API. */
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
  /** Whether the official schema leaves out which properties replace (Terraform plugin-framework providers). */
  readonly schemaOmitsReplaces?: boolean;
  /** Environment variables that stand in for configuration, by key; the first that is set counts. */
  readonly configFromEnv?: Readonly<Record<string, readonly string[]>>;
  /** What is wrong with the configuration as a whole; unknown values are allowed. */
  configProblems?(config: PropertyMap): Problem[];
  /** `signal` is aborted when the engine cancels. */
  configure(config: PropertyMap, signal: AbortSignal): C;
}

/** `digitalocean:index/droplet:Droplet` */
export function token(provider: string, name: string): string {
  return `${provider}:index/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`;
}
