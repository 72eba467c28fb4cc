/** Finds the droplets that a firewall or a load balancer selects, by tag or by id. */
import { dropletType } from "../evidence/host";
import type { JudgedResource } from "../frame/resource";
import { isFullyKnown, knownItems, valueOr } from "../frame/value";
import { tagType } from "./types";

/** The tags of a resource; `complete` is false if one of them is unknown. */
export interface Tags {
  readonly names: ReadonlySet<string>;
  readonly complete: boolean;
}

/**
 * The tags in an input. If an unknown tag comes from Tag resources, their names are used: in a preview, a new Tag's
 * outputs are unknown, but its name is an input.
 */
export function tagsOf(resource: JudgedResource, input = "tags"): Tags {
  const field = resource.inputs.texts(input);
  const names = new Set(knownItems(field));
  if (isFullyKnown(field)) return { names, complete: true };
  const tags = resource.references(input).filter(({ type }) => type === tagType);
  const named = tags.map((tag) => tag.inputs.text("name"));
  for (const name of named) if (name.state === "known") names.add(name.value);
  const complete = named.length > 0 && named.every(({ state }) => state === "known");
  return { names, complete };
}

export type Selection = "selected" | "not selected" | "unknown";

/** Says whether a firewall applies to a droplet. */
export function firewallCovers(firewall: JudgedResource, droplet: JudgedResource): Selection {
  return selects(firewall, droplet);
}

/**
 * Says whether a resource that selects droplets by tag and id selects this one.
 *
 * @param idInput the input that lists droplets by id ("dropletIds" of a firewall, "entities" of an alert)
 */
export function selects(
  selector: JudgedResource,
  droplet: JudgedResource,
  idInput = "dropletIds",
): Selection {
  const byTag = overlap(tagsOf(selector), tagsOf(droplet));
  if (byTag === "selected") return "selected";
  const byId = selectsById(selector, droplet, idInput);
  if (byId === "selected") return "selected";
  return byTag === "unknown" || byId === "unknown" ? "unknown" : "not selected";
}

function overlap(one: Tags, other: Tags): Selection {
  if ([...one.names].some((name) => other.names.has(name))) return "selected";
  const isEmpty = (tags: Tags) => tags.complete && tags.names.size === 0;
  if (isEmpty(one) || isEmpty(other)) return "not selected";
  return one.complete && other.complete ? "not selected" : "unknown";
}

/** By the droplet's id if the stack contains it; otherwise by reference. */
function selectsById(resource: JudgedResource, droplet: JudgedResource, idInput = "dropletIds"): Selection {
  const ids = resource.inputs.texts(idInput);
  if (ids.state === "absent" || (ids.state === "known" && ids.value.length === 0)) return "not selected";
  const id = droplet.outputs.text("id");
  if (id.state === "known" && knownItems(ids).includes(id.value)) return "selected";
  const references = resource.references(idInput);
  if (references.some(({ urn }) => urn === droplet.urn)) return "selected";
  if (isFullyKnown(ids)) return "not selected";
  // Unknown ids that come from other droplets are those droplets' ids.
  const fromDroplets = references.length > 0 && references.every(({ type }) => type === dropletType);
  return fromDroplets ? "not selected" : "unknown";
}

/** Says whether a load balancer sends to a droplet. */
export function balancerTargets(balancer: JudgedResource, droplet: JudgedResource): Selection {
  const tag = balancer.inputs.text("dropletTag");
  const byId = selectsById(balancer, droplet);
  if (byId === "selected" || tag.state === "absent") return byId;
  const named = balancer.references("dropletTag").filter(({ type }) => type === tagType);
  const names =
    tag.state === "known"
      ? [tag.value]
      : named.flatMap((found) => valueOr(found.inputs.text("name"), undefined) ?? []);
  const byTag = overlap({ names: new Set(names), complete: names.length > 0 }, tagsOf(droplet));
  return byTag === "not selected" ? byId : byTag;
}
