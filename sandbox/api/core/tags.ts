import type { Store, Table } from "./store";

/** A tag exists by itself; which resources wear it is on the resources' own records. */
export interface TagRecord {
  readonly name: string;
}

export const tagTable = (store: Store): Table<TagRecord> => store.table<TagRecord>("tags");

/**
 * The names as they are to be stored on a resource. A name that is new makes its tag, as DigitalOcean does; a name
 * that differs from a tag's only in case means that tag (API reference, Tags); a name given twice counts once.
 */
export function ensureTags(store: Store, names: readonly string[]): string[] {
  const tags = tagTable(store);
  const stored = names.map((name) => {
    const key = name.toLowerCase();
    return (tags.get(key) ?? tags.put(key, { name })).name;
  });
  return [...new Set(stored)];
}

export const findTag = (store: Store, name: string): TagRecord | undefined =>
  tagTable(store).get(name.toLowerCase());

/** Whether a resource wears the tag of that name, however its case is written. */
export const hasTag = (tags: readonly string[], name: string): boolean =>
  tags.some((tag) => tag.toLowerCase() === name.toLowerCase());
