import { boolean, computed, optional, optionalComputed, required, string } from "../../provider/fields";
import type { ResourceType } from "../../provider/resource";
import { cidr, length, notEmpty } from "../../provider/validators";
import type { PropertyMap } from "../../provider/values";
import type { Client } from "../client";
import { goTime, removeWhenFree } from "../common";
import { apiBody, flag } from "../inputs";

export interface ApiVpc {
  readonly id: string;
  readonly urn: string;
  readonly name: string;
  readonly description?: string;
  readonly region: string;
  readonly ip_range: string;
  readonly default: boolean;
  readonly created_at: string;
}

const deleteTimeoutMs = 2 * 60_000;

export const vpc: ResourceType<Client> = {
  name: "Vpc",
  fields: {
    name: required(string, { autoname: true, validate: [notEmpty] }),
    region: required(string, { replaces: true, validate: [notEmpty] }),
    description: optional(string, { validate: [length(0, 255)] }),
    ipRange: optionalComputed(string, { replaces: true, validate: [cidr] }),
    vpcUrn: computed(string),
    default: computed(boolean),
    createdAt: computed(string),
  },

  async create({ client }, inputs) {
    const body = apiBody(inputs, "name", "region", "description", "ipRange");
    const { vpc: made } = await client.post<{ vpc: ApiVpc }>("/v2/vpcs", body);
    return { id: made.id };
  },

  async read({ client }, id) {
    const found = await client.find<{ vpc: ApiVpc }>(`/v2/vpcs/${id}`);
    return found && { state: stateOf(found.vpc) };
  },

  async update({ client }, id, inputs, state) {
    await client.put(`/v2/vpcs/${id}`, {
      ...apiBody(inputs, "name", "description"),
      default: flag(state, "default"),
    });
  },

  /** A deleted member leaves its VPC with a delay. */
  async delete(op, id) {
    await removeWhenFree(op, `/v2/vpcs/${id}`, {
      refusals: [403, 409],
      what: `VPC ${id} to have no members`,
      timeoutMs: deleteTimeoutMs,
    });
  },
};

function stateOf(found: ApiVpc): PropertyMap {
  return {
    name: found.name,
    region: found.region,
    description: found.description ?? "",
    ipRange: found.ip_range,
    vpcUrn: found.urn,
    default: found.default,
    createdAt: goTime(found.created_at),
  };
}
