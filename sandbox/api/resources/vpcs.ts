import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Api, ResourceSummary } from "../core/api";
import { timestamp } from "../core/clock";
import { conflict, forbidden, notFound, unprocessable } from "../core/errors";
import { type Answer, type ApiRequest, created, noContent, ok, param } from "../core/http";
import { type Cidr, cidr, contains, formatCidr, overlap, parseCidr } from "../core/ipv4";
import { page } from "../core/pagination";
import { OPEN_REGIONS } from "../core/regions";
import type { Store, Table } from "../core/store";
import { parseBody, parseQuery, regionSlug, text } from "../core/validation";

export interface VpcRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly region: string;
  readonly ip_range: string;
  readonly default: boolean;
  readonly created_at: string;
}

export const vpcTable = (store: Store): Table<VpcRecord> => store.table<VpcRecord>("vpcs");

/** RFC 1918. */
const PRIVATE_RANGES = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map(cidr);

/** Reserved by DigitalOcean (VPC documentation, Plan Your Network; release note of 7 March 2025). */
const RESERVED_RANGES = ["10.244.0.0/16", "10.245.0.0/16", "10.246.0.0/24", "10.229.0.0/16"].map(cidr);
const RESERVED_IN_NYC1 = cidr("10.10.0.0/16");

/** The range from which DigitalOcean takes a /20 if none is given. */
const AUTOMATIC_RANGE = cidr("10.100.0.0/14");

const name = z
  .string()
  .regex(/^[a-zA-Z0-9.-]{1,255}$/, "may only contain letters, digits, dashes and periods");
const description = z.string().max(255, "must be at most 255 characters");
const createBody = z.object({
  name,
  region: regionSlug,
  description: description.default(""),
  ip_range: z.string().optional(),
});
const putBody = z.object({
  name,
  description: description.default(""),
  default: z.boolean().optional(),
});
const patchBody = putBody.partial().extend({ description: description.optional() });

const membersQuery = z.object({ resource_type: text().optional() });

/** The region's default VPC, for resources without a VPC. */
export function defaultVpc(store: Store, region: string): VpcRecord {
  const found = findDefault(store, region);
  if (!found) throw new Error(`the region ${region} has no default VPC`);
  return found;
}

const findDefault = (store: Store, region: string): VpcRecord | undefined =>
  vpcTable(store)
    .values()
    .find((vpc) => vpc.region === region && vpc.default);

/**
 * Creates the default VPC of every region. At DigitalOcean, a region gets it with its first resource; if that resource
 * is a VPC, it becomes the default and can never be deleted. An older account has all default VPCs, so a program can
 * delete the VPCs that it creates. The sandbox behaves like such an account.
 */
function makeDefaultVpcs(api: Api): void {
  for (const region of OPEN_REGIONS) {
    if (findDefault(api.store, region)) continue;
    addVpc(api, { name: freeName(api.store, `default-${region}`), description: "", region, default: true });
  }
}

/** `/v2/vpcs`: the networks of the account, and their members. */
export function registerVpcs(api: Api): void {
  const vpcs = vpcTable(api.store);
  const wanted = (request: ApiRequest): VpcRecord => {
    const vpc = vpcs.get(param(request, "vpc"));
    if (!vpc) throw notFound();
    return vpc;
  };

  api.store.transaction(() => makeDefaultVpcs(api));
  api.addKind({ urnType: "vpc", list: () => vpcs.values(), find: (id) => vpcs.get(id) });

  api.get("/v2/vpcs", (request) => page(request, "vpcs", vpcs.values(), vpcObject));
  api.post("/v2/vpcs", (request) => {
    const body = parseBody(createBody, request.body);
    refuseTakenName(api.store, body.name);
    return created({ vpc: vpcObject(addVpc(api, { ...body, default: false })) });
  });
  api.get("/v2/vpcs/:vpc", (request) => ok({ vpc: vpcObject(wanted(request)) }));
  api.put("/v2/vpcs/:vpc", (request) => update(api, wanted(request), parseBody(putBody, request.body)));
  api.patch("/v2/vpcs/:vpc", (request) => update(api, wanted(request), parseBody(patchBody, request.body)));

  api.delete("/v2/vpcs/:vpc", (request) => {
    const vpc = wanted(request);
    // The description says 403; calls of the real API are answered with 409 (pulumi/pulumi-digitalocean#753).
    if (membersOf(api, vpc).length > 0) throw conflict("Can not delete VPC with members");
    if (vpc.default) throw forbidden("Can not delete default VPCs");
    vpcs.delete(vpc.id);
    api.deleted("vpc", vpc.id);
    api.changed({ kind: "vpcs" });
    return noContent();
  });

  api.get("/v2/vpcs/:vpc/members", (request) => {
    const { resource_type: type } = parseQuery(membersQuery, request);
    const members = membersOf(api, wanted(request)).filter(
      ({ urn }) => !type || urn.startsWith(`do:${type}:`),
    );
    return page(request, "members", members);
  });
}

interface Member {
  readonly name: string;
  readonly urn: string;
  readonly created_at: string;
}
/** A deleted member, which its VPC keeps until this time. */
interface LingeringMember extends Member {
  readonly vpc_uuid: string;
  readonly until_ms: number;
}

const lingeringTable = (store: Store): Table<LingeringMember> =>
  store.table<LingeringMember>("lingering_vpc_members");

