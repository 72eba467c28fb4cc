/**
 * The droplets that a pool creates from its template (DropletAutoscale). The policies see one droplet for each pool,
 * with the template's inputs, and report its violations at the pool.
 */
import type { JudgedResource } from "./resource";
import { Inputs, type Tree, unknownValue } from "./value";

export const autoscaleType = "digitalocean:index/dropletAutoscale:DropletAutoscale";
const dropletType = "digitalocean:index/droplet:Droplet";
const templateInput = "dropletTemplate";

/** Inputs that are unknown if the whole template is. */
const templateInputs = ["image", "region", "size", "tags", "userData", "vpcUuid", "publicNetworking"];

class TemplateDroplet implements JudgedResource {
  readonly type = dropletType;
  readonly isTemplate = true;
  readonly inputs: Inputs;
  readonly outputs = Inputs.from({});

  constructor(private readonly pool: JudgedResource) {
    const template = pool.inputs.object(templateInput);
    const parts: readonly (readonly [string, Tree | undefined])[] =
      template.state === "known"
        ? template.value.keys().map((name) => [name, template.value.raw(name)] as const)
        : templateInputs.map((name) => [name, unknownValue] as const);
    // DigitalOcean installs its monitoring on every droplet of a pool, which it scales by CPU and memory.
    this.inputs = Inputs.from(
      Object.fromEntries([...parts, ["name", pool.inputs.raw("name")], ["monitoring", true]]),
    );
  }

  get urn(): string {
    return this.pool.urn;
  }

  get name(): string {
    return this.pool.name;
  }

  get isInStack(): boolean {
    return this.pool.isInStack;
  }

  get isProtected(): boolean {
    return this.pool.isProtected;
  }

  references(input: string): readonly JudgedResource[] {
    return this.pool.references(input === "name" ? input : templateInput);
  }

  ignoresChangesOf(input: string): boolean {
    return this.pool.ignoresChangesOf(templateInput) || this.pool.ignoresChangesOf(input);
  }

  isSecret(): boolean | undefined {
    return this.pool.isSecret(templateInput);
  }

  hidesOutput(output: string): boolean {
    return this.pool.hidesOutput(output);
  }
}

const templates = new WeakMap<JudgedResource, JudgedResource>();

/** A resource, and the droplet of its template if it is a pool. */
export function withTemplate(resource: JudgedResource): readonly JudgedResource[] {
  if (resource.type !== autoscaleType) return [resource];
  const droplet = templates.get(resource) ?? new TemplateDroplet(resource);
  templates.set(resource, droplet);
  return [resource, droplet];
}

/** How a message names a resource, and a place in it. */
export function shownAs(
  resource: JudgedResource,
  at: string | undefined,
): { readonly type: string; readonly at?: string } {
  if (!resource.isTemplate) return { type: resource.type, ...(at === undefined ? {} : { at }) };
  return {
    type: autoscaleType,
    at: at === undefined || at === "name" ? (at ?? templateInput) : `${templateInput}.${at}`,
  };
}
