import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { Api } from "../core/api";
import { timestamp } from "../core/clock";
import { notFound, unprocessable } from "../core/errors";
import { type ApiRequest, accepted, ok, param } from "../core/http";
import { page, paged } from "../core/pagination";
import type { Store, Table } from "../core/store";
import { parseBody, uuid } from "../core/validation";
import { type VpcRecord, vpcTable } from "./vpcs";

interface PeeringRecord {
  readonly id: string;
  readonly name: string;
  readonly vpc_ids: readonly string[];
  readonly created_at: string;
}

const name = z.string().regex(/^[a-zA-Z0-9-]{1,255}$/, "may only contain letters, digits and dashes");
const nameBody = z.object({ name });
const createBody = z.object({ name, vpc_ids: z.array(uuid).length(2, "must be two VPCs") });
const createInVpcBody = z.object({ name, vpc_id: uuid });

const peeringTable = (store: Store): Table<PeeringRecord> => store.table<PeeringRecord>("vpc_peerings");

/** `/v2/vpc_peerings` and `/v2/vpcs/…/peerings`: pairs of VPCs that can reach each other. */
export function registerVpcPeerings(api: Api): void {
  const peerings = peeringTable(api.store);
  api.onDeleted((urnType, id) => {
    if (urnType !== "vpc") return;
    for (const peering of peerings.values()) if (peering.vpc_ids.includes(id)) peerings.delete(peering.id);
  });
  const wanted = (request: ApiRequest): PeeringRecord => {
    const peering = peerings.get(param(request, "peering"));
    const { vpc } = request.params;
    if (!peering || (vpc !== undefined && !peering.vpc_ids.includes(vpc))) throw notFound();
    return peering;
  };
  const rename = (key: "peering" | "vpc_peering") => (request: ApiRequest) => {
    const peering = wanted(request);
    const body = parseBody(nameBody, request.body);
    if (body.name !== peering.name) refuseTakenName(api.store, body.name);
    return ok({ [key]: peeringObject(peerings.put(peering.id, { ...peering, name: body.name })) });
  };

  api.get("/v2/vpc_peerings", (request) => page(request, "vpc_peerings", peerings.values(), peeringObject));
  api.post("/v2/vpc_peerings", (request) => {
    const body = parseBody(createBody, request.body);
    return accepted({ vpc_peering: create(api, body.name, body.vpc_ids) });
  });
  api.get("/v2/vpc_peerings/:peering", (request) => ok({ vpc_peering: peeringObject(wanted(request)) }));
  api.patch("/v2/vpc_peerings/:peering", rename("vpc_peering"));
  api.delete("/v2/vpc_peerings/:peering", (request) => {
    const peering = wanted(request);
    peerings.delete(peering.id);
    api.changed({ kind: "vpcs" });
    return accepted({ vpc_peering: { ...peeringObject(peering), status: "DELETING" } });
  });

  api.get("/v2/vpcs/:vpc/peerings", (request) => {
    const { id } = wantedVpc(api.store, request);
    const ofVpc = peerings.values().filter(({ vpc_ids }) => vpc_ids.includes(id));
    const { items, ...rest } = paged(request, ofVpc);
    return ok({ ...underBothKeys("peerings", items.map(peeringObject)), ...rest });
  });
  api.post("/v2/vpcs/:vpc/peerings", (request) => {
    const { id } = wantedVpc(api.store, request);
    const body = parseBody(createInVpcBody, request.body);
    return accepted(underBothKeys("peering", create(api, body.name, [id, body.vpc_id])));
  });
  api.patch("/v2/vpcs/:vpc/peerings/:peering", rename("peering"));
}

/** For the path of a VPC, the description has `peering`, and DigitalOcean's own Go client reads `vpc_peering`. */
const underBothKeys = (key: string, value: unknown): object => ({ [key]: value, [`vpc_${key}`]: value });

/** The peering in its first answer, where it has only started. A later request finds it active. */
function create(api: Api, wantedName: string, vpc_ids: readonly string[]): object {
  const peerings = peeringTable(api.store);
  refuseTakenName(api.store, wantedName);
  for (const id of vpc_ids)
    if (!vpcTable(api.store).has(id)) throw unprocessable(`vpc_ids: there is no VPC "${id}"`);
  if (new Set(vpc_ids).size < 2) throw unprocessable("vpc_ids: a VPC cannot be peered with itself");
  if (peerings.values().some((one) => vpc_ids.every((id) => one.vpc_ids.includes(id)))) {
    throw unprocessable("vpc_ids: these VPCs are peered already");
  }
  const id = randomUUID();
  const peering = peerings.put(id, { id, name: wantedName, vpc_ids: [...vpc_ids], created_at: timestamp() });
  api.changed({ kind: "vpcs" });
  return { ...peeringObject(peering), status: "PROVISIONING" };
}

function refuseTakenName(store: Store, wantedName: string): void {
  const taken = peeringTable(store)
    .values()
    .some((one) => one.name === wantedName);
  if (taken) throw unprocessable(`name: the name "${wantedName}" is already in use by another VPC peering`);
}

function wantedVpc(store: Store, request: ApiRequest): VpcRecord {
  const vpc = vpcTable(store).get(param(request, "vpc"));
  if (!vpc) throw notFound();
  return vpc;
}

const peeringObject = (peering: PeeringRecord): object => ({ ...peering, status: "ACTIVE" });
