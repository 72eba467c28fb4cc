/** Finds the droplets that a stack's load balancers send to, and their ports, in one pass over both. */
import { dropletType } from "../evidence/host";
import type { JudgedResource } from "../frame/resource";
import { isFullyKnown, knownItems, valueOr } from "../frame/value";
import { balancerTargets, type Selection, tagsOf } from "./tags";
import { loadBalancerType, ofType } from "./types";

export interface Behind {
  readonly balancer: JudgedResource;
  /** Never "not selected". */
  readonly selection: Selection;
}

/** The load balancers of each droplet, by the droplet's URN. */
export function balancersByDroplet(
  resources: readonly JudgedResource[],
): ReadonlyMap<string, readonly Behind[]> {
  const droplets = ofType(resources, dropletType);
  const byTag = new Map<string, JudgedResource[]>();
  const byId = new Map<string, JudgedResource[]>();
  const byUrn = new Map<string, JudgedResource[]>();
  const vagueDroplets: JudgedResource[] = [];
  const add = (map: Map<string, JudgedResource[]>, key: string, droplet: JudgedResource) => {
    map.set(key, [...(map.get(key) ?? []), droplet]);
  };
  for (const droplet of droplets) {
    const tags = tagsOf(droplet);
    if (!tags.complete) vagueDroplets.push(droplet);
    for (const tag of tags.names) {
      const tagged = byTag.get(tag);
      if (tagged === undefined) byTag.set(tag, [droplet]);
      else tagged.push(droplet);
    }
    const id = droplet.outputs.text("id");
    if (id.state === "known") add(byId, id.value, droplet);
    byUrn.set(droplet.urn, [droplet]);
  }
  const found = new Map<string, Behind[]>();
  for (const balancer of ofType(resources, loadBalancerType)) {
    for (const droplet of candidates(balancer)) {
      const selection = balancerTargets(balancer, droplet);
      if (selection === "not selected") continue;
      const behind = found.get(droplet.urn);
      if (behind === undefined) found.set(droplet.urn, [{ balancer, selection }]);
      else behind.push({ balancer, selection });
    }
  }
  return found;

  function candidates(balancer: JudgedResource): Iterable<JudgedResource> {
    const tag = balancer.inputs.text("dropletTag");
    const ids = balancer.inputs.texts("dropletIds");
    const isVague = (tag.state !== "known" && tag.state !== "absent") || !isFullyKnown(ids);
    if (isVague) return droplets;
    return new Set([
      ...(tag.state === "known" ? [...(byTag.get(tag.value) ?? []), ...vagueDroplets] : []),
      ...knownItems(ids).flatMap((id) => byId.get(id) ?? []),
      ...balancer.references("dropletIds").flatMap(({ urn }) => byUrn.get(urn) ?? []),
    ]);
  }
}

/** The droplets' ports that a load balancer sends to, as far as its rules show. */
export function targetPorts(balancer: JudgedResource): readonly number[] {
  const rules = valueOr(balancer.inputs.objects("forwardingRules"), []);
  return rules.flatMap((rule) => {
    const port = rule.state === "known" ? rule.value.integer("targetPort") : undefined;
    return port?.state === "known" ? [port.value] : [];
  });
}

/** A network load balancer forwards the client's own packets, so the droplets' firewall must allow the clients. */
export function keepsClientAddresses(balancer: JudgedResource): boolean {
  return valueOr(balancer.inputs.text("type"), "").toUpperCase() === "REGIONAL_NETWORK";
}
