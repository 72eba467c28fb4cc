import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type Api, optionally, type ResourceSummary } from "../core/api";
import { timestamp } from "../core/clock";
import { notFound, unprocessable } from "../core/errors";
import { type ApiRequest, accepted, noContent, ok, param } from "../core/http";
import { cidr, formatIpv4, lowestFree } from "../core/ipv4";
import { page } from "../core/pagination";
import { assignToProject, projectOf } from "../core/projects";
import { LOAD_BALANCER_RANGE } from "../core/publicAddresses";
import { OPEN_REGIONS, regionObject } from "../core/regions";
import type { Store } from "../core/store";
import { ensureTags, hasTag } from "../core/tags";
import { numericId, parseBody } from "../core/validation";
import { type DropletRecord, dropletTable } from "./droplets/record";
import { checkForwardingRules, forwardingRule, sameForwarding } from "./forwardingRules";
import { addSiteRecords, removeSiteRecords } from "./letsEncryptRecords";
import { type LoadBalancerBody, readLoadBalancerBody, sizeSlug } from "./loadBalancerBody";
import { type LoadBalancerRecord, loadBalancerTable } from "./loadBalancerRecord";
import { lingerInVpc, type VpcRecord, vpcTable } from "./vpcs";

const ACTION = "load_balancer";

const dropletsBody = z.object({ droplet_ids: z.array(numericId).min(1, "must name at least one droplet") });
const rulesBody = z.object({
  forwarding_rules: z.array(forwardingRule).min(1, "must have at least one rule"),
});

/** The current backends of a load balancer: by id, or the droplets in its network that have its tag. */
export function backends(store: Store, { tag, droplet_ids, vpc_uuid }: LoadBalancerRecord): number[] {
  if (tag === "") return [...droplet_ids];
  return dropletTable(store)
    .values()
    .filter((droplet) => droplet.vpc_uuid === vpc_uuid && hasTag(droplet.tags, tag))
    .map(({ id }) => id);
}

/** `/v2/load_balancers`: regional ones. */
export function registerLoadBalancers(api: Api): void {
  const balancers = loadBalancerTable(api.store);
  const show = (balancer: LoadBalancerRecord) => loadBalancerObject(api.store, balancer);
  const wanted = (request: ApiRequest): LoadBalancerRecord => {
    const balancer = balancers.get(param(request, "balancer"));
    if (!balancer) throw notFound();
    return balancer;
  };

  api.addKind({
    urnType: "loadbalancer",
    list: () => balancers.values().map(summary),
    find: (id) => optionally(balancers.get(id), summary),
  });
  api.actions.define(ACTION, {
    unlisted: true,
    perform: () => api.applyToHost({ kind: "load_balancers" }),
    complete: ({ resource_id }) => settle(api, resource_id, "active"),
    fail: ({ resource_id }) => settle(api, resource_id, "errored"),
  });
  api.onDeleted((urnType, id) => forget(api, urnType, id));

  api.get("/v2/load_balancers", (request) => page(request, "load_balancers", balancers.values(), show));
  api.post("/v2/load_balancers", (request) =>
    accepted({ load_balancer: show(create(api, readLoadBalancerBody(request.body))) }),
  );
  api.get("/v2/load_balancers/:balancer", (request) => ok({ load_balancer: show(wanted(request)) }));
  api.put("/v2/load_balancers/:balancer", (request) => {
    const balancer = wanted(request);
    return ok({ load_balancer: show(replace(api, balancer, readLoadBalancerBody(request.body))) });
  });

  api.delete("/v2/load_balancers/:balancer", (request) => {
    const balancer = wanted(request);
    const { id } = balancer;
    balancers.delete(id);
    lingerInVpc(api, "loadbalancer", balancer);
    removeSiteRecords(api, id);
    api.actions.abandon(ACTION, id);
    api.deleted("loadbalancer", id);
    api.changed({ kind: "load_balancers" });
    return noContent();
  });

  // Only a global load balancer has a cache.
  api.delete("/v2/load_balancers/:balancer/cache", (request) => {
    wanted(request);
    return noContent();
  });

  registerParts(api, wanted);
}

