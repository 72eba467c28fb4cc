import type { Store, Table } from "./store";

/** A tag exists on its own. The resources' own records store which tags they have. */
export interface TagRecord {
  readonly name: string;
}

export const tagTable = (store: Store): Table<TagRecord> => store.table<TagRecord>("tags");

/**
 * The names to store on a resource. A new name creates a tag, as at DigitalOcean. A name that differs from a tag only
 * in case means that tag (API reference, Tags). Duplicates count once.
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

/** True if a resource has the tag with that name, ignoring case. */
export const hasTag = (tags: readonly string[], name: string): boolean =>
  tags.some((tag) => tag.toLowerCase() === name.toLowerCase());
