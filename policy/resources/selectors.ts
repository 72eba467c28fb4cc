/**
 * Finds the firewalls (or other resources that select droplets by tag and id) that apply to a droplet, for many
 * droplets at once. It compares only those that could apply, so that one pass checks a stack of 1,000 droplets.
 */
import type { JudgedResource } from "../frame/resource";
import { isFullyKnown, knownItems } from "../frame/value";
import { type Selection, selects, tagsOf } from "./tags";

export interface Selected {
  /** Those that certainly apply. */
  readonly certain: readonly JudgedResource[];
  /** Those that may apply: their tags or ids, or the droplet's tags, are unknown. */
  readonly possible: readonly JudgedResource[];
}

export class DropletSelectors {
  private readonly byTag = new Map<string, JudgedResource[]>();
  private readonly byId = new Map<string, JudgedResource[]>();
  private readonly byUrn = new Map<string, JudgedResource[]>();
  /** If its selection is not fully known, it may apply to any droplet. */
  private readonly vague: JudgedResource[] = [];

  /** @param idInput the input that names droplets by id ("dropletIds", "entities") */
  constructor(
    private readonly selectors: readonly JudgedResource[],
    private readonly idInput = "dropletIds",
  ) {
    for (const selector of selectors) {
      const tags = tagsOf(selector);
      for (const tag of tags.names) add(this.byTag, tag, selector);
      const ids = selector.inputs.texts(idInput);
      for (const id of knownItems(ids)) add(this.byId, id, selector);
      for (const { urn } of selector.references(idInput)) add(this.byUrn, urn, selector);
      if (!tags.complete || !isFullyKnown(ids)) this.vague.push(selector);
    }
  }

  of(droplet: JudgedResource): Selected {
    const certain: JudgedResource[] = [];
    const possible: JudgedResource[] = [];
    for (const selector of this.candidates(droplet)) {
      const selection: Selection = selects(selector, droplet, this.idInput);
      if (selection === "selected") certain.push(selector);
      else if (selection === "unknown") possible.push(selector);
    }
    return { certain, possible };
  }

  private candidates(droplet: JudgedResource): Iterable<JudgedResource> {
    const tags = tagsOf(droplet);
    if (!tags.complete) return this.selectors;
    const id = droplet.outputs.text("id");
    return new Set([
      ...[...tags.names].flatMap((tag) => this.byTag.get(tag) ?? []),
      ...(id.state === "known" ? (this.byId.get(id.value) ?? []) : []),
      ...(this.byUrn.get(droplet.urn) ?? []),
      ...this.vague,
    ]);
  }
}

function add(map: Map<string, JudgedResource[]>, key: string, resource: JudgedResource): void {
  const found = map.get(key);
  if (found === undefined) map.set(key, [resource]);
  else if (found.at(-1) !== resource) found.push(resource);
}
