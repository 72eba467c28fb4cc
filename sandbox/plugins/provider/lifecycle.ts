/** The engine's calls for one resource (check, diff, create, read, update), for any resource type. */
import { type AutoName, type Checked, checkInputs } from "./check";
import { type Change, compare, sortSetsLike } from "./compare";
import { InitFailed, messageOf } from "./failures";
import type { Operation, Read, ResourceType } from "./resource";
import { importedInputs, planned, previewOfUpdate, refreshedInputs, stateOfInputs } from "./state";
import type { PropertyMap } from "./values";

export interface Difference {
  readonly changes: readonly Change[];
  readonly deleteBeforeReplace: boolean;
}

export function check<C>(
  type: ResourceType<C>,
  news: PropertyMap,
  olds: PropertyMap,
  autoName: AutoName,
): Checked {
  const checked = checkInputs(type.fields, news, olds, autoName);
  if (checked.problems.length > 0) return checked;
  return { inputs: checked.inputs, problems: type.problems?.(checked.inputs) ?? [] };
}

export function diff<C>(
  type: ResourceType<C>,
  inputs: PropertyMap,
  state: PropertyMap,
  oldInputs: PropertyMap,
): Difference {
  const refusal = type.refuses?.(state, inputs);
  if (refusal !== undefined) throw new Error(refusal);
  const changes = compare(type.fields, inputs, state, oldInputs);
  for (const key of type.forcedReplacements?.(state, inputs) ?? []) {
    if (changes.some((change) => change.key === key && change.replaces)) continue;
    changes.push({ key, kind: "update", replaces: true, inInputs: false });
  }
  return { changes, deleteBeforeReplace: hasOwnName(type, inputs, changes) };
}

/**
 * True for a replacement of a resource that could have an automatic name, and has a name from the program. The old
 * resource is then deleted first, even if the name changes: so does the official bridge
 * (pulumi-terraform-bridge v3.130.0, nameRequiresDeleteBeforeReplace; no digitalocean resource has UniqueNameFields).
 * A program overrides it with `deleteBeforeReplace: false`, which the engine applies.
 */
function hasOwnName<C>(type: ResourceType<C>, inputs: PropertyMap, changes: readonly Change[]): boolean {
  if (!changes.some((change) => change.replaces)) return false;
  const key = Object.keys(type.fields).find((candidate) => type.fields[candidate]?.autoname);
  if (key === undefined || inputs[key] === undefined) return false;
  return Array.isArray(inputs.__defaults) && !inputs.__defaults.includes(key);
}

export async function create<C>(
  type: ResourceType<C>,
  op: Operation<C>,
  inputs: PropertyMap,
): Promise<{ id: string; state: PropertyMap }> {
  const created = await type.create(op, inputs);
  const prior = { ...stateOfInputs(type.fields, inputs), ...created.state };
  return { id: created.id, state: await settled(type, op, created.id, prior, inputs) };
}

export async function update<C>(
  type: ResourceType<C>,
  op: Operation<C>,
  id: string,
  inputs: PropertyMap,
  state: PropertyMap,
): Promise<PropertyMap> {
  const changed = new Set(compare(type.fields, inputs, state, inputs).map((change) => change.key));
  const prior = previewOfUpdate(type.fields, inputs, state);
  if (changed.size > 0) {
    try {
      await type.update?.(op, id, planned(type.fields, inputs, state), state, changed);
    } catch (error) {
      throw await withCurrentState(type, op, id, state, inputs, error);
    }
  }
  return settled(type, op, id, prior, inputs);
}

/** Waits until a resource is ready. If that fails, the error carries what is known of the resource. */
async function settled<C>(
  type: ResourceType<C>,
  op: Operation<C>,
  id: string,
  prior: PropertyMap,
  inputs: PropertyMap,
): Promise<PropertyMap> {
  try {
    const state = type.settle
      ? await type.settle(op, id, prior, inputs)
      : await readAgain(type, op, id, prior);
    return sortSetsLike(type.fields, { ...prior, ...state }, prior);
  } catch (error) {
    throw await withCurrentState(type, op, id, prior, inputs, error);
  }
}

async function readAgain<C>(
  type: ResourceType<C>,
  op: Operation<C>,
  id: string,
  prior: PropertyMap,
): Promise<PropertyMap> {
  const found = await type.read(op, id, prior);
  if (found === undefined)
    throw new Error(`${type.name} ${id} was deleted while it was being created or updated`);
  return found.state;
}

/** Adds the state that the API reports now to a failure, so that the next update starts from what really exists. */
async function withCurrentState<C>(
  type: ResourceType<C>,
  op: Operation<C>,
  id: string,
  prior: PropertyMap,
  inputs: PropertyMap,
  cause: unknown,
): Promise<InitFailed> {
  const found = await type.read(op, id, prior).catch(() => undefined);
  return new InitFailed(messageOf(cause), id, found ? { ...prior, ...found.state } : prior, inputs);
}

export async function read<C>(
  type: ResourceType<C>,
  op: Operation<C>,
  id: string,
  prior: PropertyMap,
  inputs: PropertyMap,
): Promise<{ id: string; state: PropertyMap; inputs: PropertyMap } | undefined> {
  const found: Read | undefined = await type.read(op, id, prior);
  if (found === undefined) return undefined;
  const isImport = Object.keys(inputs).length === 0;
  const state = withoutAbsent(
    sortSetsLike(type.fields, { ...prior, ...found.state }, isImport ? prior : inputs),
  );
  const newInputs = isImport
    ? importedInputs(type.fields, state)
    : refreshedInputs(type.fields, inputs, state);
  return { id: found.id ?? id, state, inputs: newInputs };
}

function withoutAbsent(state: PropertyMap): PropertyMap {
  return Object.fromEntries(
    Object.entries(state).filter(([, value]) => value !== undefined && value !== null),
  );
}
