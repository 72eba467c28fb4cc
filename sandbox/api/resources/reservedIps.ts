import { z } from "zod";
import { type ActionRecord, actionObject } from "../core/actions";
import { type Api, optionally, type ResourceSummary } from "../core/api";
import { timestamp } from "../core/clock";
import { notFound, unprocessable } from "../core/errors";
import { type Answer, type ApiRequest, accepted, created, noContent, ok, param } from "../core/http";
import { lowestFree, parseIpv4 } from "../core/ipv4";
import { page } from "../core/pagination";
import { assignToProject, projectOf } from "../core/projects";
import { RESERVED_IP_RANGE } from "../core/publicAddresses";
import { regionObject } from "../core/regions";
import type { Store, Table } from "../core/store";
import { numericId, parseBody, regionSlug } from "../core/validation";
import { type DropletRecord, findDroplet } from "./droplets/record";
import { dropletObject } from "./droplets/view";

export interface ReservedIpRecord {
  readonly ip: string;
  readonly region: string;
  readonly droplet_id: number | null;
  readonly created_at: string;
}

export const reservedIpTable = (store: Store): Table<ReservedIpRecord> =>
  store.table<ReservedIpRecord>("reserved_ips");

/** The reserved IP of a droplet, which has at most one. */
export const reservedIpOf = (store: Store, dropletId: number): ReservedIpRecord | undefined =>
  reservedIpTable(store)
    .values()
    .find(({ droplet_id }) => droplet_id === dropletId);

const createBody = z.object({
  droplet_id: numericId.optional(),
  region: regionSlug.optional(),
  project_id: z.string().optional(),
});
const actionBody = z.object({
  type: z.enum(["assign", "unassign"], { error: "must be assign or unassign" }),
  droplet_id: numericId.optional(),
});

/** The resource's names in paths, keys and sentences. */
interface Wording {
  readonly key: "reserved_ip" | "floating_ip";
  readonly sentence: "reserved IP" | "floating IP";
}
const RESERVED_IP: Wording = { key: "reserved_ip", sentence: "reserved IP" };
/** The old name of reserved IPs, which clients such as Ansible's module still use. */
const FLOATING_IP: Wording = { key: "floating_ip", sentence: "floating IP" };

/** `/v2/reserved_ips`, and `/v2/floating_ips` for the same: addresses that outlive droplets. */
export function registerReservedIps(api: Api): void {
  const reserved = reservedIpTable(api.store);
  api.addKind({
    urnType: "floatingip",
    list: () => reserved.values().map(summary),
    find: (ip) => optionally(reserved.get(ip), summary),
  });
  api.onDeleted((urnType, id) => {
    const held = urnType === "droplet" ? reservedIpOf(api.store, Number(id)) : undefined;
    if (held) assign(api, held, null);
  });
  api.actions.define("reserved_ip", {
    complete: ({ type, parameters }) => {
      const one = reserved.get(String(parameters.ip));
      const dropletId = Number(parameters.droplet_id);
      if (!one) return;
      if (type === "unassign_ip") assign(api, one, null);
      else if (findDroplet(api.store, dropletId)) assign(api, one, dropletId);
    },
  });
  for (const wording of [RESERVED_IP, FLOATING_IP]) registerUnder(api, wording);
}

function registerUnder(api: Api, wording: Wording): void {
  const path = `/v2/${wording.key}s`;
  const reserved = reservedIpTable(api.store);

  api.get(path, (request) =>
    page(request, `${wording.key}s`, reserved.values(), (one) => reservedIpObject(api, one)),
  );
  api.post(path, (request) => createReservedIp(api, request, wording));
  api.get(`${path}/:ip`, (request) =>
    ok({ [wording.key]: reservedIpObject(api, wanted(api.store, request)) }),
  );
  api.delete(`${path}/:ip`, (request) => {
    releaseReservedIp(api, wanted(api.store, request), wording);
    return noContent();
  });
  registerActions(api, wording);
}

/** Releases the address, assigned or not. Throws 422 while an action runs. */
export function releaseReservedIp(api: Api, reserved: ReservedIpRecord, wording = RESERVED_IP): void {
  refusePending(api, reserved, wording);
  reservedIpTable(api.store).delete(reserved.ip);
  api.deleted("floatingip", reserved.ip);
  api.changed({ kind: "reserved_ips" });
}

function createReservedIp(api: Api, request: ApiRequest, { key, sentence }: Wording): Answer {
  const body = parseBody(createBody, request.body);
  const droplet = body.droplet_id === undefined ? undefined : assignable(api.store, body.droplet_id);
  const region = droplet?.region ?? body.region;
  if (region === undefined) throw unprocessable("region or droplet_id is required");
  const table = reservedIpTable(api.store);
  const ip = lowestFree(RESERVED_IP_RANGE, new Set(table.values().map((one) => one.ip)));
  if (!ip) throw unprocessable(`The account has reached its limit of ${sentence}s.`);
  const reserved = table.put(ip, { ip, region, droplet_id: null, created_at: timestamp() });
  if (body.project_id !== undefined) assignToProject(api.store, urnOf(ip), body.project_id, timestamp());
  api.changed({ kind: "reserved_ips" });
  const links = droplet ? assignmentLinks(request, droplet, startAssign(api, reserved, droplet)) : {};
  return accepted({ [key]: reservedIpObject(api, reserved), links });
}

