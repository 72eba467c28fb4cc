import type { Problem } from "../../provider/check";
import {
  boolean,
  computed,
  type Fields,
  integer,
  list,
  object,
  optional,
  required,
  set,
  string,
} from "../../provider/fields";
import type { ResourceType } from "../../provider/resource";
import { notEmpty, oneOf } from "../../provider/validators";
import { isMap, type PropertyMap } from "../../provider/values";
import type { Client } from "../client";
import { tags } from "../common";
import { maps, numbers, strings, text, withoutEmpty } from "../inputs";

interface ApiPeers {
  readonly addresses?: readonly string[] | null;
  readonly droplet_ids?: readonly number[] | null;
  readonly load_balancer_uids?: readonly string[] | null;
  readonly kubernetes_ids?: readonly string[] | null;
  readonly tags?: readonly string[] | null;
}

interface ApiRule {
  readonly protocol: string;
  readonly ports?: string;
  readonly sources?: ApiPeers;
  readonly destinations?: ApiPeers;
}

interface ApiFirewall {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly created_at: string;
  readonly inbound_rules?: readonly ApiRule[] | null;
  readonly outbound_rules?: readonly ApiRule[] | null;
  readonly droplet_ids?: readonly number[] | null;
  readonly tags?: readonly string[] | null;
  readonly pending_changes?: readonly { droplet_id: number; removing: boolean; status: string }[] | null;
}

type Direction = "source" | "destination";

function ruleFields(direction: Direction): Fields {
  return {
    protocol: required(string, { validate: [oneOf("tcp", "udp", "icmp")] }),
    portRange: optional(string, { validate: [notEmpty], sameAs: samePorts }),
    [`${direction}Addresses`]: optional(set(string, notEmpty)),
    [`${direction}DropletIds`]: optional(set(integer)),
    [`${direction}LoadBalancerUids`]: optional(set(string, notEmpty)),
    [`${direction}KubernetesIds`]: optional(set(string, notEmpty)),
    [`${direction}Tags`]: tags,
  };
}

/** The API returns "0" for all ports; a program writes "all" or "1-65535". */
function samePorts(input: unknown, state: unknown): boolean {
  const all = new Set(["all", "0", "1-65535"]);
  return all.has(String(input)) && all.has(String(state)) && (input === "1-65535") === (state === "1-65535");
}

const pendingChange = object("FirewallPendingChange", {
  dropletId: optional(integer),
  removing: optional(boolean),
  status: optional(string),
});

export const firewall: ResourceType<Client> = {
  name: "Firewall",
  fields: {
    name: required(string, { autoname: true, validate: [notEmpty] }),
    dropletIds: optional(set(integer)),
    inboundRules: optional(set(object("FirewallInboundRule", ruleFields("source")))),
    outboundRules: optional(set(object("FirewallOutboundRule", ruleFields("destination")))),
    tags,
    status: computed(string),
    createdAt: computed(string),
    pendingChanges: computed(list(pendingChange)),
  },

  problems(inputs) {
    const problems: Problem[] = [];
    if (inputs.inboundRules === undefined && inputs.outboundRules === undefined) {
      problems.push({ path: "", reason: "At least one rule must be specified" });
    }
    for (const key of ["inboundRules", "outboundRules"]) {
      maps(inputs, key).forEach((rule, index) => {
        if (!isMap(rule) || rule.protocol === "icmp" || rule.portRange !== undefined) return;
        const path = `${key}[${index}].portRange`;
        problems.push({ path, reason: '"portRange" is required when the protocol is tcp or udp' });
      });
    }
    return problems;
  },

  async create({ client }, inputs) {
    const { firewall: made } = await client.post<{ firewall: ApiFirewall }>("/v2/firewalls", body(inputs));
    return { id: made.id };
  },

  async read({ client }, id) {
    const found = await client.find<{ firewall: ApiFirewall }>(`/v2/firewalls/${id}`);
    return found && { state: stateOf(found.firewall) };
  },

  async update({ client }, id, inputs) {
    await client.put(`/v2/firewalls/${id}`, body(inputs));
  },

  async delete({ client }, id) {
    await client.remove(`/v2/firewalls/${id}`);
  },
};

function body(inputs: PropertyMap): Record<string, unknown> {
  const rules = (key: string, direction: Direction) =>
    maps(inputs, key).map((rule) => ruleBody(rule, direction));
  return {
    name: text(inputs, "name"),
    inbound_rules: rules("inboundRules", "source"),
    outbound_rules: rules("outboundRules", "destination"),
    droplet_ids: numbers(inputs, "dropletIds"),
    tags: strings(inputs, "tags"),
  };
}

function ruleBody(rule: PropertyMap, direction: Direction): Record<string, unknown> {
  const peers = withoutEmpty({
    addresses: strings(rule, `${direction}Addresses`),
    tags: strings(rule, `${direction}Tags`),
    droplet_ids: numbers(rule, `${direction}DropletIds`),
    load_balancer_uids: strings(rule, `${direction}LoadBalancerUids`),
    kubernetes_ids: strings(rule, `${direction}KubernetesIds`),
  });
  const ports = text(rule, "portRange");
  return { protocol: text(rule, "protocol"), ...(ports === "" ? {} : { ports }), [`${direction}s`]: peers };
}

function stateOf(found: ApiFirewall): PropertyMap {
  return {
    name: found.name,
    status: found.status,
    createdAt: found.created_at,
    dropletIds: [...(found.droplet_ids ?? [])],
    inboundRules: (found.inbound_rules ?? []).map((rule) => ruleState(rule, rule.sources, "source")),
    outboundRules: (found.outbound_rules ?? []).map((rule) =>
      ruleState(rule, rule.destinations, "destination"),
    ),
    tags: [...(found.tags ?? [])],
    pendingChanges: (found.pending_changes ?? []).map(({ droplet_id, removing, status }) => ({
      dropletId: droplet_id,
      removing,
      status,
    })),
  };
}

function ruleState(rule: ApiRule, peers: ApiPeers | undefined, direction: Direction): PropertyMap {
  const state: PropertyMap = { protocol: rule.protocol };
  const ports = rule.ports === "0" ? (rule.protocol === "icmp" ? "" : "all") : (rule.ports ?? "");
  if (ports !== "") state.portRange = ports;
  const lists: Record<string, readonly (string | number)[] | null | undefined> = {
    Addresses: peers?.addresses,
    DropletIds: peers?.droplet_ids,
    LoadBalancerUids: peers?.load_balancer_uids,
    KubernetesIds: peers?.kubernetes_ids,
    Tags: peers?.tags,
  };
  for (const [key, value] of Object.entries(lists)) {
    if (value && value.length > 0) state[`${direction}${key}`] = [...value];
  }
  return state;
}