/** `/droplets` and `/forwarding_rules` of a load balancer: POST adds, DELETE removes. */
function registerParts(api: Api, wanted: (request: ApiRequest) => LoadBalancerRecord): void {
  const path = "/v2/load_balancers/:balancer";
  const ids = (request: ApiRequest) => parseBody(dropletsBody, request.body).droplet_ids;
  const rules = (request: ApiRequest) => parseBody(rulesBody, request.body).forwarding_rules;
  const byId = (request: ApiRequest) => {
    const balancer = wanted(request);
    if (balancer.tag !== "") throw unprocessable("droplet_ids: the load balancer takes its droplets by tag");
    return balancer;
  };

  api.post(`${path}/droplets`, (request) => {
    const balancer = byId(request);
    const droplet_ids = [...new Set([...balancer.droplet_ids, ...ids(request)])];
    save(api, { ...balancer, droplet_ids });
    return noContent();
  });
  api.delete(`${path}/droplets`, (request) => {
    const balancer = byId(request);
    const gone = ids(request);
    save(api, { ...balancer, droplet_ids: balancer.droplet_ids.filter((id) => !gone.includes(id)) });
    return noContent();
  });
  api.post(`${path}/forwarding_rules`, (request) => {
    const balancer = wanted(request);
    save(api, { ...balancer, forwarding_rules: [...balancer.forwarding_rules, ...rules(request)] });
    return noContent();
  });
  api.delete(`${path}/forwarding_rules`, (request) => {
    const balancer = wanted(request);
    const gone = rules(request);
    const missing = gone.find((rule) => !balancer.forwarding_rules.some((one) => sameForwarding(one, rule)));
    if (missing) throw unprocessable(`forwarding_rules: there is no such rule at port ${missing.entry_port}`);
    const rest = balancer.forwarding_rules.filter((one) => !gone.some((rule) => sameForwarding(one, rule)));
    save(api, { ...balancer, forwarding_rules: rest });
    return noContent();
  });
}

function create(api: Api, { settings, place }: LoadBalancerBody): LoadBalancerRecord {
  refuseTakenName(api.store, settings.name);
  const vpc = networkOf(api, place);
  const id = randomUUID();
  const network = place.network ?? "EXTERNAL";
  const balancer = save(api, {
    id,
    ...settings,
    region: vpc.region,
    vpc_uuid: vpc.id,
    type: place.type === "REGIONAL_NETWORK" ? "REGIONAL_NETWORK" : "REGIONAL",
    network,
    network_stack: place.network_stack ?? "IPV4",
    status: "new",
    ip: network === "INTERNAL" ? privateAddress(api.store, vpc) : publicAddress(api.store),
    created_at: timestamp(),
  });
  if (place.project_id) assignToProject(api.store, `do:loadbalancer:${id}`, place.project_id, timestamp());
  api.actions.start({ type: "create", resource_id: id, resource_type: ACTION, region_slug: vpc.region });
  return balancer;
}

/** A PUT replaces all settings. The region and the VPC cannot change. */
function replace(api: Api, balancer: LoadBalancerRecord, { settings, place }: LoadBalancerBody) {
  if (settings.name !== balancer.name) refuseTakenName(api.store, settings.name);
  const { project_id, vpc_uuid, ...fixed } = { ...place, vpc_uuid: place.vpc_uuid || undefined };
  for (const [field, value] of Object.entries({ ...fixed, vpc_uuid })) {
    const current = balancer[field as keyof typeof fixed | "vpc_uuid"];
    if (value && value !== current) throw unprocessable(`${field}: cannot be changed, it is ${current}`);
  }
  const urn = `do:loadbalancer:${balancer.id}`;
  if (project_id && project_id !== projectOf(api.store, urn)) {
    assignToProject(api.store, urn, project_id, timestamp());
  }
  return save(api, { ...balancer, ...settings });
}

/** Stores a load balancer. Throws 422 if a resource in it does not exist or does not match the others. */
function save(api: Api, balancer: LoadBalancerRecord): LoadBalancerRecord {
  checkForwardingRules(api, balancer);
  checkDroplets(api.store, balancer);
  const [tag = ""] = balancer.tag === "" ? [] : ensureTags(api.store, [balancer.tag]);
  const saved = loadBalancerTable(api.store).put(balancer.id, { ...balancer, tag });
  if (saved.status === "active") addSiteRecords(api, saved);
  api.changed({ kind: "load_balancers" });
  return saved;
}

function checkDroplets(store: Store, { droplet_ids, region, vpc_uuid }: LoadBalancerRecord): void {
  for (const id of droplet_ids) {
    const droplet: DropletRecord | undefined = dropletTable(store).get(id);
    if (!droplet) throw unprocessable(`droplet_ids: there is no droplet ${id}`);
    if (droplet.region !== region) {
      throw unprocessable(
        `droplet_ids: droplet ${id} is in ${droplet.region}, the load balancer in ${region}`,
      );
    }
    if (droplet.vpc_uuid !== vpc_uuid) {
      throw unprocessable(`droplet_ids: droplet ${id} is not in the load balancer's VPC ${vpc_uuid}`);
    }
  }
}