/** The resources with this `vpc_uuid` (droplets, load balancers), including those that were just deleted. */
function membersOf(api: Api, vpc: VpcRecord): Member[] {
  const present = [...api.kinds.values()].flatMap((kind) =>
    kind
      .list()
      .filter(({ vpc_uuid }) => vpc_uuid === vpc.id)
      .map((one) => memberOf(kind.urnType, one)),
  );
  const lingering = lingeringTable(api.store)
    .values()
    .filter(({ vpc_uuid, until_ms }) => vpc_uuid === vpc.id && until_ms > Date.now())
    .map(({ name, urn, created_at }) => ({ name, urn, created_at }));
  return [...present, ...lingering];
}

const memberOf = (urnType: string, { id, name, created_at }: ResourceSummary): Member => ({
  name,
  urn: `do:${urnType}:${id}`,
  created_at,
});

/** Called when a member is deleted: it stays in its VPC for `vpcLingerMs`. */
export function lingerInVpc(api: Api, urnType: string, gone: ResourceSummary & { vpc_uuid: string }): void {
  if (api.vpcLingerMs === 0) return;
  const table = lingeringTable(api.store);
  const now = Date.now();
  for (const { urn, until_ms } of table.values()) if (until_ms <= now) table.delete(urn);
  const member = memberOf(urnType, gone);
  table.put(member.urn, { ...member, vpc_uuid: gone.vpc_uuid, until_ms: now + api.vpcLingerMs });
}

type NewVpc = Pick<VpcRecord, "name" | "description" | "region" | "default"> & {
  ip_range?: string | undefined;
};

function addVpc(api: Api, wanted: NewVpc): VpcRecord {
  const vpcs = vpcTable(api.store);
  const range = wanted.ip_range === undefined ? automaticRange(api.store) : givenRange(api.store, wanted);
  const id = randomUUID();
  const vpc = vpcs.put(id, {
    id,
    name: wanted.name,
    description: wanted.description,
    region: wanted.region,
    ip_range: formatCidr(range),
    default: wanted.default,
    created_at: timestamp(),
  });
  api.changed({ kind: "vpcs" });
  return vpc;
}

function givenRange(store: Store, { ip_range = "", region }: NewVpc): Cidr {
  const range = parseCidr(ip_range);
  if (!range) {
    throw unprocessable(`ip_range: "${ip_range}" is not a network in CIDR notation, such as 10.10.10.0/24`);
  }
  if (range.prefix < 16 || range.prefix > 28)
    throw unprocessable("ip_range: must be between /16 and /28 in size");
  if (!PRIVATE_RANGES.some((space) => contains(space, range))) {
    throw unprocessable("ip_range: must be in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 (RFC 1918)");
  }
  const reserved = region === "nyc1" ? [...RESERVED_RANGES, RESERVED_IN_NYC1] : RESERVED_RANGES;
  const taken = reserved.find((one) => overlap(one, range));
  if (taken) throw unprocessable(`ip_range: ${formatCidr(taken)} is reserved by DigitalOcean in ${region}`);
  const other = vpcTable(store)
    .values()
    .find((vpc) => overlap(cidr(vpc.ip_range), range));
  if (other) {
    throw unprocessable(
      `This range/size overlaps with another VPC network in your account: ${other.name} ${other.ip_range}.`,
    );
  }
  return range;
}

function automaticRange(store: Store): Cidr {
  const taken = vpcTable(store)
    .values()
    .map(({ ip_range }) => cidr(ip_range));
  for (let first = AUTOMATIC_RANGE.first; first < AUTOMATIC_RANGE.last; first += 4096) {
    const range = { first, last: first + 4095, prefix: 20 };
    if (!taken.some((other) => overlap(other, range))) return range;
  }
  throw unprocessable("ip_range: no range is free in this account: give one");
}

function update(
  api: Api,
  vpc: VpcRecord,
  change: { name?: string | undefined; description?: string | undefined; default?: boolean | undefined },
): Answer {
  const vpcs = vpcTable(api.store);
  if (change.name !== undefined && change.name !== vpc.name) refuseTakenName(api.store, change.name);
  if (change.default && !vpc.default) {
    for (const other of vpcs.values()) {
      if (other.region === vpc.region && other.default) vpcs.put(other.id, { ...other, default: false });
    }
  }
  const updated = vpcs.put(vpc.id, {
    ...vpc,
    name: change.name ?? vpc.name,
    description: change.description ?? vpc.description,
    // "Cannot be unset from true": another VPC is made the default instead.
    default: vpc.default || change.default === true,
  });
  return ok({ vpc: vpcObject(updated) });
}

function refuseTakenName(store: Store, wanted: string): void {
  if (isTaken(store, wanted))
    throw unprocessable(`name: the name "${wanted}" is already in use by another VPC`);
}

const isTaken = (store: Store, wanted: string): boolean =>
  vpcTable(store)
    .values()
    .some((vpc) => vpc.name === wanted);

function freeName(store: Store, wanted: string): string {
  let candidate = wanted;
  for (let number = 2; isTaken(store, candidate); number++) candidate = `${wanted}-${number}`;
  return candidate;
}

const vpcObject = (vpc: VpcRecord): object => ({ ...vpc, urn: `do:vpc:${vpc.id}` });
