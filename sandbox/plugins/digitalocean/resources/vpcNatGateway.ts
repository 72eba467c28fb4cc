import {
  boolean,
  computed,
  integer,
  list,
  object,
  optional,
  optionalComputed,
  required,
  set,
  string,
} from "../../provider/fields";
import type { ResourceType } from "../../provider/resource";
import { items, notZero } from "../../provider/validators";
import type { PropertyMap, PropertyValue } from "../../provider/values";
import { waitFor } from "../../provider/wait";
import type { Client } from "../client";
import { goTime } from "../common";
import { apiBody, maps, text } from "../inputs";

interface ApiGateway {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly state: string;
  readonly region: string;
  readonly size: number;
  readonly project_id?: string;
  readonly vpcs?: readonly { vpc_uuid: string; gateway_ip?: string; default_gateway?: boolean }[] | null;
  readonly egresses?: { public_gateways?: readonly { ipv4: string }[] | null } | null;
  readonly udp_timeout_seconds?: number;
  readonly icmp_timeout_seconds?: number;
  readonly tcp_timeout_seconds?: number;
  readonly created_at?: string;
  readonly updated_at?: string;
}

const timeoutMs = 15 * 60_000;
const seconds = optionalComputed(integer, { validate: [notZero] });

const ingress = object("VpcNatGatewayVpc", {
  vpcUuid: required(string, { replaces: true }),
  gatewayIp: optionalComputed(string),
  defaultGateway: optional(boolean),
});

/** A gateway's list of VPCs is fixed; whether it is a VPC's default gateway can change. */
function otherVpcs(input: PropertyValue | undefined, state: PropertyValue | undefined): boolean {
  const [left, right] = [input, state].map((value) =>
    maps({ value: value ?? [] }, "value")
      .map((vpc) => (vpc.vpcUuid === undefined ? "" : JSON.stringify(vpc.vpcUuid)))
      .sort(),
  );
  return JSON.stringify(left) !== JSON.stringify(right);
}

export const vpcNatGateway: ResourceType<Client> = {
  name: "VpcNatGateway",
  fields: {
    name: required(string, { autoname: true }),
    type: required(string),
    region: required(string),
    size: required(integer),
    vpcs: required(set(ingress), { validate: [items(1)], replaces: otherVpcs }),
    projectId: optionalComputed(string),
    udpTimeoutSeconds: seconds,
    icmpTimeoutSeconds: seconds,
    tcpTimeoutSeconds: seconds,
    state: computed(string),
    egresses: computed(
      list(
        object("VpcNatGatewayEgress", {
          publicGateways: optional(
            list(object("VpcNatGatewayEgressPublicGateway", { ipv4: optional(string) })),
          ),
        }),
      ),
    ),
    createdAt: computed(string),
    updatedAt: computed(string),
  },

  async create({ client }, inputs) {
    const vpcs = maps(inputs, "vpcs").map((vpc) => ({
      vpc_uuid: text(vpc, "vpcUuid"),
      ...apiBody(vpc, "gatewayIp", "defaultGateway"),
    }));
    const body = { ...gatewayBody(inputs), vpcs };
    const made = await client.post<{ vpc_nat_gateway: ApiGateway }>("/v2/vpc_nat_gateways", body);
    return { id: made.vpc_nat_gateway.id };
  },

  async settle(op, id) {
    const what = `NAT gateway ${op.name} (${id}) to become active`;
    const found = await waitFor(
      { what, timeoutMs: op.timeoutMs ?? timeoutMs, signal: op.signal },
      async () => {
        const answer = await op.client.get<{ vpc_nat_gateway: ApiGateway }>(`/v2/vpc_nat_gateways/${id}`);
        return answer.vpc_nat_gateway.state.toUpperCase() === "ACTIVE" ? answer.vpc_nat_gateway : undefined;
      },
    );
    return stateOf(found);
  },

  async read({ client }, id) {
    const found = await client.find<{ vpc_nat_gateway: ApiGateway }>(`/v2/vpc_nat_gateways/${id}`);
    return found && { state: stateOf(found.vpc_nat_gateway) };
  },

  async update({ client }, id, inputs) {
    await client.put(`/v2/vpc_nat_gateways/${id}`, gatewayBody(inputs));
  },

  async delete(op, id) {
    await op.client.remove(`/v2/vpc_nat_gateways/${id}`);
    const what = `NAT gateway ${op.name} (${id}) to be gone`;
    await waitFor({ what, timeoutMs: op.timeoutMs ?? timeoutMs, signal: op.signal }, async () => {
      const found = await op.client.find(`/v2/vpc_nat_gateways/${id}`);
      return found === undefined ? true : undefined;
    });
  },
};

function gatewayBody(inputs: PropertyMap): Record<string, unknown> {
  const timeouts = ["udpTimeoutSeconds", "icmpTimeoutSeconds", "tcpTimeoutSeconds"];
  return apiBody(inputs, "name", "type", "region", "size", "projectId", ...timeouts);
}

function stateOf(found: ApiGateway): PropertyMap {
  return {
    name: found.name,
    type: found.type,
    state: found.state,
    region: found.region,
    size: found.size,
    projectId: found.project_id ?? "",
    vpcs: (found.vpcs ?? []).map(({ vpc_uuid, gateway_ip, default_gateway }) => ({
      vpcUuid: vpc_uuid,
      gatewayIp: gateway_ip ?? "",
      defaultGateway: default_gateway ?? false,
    })),
    egresses: [{ publicGateways: (found.egresses?.public_gateways ?? []).map(({ ipv4 }) => ({ ipv4 })) }],
    udpTimeoutSeconds: found.udp_timeout_seconds ?? 0,
    icmpTimeoutSeconds: found.icmp_timeout_seconds ?? 0,
    tcpTimeoutSeconds: found.tcp_timeout_seconds ?? 0,
    createdAt: goTime(found.created_at),
    updatedAt: goTime(found.updated_at),
  };
}
