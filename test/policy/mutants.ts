/** Mutants of a value: the same value with one part changed. */

export interface Mutant {
  /** The part that is changed, e.g. "forwardingRules[0].entryPort". */
  readonly path: string;
  readonly change: string;
  readonly value: Record<string, unknown>;
}

/** What a part becomes; `removed` takes it away. */
export type Change = readonly [name: string, value: unknown];

export const removed: unique symbol = Symbol("removed");

/** Every mutant of an object's parts (not of the object itself), one change at a time. */
export function* mutants(
  value: Readonly<Record<string, unknown>>,
  changes: readonly Change[],
): Generator<Mutant> {
  for (const [key, part] of Object.entries(value)) {
    for (const { path, change, value: changed } of mutantsOf(part, key, changes)) {
      const rest = Object.fromEntries(Object.entries(value).filter(([other]) => other !== key));
      yield { path, change, value: changed === removed ? rest : { ...value, [key]: changed } };
    }
  }
}

function* mutantsOf(
  part: unknown,
  path: string,
  changes: readonly Change[],
): Generator<{ path: string; change: string; value: unknown }> {
  for (const [change, value] of changes) {
    yield { path, change, value: change === "emptied" ? emptyOf(part) : value };
  }
  if (Array.isArray(part)) {
    for (const [index, item] of part.entries()) {
      for (const mutant of mutantsOf(item, `${path}[${index}]`, changes)) {
        const items = part.flatMap((other, at) =>
          at !== index ? [other] : mutant.value === removed ? [] : [mutant.value],
        );
        yield { ...mutant, value: items };
      }
    }
  } else if (typeof part === "object" && part !== null) {
    for (const mutant of mutants(part as Record<string, unknown>, changes)) {
      yield { ...mutant, path: `${path}.${mutant.path}` };
    }
  }
}

function emptyOf(part: unknown): unknown {
  if (Array.isArray(part)) return [];
  return typeof part === "object" && part !== null ? {} : "";
}