function assignmentLinks({ origin }: ApiRequest, droplet: DropletRecord, action: ActionRecord): object {
  return {
    droplets: [{ id: droplet.id, rel: "droplet", href: `${origin}/v2/droplets/${droplet.id}` }],
    actions: [{ id: action.id, rel: "assign_ip", href: `${origin}/v2/actions/${action.id}` }],
  };
}

function registerActions(api: Api, wording: Wording): void {
  const path = `/v2/${wording.key}s/:ip/actions`;
  const ofIp = (ip: string) => (action: ActionRecord) =>
    action.resource_type === "reserved_ip" && action.resource_id === actionResourceId(ip);
  const show = (action: ActionRecord) => ({ ...actionObject(action), resource_type: wording.key });
  const showOne = (ip: string, action: ActionRecord) => ({
    action: { ...show(action), ...projectField(api.store, ip) },
  });

  api.get(path, (request) => {
    const { ip } = wanted(api.store, request);
    return page(request, "actions", api.actions.list(ofIp(ip)), show);
  });
  api.get(`${path}/:action`, (request) => {
    const { ip } = wanted(api.store, request);
    return ok(showOne(ip, api.actions.get(param(request, "action"), ofIp(ip))));
  });
  api.post(path, (request) => {
    const reserved = wanted(api.store, request);
    const { type, droplet_id } = parseBody(actionBody, request.body);
    refusePending(api, reserved, wording);
    if (type === "unassign") {
      if (reserved.droplet_id === null)
        throw unprocessable(`The ${wording.sentence} is not assigned to a droplet.`);
      return created(showOne(reserved.ip, start(api, reserved, "unassign_ip", {})));
    }
    if (droplet_id === undefined) throw unprocessable("droplet_id is required");
    const action = startAssign(api, reserved, assignable(api.store, droplet_id));
    return created(showOne(reserved.ip, action));
  });
}

/** The droplet. Throws 422 if it cannot have a reserved IP. */
function assignable(store: Store, dropletId: number): DropletRecord {
  const droplet = findDroplet(store, dropletId);
  if (!droplet) throw unprocessable(`droplet_id: there is no droplet ${dropletId}`);
  const held = reservedIpOf(store, dropletId);
  if (held) throw unprocessable(`droplet_id: the droplet has the reserved IP ${held.ip} already`);
  return droplet;
}

function startAssign(api: Api, reserved: ReservedIpRecord, droplet: DropletRecord): ActionRecord {
  if (droplet.region !== reserved.region) {
    throw unprocessable(
      `droplet_id: the droplet is in ${droplet.region}, and the reserved IP in ${reserved.region}`,
    );
  }
  return start(api, reserved, "assign_ip", { droplet_id: droplet.id });
}

function start(
  api: Api,
  { ip, region }: ReservedIpRecord,
  type: string,
  more: Record<string, unknown>,
): ActionRecord {
  return api.actions.start({
    type,
    resource_type: "reserved_ip",
    resource_id: actionResourceId(ip),
    region_slug: region,
    parameters: { ip, ...more },
  });
}

function assign(api: Api, reserved: ReservedIpRecord, droplet_id: number | null): void {
  reservedIpTable(api.store).put(reserved.ip, { ...reserved, droplet_id });
  api.changed({ kind: "reserved_ips" });
}

/** The URN contains the old name of reserved IPs; `do:reservedip:` means the same (Api.canonicalUrn). */
const urnOf = (ip: string): string => `do:floatingip:${ip}`;

/** The address as a number: DigitalOcean's actions show this for a resource without a numeric id. */
const actionResourceId = (ip: string): number => parseIpv4(ip) ?? 0;

const isPending = (api: Api, { ip }: ReservedIpRecord): boolean =>
  api.actions.inProgress("reserved_ip", actionResourceId(ip)) !== undefined;

/** In DigitalOcean's words (digitalocean/doctl#493). */
function refusePending(api: Api, reserved: ReservedIpRecord, wording = RESERVED_IP): void {
  if (isPending(api, reserved)) throw unprocessable(`The ${wording.sentence} already has a pending event.`);
}

function wanted(store: Store, request: ApiRequest): ReservedIpRecord {
  const reserved = reservedIpTable(store).get(param(request, "ip"));
  if (!reserved) throw notFound();
  return reserved;
}

function reservedIpObject(api: Api, reserved: ReservedIpRecord): object {
  const droplet = reserved.droplet_id === null ? undefined : findDroplet(api.store, reserved.droplet_id);
  return {
    ip: reserved.ip,
    region: regionObject(reserved.region),
    droplet: droplet ? dropletObject(api.store, droplet) : null,
    locked: isPending(api, reserved),
    ...projectField(api.store, reserved.ip),
  };
}

function projectField(store: Store, ip: string): { project_id?: string } {
  const project_id = projectOf(store, urnOf(ip));
  return project_id ? { project_id } : {};
}

const summary = ({ ip, created_at }: ReservedIpRecord): ResourceSummary => ({ id: ip, name: ip, created_at });
