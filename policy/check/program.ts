/**
 * Reads a small Pulumi program, in the form of Pulumi YAML, and presents it in the way that the engine presents a first
 * preview to policies: `${name.attribute}` is known if it is a known input of the resource `name`, and unknown
 * otherwise. `fn::secret` marks a secret, `$${` is a literal `${`, and `options` can set `protect` and `ignoreChanges`.
 */
import { unknownValue } from "../frame/value";
import type { State, StateResource } from "./state";

export interface ProgramResource {
  /** A type of Pulumi YAML (`digitalocean:Droplet`) or a full type token. */
  readonly type: string;
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly options?: { readonly protect?: boolean; readonly ignoreChanges?: readonly string[] };
}

/** By name. A resource can refer to resources after it. */
export type ProgramResources = Readonly<Record<string, ProgramResource>>;

/** The first preview of a program, under the name of a stack. */
export function previewOf(resources: ProgramResources, stack: string, project: string): State {
  const preview = new Preview(resources, `urn:pulumi:${stack}::${project}`);
  for (const name of Object.keys(resources)) preview.register(name);
  return { stack, project, resources: [...preview.registered.values()], encryptedValues: 0 };
}

const reference = /\$\{([\w-]+)\.([\w.[\]]+)\}/;

class Preview {
  /** In the order of registration: a resource comes after those to which it refers. */
  readonly registered = new Map<string, StateResource>();

  constructor(
    private readonly resources: ProgramResources,
    private readonly prefix: string,
  ) {}

  register(name: string): StateResource {
    const before = this.registered.get(name);
    if (before !== undefined) return before;
    const resource = this.resources[name];
    if (resource === undefined) throw new Error(`the program has no resource "${name}"`);
    const type = fullType(resource.type);
    const secretInputs: string[] = [];
    const propertyDependencies: Record<string, { urn: string }[]> = {};
    const props: Record<string, unknown> = {};
    for (const [property, value] of Object.entries(resource.properties ?? {})) {
      const urns = new Set<string>();
      props[property] = this.resolved(value, urns);
      propertyDependencies[property] = [...urns].map((urn) => ({ urn }));
      if (JSON.stringify(value)?.includes('"fn::secret"')) secretInputs.push(property);
    }
    if (autonamed.test(type)) props.name ??= `${name}-${digits(name)}`;
    const { protect = false, ignoreChanges = [] } = resource.options ?? {};
    const urn = `${this.prefix}::${type}::${name}`;
    const common = { urn, type, name, opts: { protect, ignoreChanges }, props };
    const made: StateResource = {
      urn,
      type,
      name,
      line: 1,
      inputs: { ...common, secretInputs },
      outputs: { ...common, propertyDependencies },
    };
    this.registered.set(name, made);
    return made;
  }

  private resolved(value: unknown, urns: Set<string>): unknown {
    if (typeof value === "string") return this.resolvedText(value, urns);
    if (Array.isArray(value)) return value.map((item) => this.resolved(item, urns));
    if (typeof value !== "object" || value === null) return value;
    if ("fn::secret" in value) return this.resolved(value["fn::secret"], urns);
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, this.resolved(item, urns)]));
  }

  private resolvedText(text: string, urns: Set<string>): unknown {
    let rest = text;
    let known = "";
    let isKnown = true;
    for (let match = reference.exec(rest); match !== null; match = reference.exec(rest)) {
      const [whole, name = "", attribute = ""] = match;
      const before = rest.slice(0, match.index);
      rest = rest.slice(match.index + whole.length);
      if (before.endsWith("$")) {
        known += before.slice(0, -1) + whole;
        continue;
      }
      const target = this.register(name);
      urns.add(target.urn);
      const value = (target.inputs.props as Record<string, unknown>)[attribute];
      if (typeof value === "string") known += before + value;
      else isKnown = false;
    }
    return isKnown ? known + rest : unknownValue;
  }
}

/** `digitalocean:Droplet` -> `digitalocean:index/droplet:Droplet`. */
function fullType(type: string): string {
  const [provider, name, ...rest] = type.split(":");
  if (name === undefined || rest.length > 0) return type;
  return `${provider}:index/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`;
}

/** Types to which Pulumi gives a name if the program gives none. */
const autonamed =
  /:(?:Droplet|LoadBalancer|Firewall|Vpc|Volume|DatabaseCluster|KubernetesCluster|Certificate|Project|SpacesBucket)$/;

/** Seven hexadecimal digits, as Pulumi adds them, but always the same ones for a name. */
function digits(name: string): string {
  let sum = 7;
  for (const char of name) sum = (sum * 31 + char.charCodeAt(0)) % 0xfffffff;
  return sum.toString(16).padStart(7, "0");
}
