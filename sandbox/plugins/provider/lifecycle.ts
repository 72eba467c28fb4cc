/** What becomes of a resource, call by call, whatever its type: the engine's view of the tables. */
import { type AutoName, type Checked, checkInputs } from "./check";
import { type Change, compare, inOrderOf } from "./compare";
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
  for (const key of type.due?.(state, inputs) ?? []) {
    if (changes.some((change) => change.key === key && change.replaces)) continue;
    changes.push({ key, kind: "update", replaces: true, inInputs: false });
  }
  return { changes, deleteBeforeReplace: nameStandsInTheWay(type, inputs, state, changes) };
}

/**
 * A resource whose name the program gives cannot exist twice: where it is replaced under the same name, the old one
 * has to go first. The official bridge decides likewise.
 */
function nameStandsInTheWay<C>(
  type: ResourceType<C>,
  inputs: PropertyMap,
  state: PropertyMap,
  changes: readonly Change[],
): boolean {
  if (!changes.some((change) => change.replaces)) return false;
  const key = Object.keys(type.fields).find((candidate) => type.fields[candidate]?.autoname);
  if (key === undefined || inputs[key] === undefined || inputs[key] !== state[key]) return false;
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
      throw await asFound(type, op, id, state, inputs, error);
    }
  }
  return settled(type, op, id, prior, inputs);
}

/** Brings a resource to rest; where that fails, the error carries the resource as far as it is known. */
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
    return inOrderOf(type.fields, { ...prior, ...state }, prior);
  } catch (error) {
    throw await asFound(type, op, id, prior, inputs, error);
  }
}

async function readAgain<C>(
  type: ResourceType<C>,
  op: Operation<C>,
  id: string,
  prior: PropertyMap,
): Promise<PropertyMap> {
  const found = await type.read(op, id, prior);
  if (found === undefined) throw new Error(`the ${type.name} ${id} was there a moment ago and is gone now`);
  return found.state;
}

/** After a failure: the state as the API tells it now, so that the next update starts from what is really there. */
async function asFound<C>(
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
    inOrderOf(type.fields, { ...prior, ...found.state }, isImport ? prior : inputs),
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