/** The given VPC, otherwise the region's default one. Throws 422 if the VPC is in another region. */
function networkOf(api: Api, { region, vpc_uuid }: LoadBalancerBody["place"]): VpcRecord {
  if (!region) throw unprocessable("region is required");
  if (!OPEN_REGIONS.includes(region)) throw unprocessable(`region: "${region}" is not an available region`);
  const vpcs = vpcTable(api.store);
  // Every region has a default VPC.
  const isDefault = (vpc: VpcRecord) => vpc.region === region && vpc.default;
  const vpc = vpc_uuid ? vpcs.get(vpc_uuid) : vpcs.values().find(isDefault);
  if (!vpc) throw unprocessable(`vpc_uuid: there is no VPC "${vpc_uuid}"`);
  if (vpc.region !== region) {
    throw unprocessable(`vpc_uuid: the VPC is in ${vpc.region}, and the load balancer would be in ${region}`);
  }
  return vpc;
}

function refuseTakenName(store: Store, name: string): void {
  const taken = loadBalancerTable(store)
    .values()
    .some((balancer) => balancer.name === name);
  if (taken) throw unprocessable("name: a load balancer of this name exists already");
}

function publicAddress(store: Store): string {
  const used = loadBalancerTable(store)
    .values()
    .map(({ ip }) => ip);
  const free = lowestFree(LOAD_BALANCER_RANGE, new Set(used));
  if (!free) throw unprocessable("creating this load balancer will exceed your load balancer limit");
  return free;
}

/** An address from the end of the network, because droplets get theirs from the start. */
function privateAddress(store: Store, { id, ip_range }: VpcRecord): string {
  const inVpc = ({ vpc_uuid }: { vpc_uuid: string }) => vpc_uuid === id;
  const balancers = loadBalancerTable(store).values().filter(inVpc);
  const droplets = dropletTable(store).values().filter(inVpc);
  const used = new Set([...balancers.map(({ ip }) => ip), ...droplets.map((one) => one.private_ipv4)]);
  const { first, last } = cidr(ip_range);
  for (let address = last - 1; address > first + 1; address--) {
    if (!used.has(formatIpv4(address))) return formatIpv4(address);
  }
  throw unprocessable(`vpc_uuid: the VPC ${id} has no address left`);
}

function settle(api: Api, id: string | number, status: "active" | "errored"): void {
  const balancer = loadBalancerTable(api.store).get(id);
  if (!balancer) return;
  const settled = loadBalancerTable(api.store).put(id, { ...balancer, status });
  if (status === "active") addSiteRecords(api, settled);
}

/** Removes a deleted resource from all load balancers. */
function forget(api: Api, urnType: string, id: string): void {
  for (const balancer of loadBalancerTable(api.store).values()) {
    if (urnType === "tag" && hasTag([balancer.tag], id)) {
      loadBalancerTable(api.store).put(balancer.id, { ...balancer, tag: "" });
    } else if (urnType === "droplet" && balancer.droplet_ids.includes(Number(id))) {
      const droplet_ids = balancer.droplet_ids.filter((one) => one !== Number(id));
      loadBalancerTable(api.store).put(balancer.id, { ...balancer, droplet_ids });
    } else {
      continue;
    }
    api.changed({ kind: "load_balancers" });
  }
}

const summary = ({ id, name, created_at, vpc_uuid }: LoadBalancerRecord): ResourceSummary => ({
  id,
  name,
  created_at,
  vpc_uuid,
});

function loadBalancerObject(store: Store, balancer: LoadBalancerRecord): object {
  const { region, ip, status, network_stack, size_unit } = balancer;
  const isActive = status === "active";
  const size = sizeSlug(size_unit);
  return {
    ...balancer,
    ip: isActive ? ip : "",
    // RFC 3849's range for documentation.
    ...(network_stack === "DUALSTACK"
      ? { ipv6: isActive ? `2001:db8:ffff::${ip.split(".").at(-1)}` : "" }
      : {}),
    ...(size ? { size } : {}),
    region: regionObject(region),
    project_id: projectOf(store, `do:loadbalancer:${balancer.id}`) ?? "",
    droplet_ids: backends(store, balancer),
  };
}
