import { computed, integer, optional, optionalComputed, required, string } from "../../provider/fields";
import type { Operation, ResourceType } from "../../provider/resource";
import { ipv4Address, notZero } from "../../provider/validators";
import type { PropertyMap } from "../../provider/values";
import { perform } from "../actions";
import { type Client, isStatus } from "../client";
import { lowerCase } from "../common";
import { amount, text } from "../inputs";
import { uniqueSuffix } from "./volume";

interface ApiReservedIp {
  readonly ip: string;
  readonly region: { readonly slug: string };
  readonly droplet?: { readonly id: number; readonly region: { readonly slug: string } } | null;
}

export const reservedIp: ResourceType<Client> = {
  name: "ReservedIp",
  fields: {
    region: required(string, { replaces: true, stateOf: lowerCase }),
    ipAddress: optionalComputed(string, { validate: [ipv4Address] }),
    dropletId: optional(integer),
    reservedIpUrn: computed(string),
  },

  async create({ client }, inputs) {
    const body = { region: text(inputs, "region") };
    const { reserved_ip: made } = await client.post<{ reserved_ip: ApiReservedIp }>("/v2/reserved_ips", body);
    return { id: made.ip };
  },

  async settle(op, ip, prior, inputs) {
    const wanted = amount(inputs, "dropletId");
    if (wanted !== 0 && (await get(op, ip)).droplet?.id !== wanted) await assign(op, ip, wanted);
    return stateOf(await get(op, ip), prior);
  },

  async read({ client }, id, prior) {
    const found = await client.find<{ reserved_ip: ApiReservedIp }>(`/v2/reserved_ips/${id}`);
    return found && { state: stateOf(found.reserved_ip, prior) };
  },

  async update(op, ip, inputs, _state, changed) {
    if (!changed.has("dropletId")) return;
    const wanted = amount(inputs, "dropletId");
    if (wanted === 0) await unassign(op, ip);
    else await assign(op, ip, wanted);
  },

  async delete(op, ip, state) {
    if (amount(state, "dropletId") !== 0) {
      // 422: the address is not assigned. 404: the address does not exist.
      await unassign(op, ip).catch((error: unknown) => {
        if (!isStatus(error, 404, 422)) throw error;
      });
    }
    await op.client.remove(`/v2/reserved_ips/${ip}`);
  },
};

/** This resource manages the assignment only if the program sets dropletId (or in an import). */
function stateOf(found: ApiReservedIp, prior: PropertyMap): PropertyMap {
  const isImport = prior.region === undefined;
  const follows = isImport || amount(prior, "dropletId") !== 0;
  const region = (follows ? found.droplet?.region.slug : undefined) ?? found.region.slug;
  const state = { region, ipAddress: found.ip, reservedIpUrn: `do:reservedip:${found.ip}` };
  return follows ? { ...state, dropletId: found.droplet?.id ?? null } : state;
}

async function get(op: Operation<Client>, ip: string): Promise<ApiReservedIp> {
  return (await op.client.get<{ reserved_ip: ApiReservedIp }>(`/v2/reserved_ips/${ip}`)).reserved_ip;
}

async function assign(op: Operation<Client>, ip: string, dropletId: number): Promise<void> {
  const path = `/v2/reserved_ips/${ip}/actions`;
  await perform(
    op,
    path,
    { droplet_id: dropletId, type: "assign" },
    `assigning ${ip} to droplet ${dropletId}`,
    path,
  );
}

async function unassign(op: Operation<Client>, ip: string): Promise<void> {
  const path = `/v2/reserved_ips/${ip}/actions`;
  await perform(op, path, { type: "unassign" }, `unassigning ${ip}`, path);
}

export const reservedIpAssignment: ResourceType<Client> = {
  name: "ReservedIpAssignment",
  fields: {
    ipAddress: required(string, { replaces: true, validate: [ipv4Address] }),
    dropletId: required(integer, { replaces: true, validate: [notZero] }),
  },

  async create(op, inputs) {
    const [ip, dropletId] = [text(inputs, "ipAddress"), amount(inputs, "dropletId")];
    await assign(op, ip, dropletId);
    return { id: `${dropletId}-${ip}-${uniqueSuffix()}` };
  },

  async read({ client }, id, prior) {
    const isImport = prior.ipAddress === undefined;
    const [ip = "", droplet = ""] = isImport
      ? id.split(",")
      : [text(prior, "ipAddress"), text(prior, "dropletId")];
    if (!/^\d+$/.test(droplet)) {
      throw new Error(`to import a reserved IP's assignment use "ip_address,droplet_id", not "${id}"`);
    }
    const found = await client.find<{ reserved_ip: ApiReservedIp }>(`/v2/reserved_ips/${ip}`);
    if (found?.reserved_ip.droplet?.id !== Number(droplet)) return undefined;
    return {
      ...(isImport ? { id: `${droplet}-${ip}-${uniqueSuffix()}` } : {}),
      state: { ipAddress: ip, dropletId: Number(droplet) },
    };
  },

  async delete(op, _id, state) {
    const ip = text(state, "ipAddress");
    const found = await op.client.find<{ reserved_ip: ApiReservedIp }>(`/v2/reserved_ips/${ip}`);
    if (found?.reserved_ip.droplet?.id === amount(state, "dropletId")) await unassign(op, ip);
  },
};
