/**
 * Reads a Terraform plan or state in JSON (`terraform show -json`, format 1.x; OpenTofu's is the same), and presents it
 * in the way that the engine presents a Pulumi stack to policies.
 *
 * The format: https://developer.hashicorp.com/terraform/internals/json-format
 */
import { isMapping, type Mapping } from "../evidence/config-merge";
import { jsonObjectOf, linesOf, type State, StateError, type StateResource, stateOf } from "./state";
import { HashedTexts, hashedInputs } from "./terraform-hashes";
import { Configuration, type Instance } from "./terraform-references";
import {
  inputName,
  inputsOf,
  type MappedType,
  mappedType,
  outputName,
  textsIn,
  withUnknown,
} from "./terraform-values";

/** The error in a file of Terraform that is not a plan or state in JSON. It contains no value from the file. */
export class TerraformError extends StateError {}

/** The names in the URNs of a file that has no stack and no project. */
const place = "terraform";

/**
 * Reads an exported Pulumi state, or a Terraform plan or state.
 *
 * @throws StateError if it is neither, TerraformError if it is another file of Terraform
 */
export function readStateOrPlan(text: string): State {
  // Terraform's plan file is a ZIP archive.
  if (text.startsWith("PK\u0003\u0004")) throw new TerraformError("it is a plan in Terraform's binary form");
  if (/^\s*\{"@level"/.test(text))
    throw new TerraformError("it is the log of `terraform plan -json`, which does not contain the plan");
  const parsed = jsonObjectOf(text);
  const isTerraform = ["format_version", "terraform_version", "planned_values"].some((key) => key in parsed);
  return isTerraform ? terraformState(parsed, text) : stateOf(parsed, text);
}

function terraformState(file: Mapping, text: string): State {
  checkForm(file);
  const isPlan = planKeys.some((key) => key in file);
  const module = rootModule(isPlan ? file.planned_values : (file.values ?? {}), isPlan);
  const changes = changesOf(file);
  const found = resourcesOf(module, isPlan ? "planned_values.root_module" : "values.root_module").filter(
    ({ instance }) => !isDeleted(changes.get(instance.address)),
  );
  const configuration = new Configuration(
    file.configuration,
    found.map(({ instance }) => instance),
  );
  const texts = new HashedTexts(file);
  const lines = linesOf(text, "address");
  const resources = found.map((one) => {
    const change = changes.get(one.instance.address) ?? {};
    return stateResource(one, change, configuration, texts, lines.get(JSON.stringify(one.instance.address)));
  });
  linkById(resources);
  return {
    stack: place,
    project: place,
    resources: inOrder(resources),
    encryptedValues: 0,
    terraform: {
      kind: isPlan ? "plan" : "state",
      notJudged: notJudged(found.map(({ instance }) => instance.type)),
      isComplete: isComplete(file, found, changes),
      hashedValues: texts.missing,
    },
  };
}

const planKeys = ["planned_values", "resource_changes", "configuration", "prior_state", "output_changes"];

function checkForm(file: Mapping): void {
  if ("lineage" in file || typeof file.version === "number")
    throw new TerraformError("it is Terraform's own state file (terraform.tfstate), whose form is internal");
  if (typeof file.format_version !== "string" || !/^1\.\d+$/.test(file.format_version))
    throw new TerraformError('its "format_version" is not 1.x, the version that this pack reads');
  if ("provider_schemas" in file || "valid" in file)
    throw new TerraformError("it is the output of another command of Terraform");
  if (file.errored === true) throw new TerraformError("it is a plan that failed, and is not complete");
}

function rootModule(values: unknown, isPlan: boolean): Mapping {
  const key = isPlan ? "planned_values" : "values";
  if (values === undefined) throw new TerraformError('it is a plan without "planned_values"');
  if (!isMapping(values)) throw new TerraformError(`${key} is not an object`);
  // A state without resources, or a plan that destroys all, may have no root module.
  const module = values.root_module ?? {};
  if (!isMapping(module)) throw new TerraformError(`${key}.root_module is not an object`);
  return module;
}

interface Found {
  readonly instance: Instance;
  readonly values: Mapping;
  readonly sensitive: unknown;
}

/** The managed resources of a module and of the modules in it. Data sources create nothing. */
function resourcesOf(module: Mapping, at: string): readonly Found[] {
  const own = objectsIn(module.resources, `${at}.resources`).flatMap((resource, index) => {
    const { address, mode, type, name, values = {}, sensitive_values: sensitive } = resource;
    if (mode === "data") return [];
    const here = `${at}.resources[${index}]`;
    if (typeof address !== "string") throw new TerraformError(`${here}.address is not a string`);
    if (typeof type !== "string") throw new TerraformError(`${here}.type is not a string`);
    if (typeof name !== "string") throw new TerraformError(`${here}.name is not a string`);
    if (!isMapping(values)) throw new TerraformError(`${here}.values is not an object`);
    const inModule = typeof module.address === "string" ? module.address : "";
    const key = resource.index === undefined ? "" : `[${JSON.stringify(resource.index)}]`;
    return [{ instance: { address, module: inModule, type, name, index: key }, values, sensitive }];
  });
  const inner = objectsIn(module.child_modules, `${at}.child_modules`);
  return [...own, ...inner.flatMap((child, index) => resourcesOf(child, `${at}.child_modules[${index}]`))];
}

function objectsIn(value: unknown, at: string): readonly Mapping[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new TerraformError(`${at} is not a list`);
  return value.map((item: unknown, index) => {
    if (!isMapping(item)) throw new TerraformError(`${at}[${index}] is not an object`);
    return item;
  });
}

/** A plan's change of each resource, by address; without those of old objects that a replacement leaves behind. */
function changesOf(file: Mapping): ReadonlyMap<unknown, Mapping> {
  const current = objectsIn(file.resource_changes, "resource_changes").filter(
    ({ deposed }) => deposed === undefined,
  );
  const pairs = (key: string) =>
    current.flatMap(({ [key]: address, change }) =>
      address === undefined ? [] : [[address, isMapping(change) ? change : {}] as const],
    );
  // Another resource can have the address that a resource had before.
  return new Map([...pairs("previous_address"), ...pairs("address")]);
}

/** True for a resource that the plan deletes and does not create again, or that Terraform only forgets. */
function isDeleted(change: Mapping | undefined): boolean {
  const actions = Array.isArray(change?.actions) ? change.actions : [];
  return actions.length === 1 && (actions[0] === "delete" || actions[0] === "forget");
}

/** A plan has only the resources that it considers: with -target not the others, with -refresh-only none. */
function isComplete(file: Mapping, found: readonly Found[], changes: ReadonlyMap<unknown, Mapping>): boolean {
  const prior = isMapping(file.prior_state) ? file.prior_state.values : undefined;
  const module = isMapping(prior) && isMapping(prior.root_module) ? prior.root_module : {};
  const planned = new Set(found.map(({ instance }) => instance.address));
  const isLeftOut = ({ instance: { address } }: Found) => !planned.has(address) && !changes.has(address);
  return file.complete !== false && !resourcesOf(module, "prior_state.values.root_module").some(isLeftOut);
}

function stateResource(
  { instance, values, sensitive }: Found,
  change: Mapping,
  configuration: Configuration,
  texts: HashedTexts,
  line = 1,
): StateResource {
  const { address } = instance;
  const mapped = mappedType(instance.type);
  const type = mapped?.token ?? typeWithoutMapping(instance.type);
  const urn = urnOf(type, address);
  const common = { urn, type, name: address, opts: {} };
  if (mapped === undefined) {
    // Without inputs, a policy finds nothing in it; other resources can refer to it.
    const nothing = { ...common, props: {}, propertyDependencies: {} };
    return { urn, type, name: address, line, inputs: { ...nothing, secretInputs: [] }, outputs: nothing };
  }
  const all = withUnknown(values, change.after_unknown) as Mapping;
  const expressions = configuration.expressionsOf(instance);
  const hashed = hashedInputs[mapped.name] ?? [];
  const inputs = inputsOf(all, mapped.inputs, expressions);
  for (const input of hashed) if (input in inputs) inputs[input] = texts.textOf(inputs[input]);
  // Terraform shows and stores only the hash, unless the text is elsewhere in plain text.
  const hidden = hashed.filter((input) => !texts.isPlain(inputs[input]));
  const outputs = Object.fromEntries(
    Object.entries(all).map(([attribute, value]) => [outputName(attribute, mapped), value]),
  );
  const marked = [sensitive, change.after_sensitive].flatMap((mark) => markedInputs(mark, mapped));
  return {
    urn,
    type,
    name: address,
    line,
    inputs: { ...common, props: inputs, secretInputs: [...new Set([...marked, ...hidden])] },
    outputs: {
      ...common,
      props: { ...outputs, ...inputs },
      propertyDependencies: dependenciesOf(instance, mapped, configuration),
    },
  };
}

const typeWithoutMapping = (type: string) => `${place}:index:${type}`;
const urnOf = (type: string, address: string) => `urn:pulumi:${place}::${place}::${type}::${address}`;

/** The inputs with a sensitive value. */
function markedInputs(mark: unknown, { inputs }: MappedType): readonly string[] {
  if (!isMapping(mark)) return mark === true ? [...inputs.keys()] : [];
  return Object.entries(mark).flatMap(([attribute, inner]) =>
    holdsTrue(inner) ? (inputName(attribute, inputs) ?? []) : [],
  );
}

function holdsTrue(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return value === true;
  return Object.values(value).some(holdsTrue);
}

type Dependencies = Record<string, { readonly urn: string }[]>;

function dependenciesOf(
  instance: Instance,
  { inputs }: MappedType,
  configuration: Configuration,
): Dependencies {
  const dependencies: Dependencies = {};
  for (const attribute of Object.keys(configuration.expressionsOf(instance) ?? {})) {
    const input = inputName(attribute, inputs);
    if (input === undefined) continue;
    dependencies[input] = configuration.referencesOf(instance, attribute).map(({ type, address }) => ({
      urn: urnOf(mappedType(type)?.token ?? typeWithoutMapping(type), address),
    }));
  }
  return dependencies;
}

/** A state has no references: an input that contains the id or the URN of a resource refers to it. */
function linkById(resources: readonly StateResource[]): void {
  const byId = new Map<unknown, StateResource>();
  for (const resource of resources) {
    const outputs = resource.outputs.props as Mapping;
    for (const [name, value] of Object.entries(outputs))
      if ((name === "id" || name.endsWith("Urn")) && typeof value === "string") byId.set(value, resource);
  }
  for (const { urn, inputs, outputs } of resources) {
    const dependencies = outputs.propertyDependencies as Dependencies;
    for (const [input, value] of Object.entries(inputs.props as Mapping)) {
      const found = textsIn(value).flatMap((text) => byId.get(text)?.urn ?? []);
      const all = new Set([...(dependencies[input] ?? []).map((one) => one.urn), ...found]);
      all.delete(urn);
      if (all.size > 0) dependencies[input] = [...all].map((one) => ({ urn: one }));
    }
  }
}

/** The order in which Pulumi registers resources: a resource comes after those to which it refers. */
function inOrder(resources: readonly StateResource[]): readonly StateResource[] {
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const ordered = new Set<StateResource>();
  const begun = new Set<StateResource>();
  const add = (resource: StateResource | undefined) => {
    if (resource === undefined || begun.has(resource)) return;
    begun.add(resource);
    for (const others of Object.values(resource.outputs.propertyDependencies ?? {}))
      for (const { urn } of others) add(byUrn.get(urn));
    ordered.add(resource);
  };
  for (const resource of resources) add(resource);
  return [...ordered];
}

function notJudged(types: readonly string[]): readonly { type: string; resources: number }[] {
  const counts = new Map<string, number>();
  for (const type of types) if (mappedType(type) === undefined) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].sort().map(([type, resources]) => ({ type, resources }));
}
