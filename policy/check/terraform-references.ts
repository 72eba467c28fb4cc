/**
 * The references in a plan's configuration: which input of which resource takes its value from which other resources.
 * They go through the variables and outputs of modules. A plan does not contain local values, so that a reference to one
 * leads nowhere.
 */
import { isMapping, type Mapping } from "../evidence/config-merge";

/** A resource instance of a plan. */
export interface Instance {
  readonly address: string;
  /** The address of its module instance; empty for the root module. */
  readonly module: string;
  readonly type: string;
  readonly name: string;
  /** `[0]` or `["a"]`; empty without count and for_each. */
  readonly index: string;
}

/** A module instance, and its part of the configuration. */
interface Scope {
  readonly address: string;
  readonly module: Mapping;
  readonly index: string;
  /** The module that calls it. */
  readonly caller?: { readonly scope: Scope; readonly call: Mapping };
}

/** The resource, or the call of a module, whose expression refers. */
interface Referrer {
  readonly index: string;
  readonly forEach: unknown;
  /** True within an expression with `each` or `count.index`: it refers to the instance with the same index. */
  readonly isOneByOne: boolean;
}

const step = /^module\.([\w-]+)(\[(?:\d+|"(?:[^"\\]|\\.)*")\])?\.?/;
const resourceReference = /^([\w-]+)\.([\w-]+)(\[(?:\d+|"(?:[^"\\]|\\.)*")\])?/;

export class Configuration {
  private readonly byModule = new Map<string, Instance[]>();
  private readonly root: Scope;

  constructor(
    configuration: unknown,
    private readonly instances: readonly Instance[],
  ) {
    const module = isMapping(configuration) ? configuration.root_module : undefined;
    this.root = { address: "", index: "", module: isMapping(module) ? module : {} };
    for (const instance of instances) {
      const list = this.byModule.get(instance.module) ?? [];
      list.push(instance);
      this.byModule.set(instance.module, list);
    }
  }

  /** The expressions of the attributes that the configuration sets; undefined if it does not have the resource. */
  expressionsOf(instance: Instance): Mapping | undefined {
    const expressions = this.blockOf(instance)?.expressions;
    return isMapping(expressions) ? expressions : undefined;
  }

  /** The resource instances to which an attribute's expression refers. */
  referencesOf(instance: Instance, attribute: string): readonly Instance[] {
    const found = new Set<Instance>();
    const expression = this.expressionsOf(instance)?.[attribute];
    const scope = this.scopeOf(instance.module);
    if (expression === undefined || scope === undefined) return [];
    const forEach = this.blockOf(instance)?.for_each_expression;
    this.follow(expression, scope, { index: instance.index, forEach, isOneByOne: false }, found, 0);
    return [...found];
  }

  private blockOf({ module, type, name }: Instance): Mapping | undefined {
    const resources = this.scopeOf(module)?.module.resources;
    return listOf(resources).find((one) => one.mode === "managed" && one.type === type && one.name === name);
  }

  private scopeOf(address: string): Scope | undefined {
    let scope = this.root;
    for (let rest = address; rest !== ""; ) {
      const [whole = "", name = "", index = ""] = step.exec(rest) ?? [];
      const inner = whole === "" ? undefined : this.called(scope, name, index);
      if (inner === undefined) return undefined;
      scope = inner;
      rest = rest.slice(whole.length);
    }
    return scope;
  }

  private called(scope: Scope, name: string, index: string): Scope | undefined {
    const calls = scope.module.module_calls;
    const call = isMapping(calls) ? calls[name] : undefined;
    if (!isMapping(call) || !isMapping(call.module)) return undefined;
    const address = `${scope.address === "" ? "" : `${scope.address}.`}module.${name}${index}`;
    return { address, index, module: call.module, caller: { scope, call } };
  }

  /** Follows every list of references in an expression or in the expressions of a block. */
  private follow(
    expression: unknown,
    scope: Scope,
    from: Referrer,
    found: Set<Instance>,
    depth: number,
  ): void {
    // Terraform does not allow cycles; the limit is for files from elsewhere.
    if (depth > 32) return;
    if (Array.isArray(expression)) {
      for (const item of expression) this.follow(item, scope, from, found, depth + 1);
      return;
    }
    if (!isMapping(expression)) return;
    const { references } = expression;
    if (!Array.isArray(references)) {
      for (const item of Object.values(expression)) this.follow(item, scope, from, found, depth + 1);
      return;
    }
    const isOneByOne =
      from.isOneByOne || references.some((one) => typeof one === "string" && oneByOne.test(one));
    for (const [at, reference] of references.entries()) {
      const before: unknown = references[at - 1];
      if (typeof reference !== "string" || isImplied(reference, before)) continue;
      this.followOne(reference, scope, { ...from, isOneByOne }, found, depth + 1);
    }
  }

  private followOne(text: string, scope: Scope, from: Referrer, found: Set<Instance>, depth: number): void {
    const { caller } = scope;
    const [kind = "", name = ""] = text.split(/[.[]/);
    if (kind === "var") {
      const given = caller?.call.expressions;
      if (caller === undefined || !isMapping(given)) return;
      const forEach = caller.call.for_each_expression;
      const call = { index: scope.index, forEach, isOneByOne: false };
      this.follow(given[name], caller.scope, call, found, depth);
    } else if (kind === "each") {
      this.follow(from.forEach, scope, from, found, depth);
    } else if (kind === "module") {
      this.followModule(text, scope, found, depth);
    } else if (!notResources.has(kind)) {
      const [, type, resource, index = ""] = resourceReference.exec(text) ?? [];
      const all = (this.byModule.get(scope.address) ?? []).filter(
        (one) => one.type === type && one.name === resource && (index === "" || one.index === index),
      );
      // `web[each.key]` and `web[count.index]` are a reference to all of web; the instance has the referrer's index.
      const same = all.filter((one) => from.isOneByOne && from.index !== "" && one.index === from.index);
      for (const one of same.length > 0 ? same : all) found.add(one);
    }
  }

  private followModule(text: string, scope: Scope, found: Set<Instance>, depth: number): void {
    const [whole = "", name = "", index = ""] = step.exec(text) ?? [];
    const output = text.slice(whole.length).split(/[.[]/)[0] ?? "";
    for (const each of index === "" ? this.indexesOf(scope.address, name) : [index]) {
      const inner = this.called(scope, name, each);
      const outputs = inner?.module.outputs;
      if (inner === undefined || !isMapping(outputs)) continue;
      const nowhere = { index: "", forEach: undefined, isOneByOne: false };
      for (const [key, value] of Object.entries(outputs))
        if ((output === "" || output === key) && isMapping(value))
          this.follow(value.expression, inner, nowhere, found, depth);
    }
  }

  /** The indexes of a module's instances in the plan. */
  private indexesOf(address: string, name: string): ReadonlySet<string> {
    const start = address === "" ? "" : `${address}.`;
    return new Set(
      this.instances.flatMap(({ module }) => {
        const found = module.startsWith(start) ? step.exec(module.slice(start.length)) : null;
        return found?.[1] === name ? [found[2] ?? ""] : [];
      }),
    );
  }
}

const oneByOne = /^(?:each\.|count\.index$)/;
const notResources: ReadonlySet<string> = new Set(["count", "data", "local", "path", "self", "terraform"]);

/** After `web[0].id`, a plan also lists `web[0]` and `web`, which are not references to all of web. */
function isImplied(reference: string, before: unknown): boolean {
  return (
    typeof before === "string" && (before.startsWith(`${reference}.`) || before.startsWith(`${reference}[`))
  );
}

function listOf(value: unknown): readonly Mapping[] {
  return Array.isArray(value) ? value.filter(isMapping) : [];
}
