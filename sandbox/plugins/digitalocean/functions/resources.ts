/** Functions that look up the resources of an account. */
import {
  boolean,
  computed,
  type Field,
  type Fields,
  integer,
  list,
  map,
  object,
  optional,
  optionalComputed,
  required,
  string,
} from "../../provider/fields";
import type { FunctionType } from "../../provider/resource";
import { notEmpty } from "../../provider/validators";
import type { PropertyMap } from "../../provider/values";
import type { Client } from "../client";
import { goTime } from "../common";
import { flag, snake, text } from "../inputs";
import { certificate, findCertificate } from "../resources/certificate";
import type { ApiDomain } from "../resources/domain";
import { type ApiDroplet, droplet as dropletResource, dropletState } from "../resources/droplet";
import {
  type ApiLoadBalancer,
  domainFields,
  forwardingRuleFields,
  healthcheckFields,
  loadBalancer as loadBalancerResource,
  sourceFields,
  stickinessFields,
} from "../resources/loadBalancer";
import type { ApiSshKey } from "../resources/sshKey";
import type { ApiVpc } from "../resources/vpc";
import { onlyMatch } from "./catalog";
import { listFunction, requiredOf } from "./lists";

/** The given properties of a resource type, as outputs of a function. */
function outputsOf(fields: Fields, ...keys: string[]): Fields {
  const output = ({ type, deprecated }: Field) =>
    computed(type, deprecated === undefined ? {} : { deprecated });
  return Object.fromEntries(
    keys.map((key) => {
      const field = fields[key];
      if (field === undefined) throw new Error(`the resource type has no property ${key}`);
      return [key, output(field)];
    }),
  );
}

export const getAccount: FunctionType<Client> = {
  name: "getAccount",
  inputs: {},
  outputs: {
    dropletLimit: computed(integer),
    floatingIpLimit: computed(integer),
    email: computed(string),
    emailVerified: computed(boolean),
    status: computed(string),
    statusMessage: computed(string),
    uuid: computed(string),
    id: computed(string),
  },
  async call({ client }) {
    const { account } = await client.get<{ account: Record<string, string | number | boolean> }>(
      "/v2/account",
    );
    return {
      id: account.uuid ?? "",
      uuid: account.uuid ?? "",
      dropletLimit: account.droplet_limit ?? 0,
      floatingIpLimit: account.floating_ip_limit ?? 0,
      email: account.email ?? "",
      emailVerified: account.email_verified ?? false,
      status: account.status ?? "",
      statusMessage: account.status_message ?? "",
    };
  },
};

const certificateKeys = ["name", "uuid", "type", "state", "domains", "notAfter", "sha1Fingerprint"];

export const getCertificate: FunctionType<Client> = {
  name: "getCertificate",
  inputs: { name: required(string, { validate: [notEmpty] }) },
  outputs: { id: computed(string), ...outputsOf(certificate.fields, ...certificateKeys) },
  async call({ client }, inputs) {
    const found = await findCertificate(client, text(inputs, "name"));
    return {
      id: found.name,
      name: found.name,
      uuid: found.id,
      type: found.type,
      state: found.state,
      domains: [...(found.dns_names ?? [])],
      notAfter: found.not_after,
      sha1Fingerprint: found.sha1_fingerprint,
    };
  },
};

export const getDomain: FunctionType<Client> = {
  name: "getDomain",
  inputs: { name: required(string, { validate: [notEmpty] }) },
  outputs: {
    id: computed(string),
    name: computed(string),
    domainUrn: computed(string),
    ttl: computed(integer),
    zoneFile: computed(string),
  },
  async call({ client }, inputs) {
    const name = text(inputs, "name");
    const answer = await client.find<{ domain: ApiDomain }>(`/v2/domains/${encodeURIComponent(name)}`);
    if (answer === undefined) throw new Error(`no domain named "${name}" found in this account`);
    const { ttl, zone_file: zoneFile } = answer.domain;
    return { id: name, name, domainUrn: `do:domain:${name}`, ttl: ttl ?? 0, zoneFile: zoneFile ?? "" };
  },
};

const droplet: Fields = {
  id: computed(integer),
  ...outputsOf(
    dropletResource.fields,
    ...[
      "name",
      "region",
      "image",
      "size",
      "disk",
      "vcpus",
      "memory",
      "priceHourly",
      "priceMonthly",
      "status",
    ],
    ...["locked", "ipv4Address", "ipv4AddressPrivate", "ipv6Address", "backups", "ipv6", "monitoring"],
    ...["volumeIds", "tags", "vpcUuid", "createdAt"],
  ),
  privateNetworking: computed(boolean),
  ipv6AddressPrivate: computed(string),
  urn: computed(string),
};

function lookedUp(found: ApiDroplet): PropertyMap {
  const { dropletUrn, publicNetworking: _, ...state } = dropletState(found);
  return {
    backups: false,
    ipv6: false,
    monitoring: false,
    privateNetworking: false,
    ...state,
    id: found.id,
    image: found.image.slug || String(found.image.id),
    urn: dropletUrn ?? "",
    ipv6AddressPrivate: "",
  };
}

export const getDroplet: FunctionType<Client> = {
  name: "getDroplet",
  inputs: {
    id: optional(integer),
    name: optional(string, { validate: [notEmpty] }),
    tag: optional(string, { validate: [notEmpty] }),
    gpu: optional(boolean),
  },
  outputs: { ...droplet, tag: optional(string), gpu: optional(boolean) },
  async call({ client }, inputs) {
    const { id: _, name: __, ...echoed } = inputs;
    return { ...echoed, ...lookedUp(await findDroplet(client, inputs)) };
  },
};

async function findDroplet(client: Client, inputs: PropertyMap): Promise<ApiDroplet> {
  const given = ["id", "name", "tag"].filter((key) => inputs[key] !== undefined);
  if (given.length !== 1) throw new Error("getDroplet: set exactly one of id, name and tag");
  const [key = ""] = given;
  const wanted = text(inputs, key);
  if (key === "id") {
    const answer = await client.find<{ droplet: ApiDroplet }>(`/v2/droplets/${wanted}`);
    if (answer === undefined) throw new Error(`no droplet with the id ${wanted} found`);
    return answer.droplet;
  }
  const query =
    key === "tag" ? `?tag_name=${encodeURIComponent(wanted)}` : flag(inputs, "gpu") ? "?type=gpus" : "";
  const droplets = await client.all<ApiDroplet>(`/v2/droplets${query}`, "droplets");
  const found = key === "tag" ? droplets : droplets.filter((candidate) => candidate.name === wanted);
  return onlyMatch(found, `droplet with the ${key} "${wanted}"`);
}

export const getDroplets = listFunction({
  name: "getDroplets",
  output: "droplets",
  item: "Droplet",
  fields: droplet,
  keys: Object.keys(droplet).map(snake),
  more: { gpus: optional(boolean) },
  records: async (client, inputs) => {
    const path = flag(inputs, "gpus") ? "/v2/droplets?type=gpus" : "/v2/droplets";
    return (await client.all<ApiDroplet>(path, "droplets")).map(lookedUp);
  },
});

/** The resource's outputs. As in the official function, a single object is a list with one item. */
function loadBalancerOutputs(): Fields {
  const items = (name: string, fields: Fields) =>
    computed(list(object(`getLoadBalancer${name}`, requiredOf(fields))));
  const settings = {
    ...{
      targetProtocol: required(string),
      targetPort: required(integer),
      failoverThreshold: required(integer),
    },
    regionPriorities: required(map(integer)),
    cdns: required(list(object("getLoadBalancerGlbSettingCdn", { isEnabled: required(boolean) }))),
  };
  return {
    id: optional(string),
    name: optional(string),
    ...outputsOf(
      loadBalancerResource.fields,
      ...["algorithm", "disableLetsEncryptDnsRecords", "dropletIds", "dropletTag", "enableBackendKeepalive"],
      ...["enableProxyProtocol", "httpIdleTimeoutSeconds", "ip", "ipv6", "loadBalancerUrn", "network"],
      ...["projectId", "redirectHttpToHttps", "region", "size", "sizeUnit", "status"],
      ...["targetLoadBalancerIds", "type", "vpcUuid"],
    ),
    domains: items("Domain", domainFields),
    firewalls: items("Firewall", sourceFields),
    forwardingRules: items("ForwardingRule", forwardingRuleFields),
    healthchecks: items("Healthcheck", healthcheckFields),
    stickySessions: items("StickySession", stickinessFields),
    glbSettings: items("GlbSetting", settings),
  };
}

export const getLoadBalancer: FunctionType<Client> = {
  name: "getLoadBalancer",
  inputs: {
    id: optional(string, { validate: [notEmpty] }),
    name: optional(string, { validate: [notEmpty] }),
  },
  outputs: loadBalancerOutputs(),
  async call(op, inputs) {
    const id = text(inputs, "id") || (await findLoadBalancer(op.client, inputs)).id;
    const found = await loadBalancerResource.read(op, id, {});
    if (found === undefined) throw new Error(`no load balancer with the id ${id} found`);
    const { firewall, healthcheck, stickySessions, glbSettings, ...state } = found.state;
    const asList = (value: PropertyMap[string] | undefined) =>
      value === undefined || value === null ? [] : [value];
    return {
      ...state,
      id,
      size: state.size ?? "",
      network: state.network ?? "EXTERNAL",
      firewalls: asList(firewall),
      healthchecks: asList(healthcheck),
      stickySessions: asList(stickySessions),
      glbSettings: asList(glbSettings),
    };
  },
};

async function findLoadBalancer(client: Client, inputs: PropertyMap): Promise<ApiLoadBalancer> {
  const name = text(inputs, "name");
  if (name === "") throw new Error("getLoadBalancer: set exactly one of id and name");
  const all = await client.all<ApiLoadBalancer>("/v2/load_balancers", "load_balancers");
  return onlyMatch(
    all.filter((candidate) => candidate.name === name),
    `load balancer named "${name}"`,
  );
}

const sshKey = {
  id: computed(integer),
  name: computed(string),
  publicKey: computed(string),
  fingerprint: computed(string),
};

function sshKeyState({ id, name, public_key: publicKey, fingerprint }: ApiSshKey): PropertyMap {
  return { id, name, publicKey, fingerprint };
}

export const getSshKey: FunctionType<Client> = {
  name: "getSshKey",
  inputs: { name: required(string, { validate: [notEmpty] }) },
  outputs: sshKey,
  async call({ client }, inputs) {
    const name = text(inputs, "name");
    const keys = await client.all<ApiSshKey>("/v2/account/keys", "ssh_keys");
    return sshKeyState(
      onlyMatch(
        keys.filter((key) => key.name === name),
        `SSH key named "${name}"`,
      ),
    );
  },
};

export const getSshKeys = listFunction({
  name: "getSshKeys",
  output: "sshKeys",
  item: "SshKey",
  fields: sshKey,
  keys: ["id", "name", "public_key", "fingerprint"],
  records: async (client) => (await client.all<ApiSshKey>("/v2/account/keys", "ssh_keys")).map(sshKeyState),
});

export const getVpc: FunctionType<Client> = {
  name: "getVpc",
  inputs: {
    id: optional(string, { validate: [notEmpty] }),
    name: optional(string, { validate: [notEmpty] }),
    region: optional(string, { validate: [notEmpty] }),
  },
  outputs: {
    id: optionalComputed(string),
    name: optionalComputed(string),
    region: optionalComputed(string),
    urn: computed(string),
    description: computed(string),
    ipRange: computed(string),
    default: computed(boolean),
    createdAt: computed(string),
  },
  async call({ client }, inputs) {
    const found = await findVpc(client, inputs);
    return {
      id: found.id,
      name: found.name,
      region: found.region,
      urn: found.urn,
      description: found.description ?? "",
      ipRange: found.ip_range,
      default: found.default,
      createdAt: goTime(found.created_at),
    };
  },
};

async function findVpc(client: Client, inputs: PropertyMap): Promise<ApiVpc> {
  const given = ["id", "name", "region"].filter((key) => inputs[key] !== undefined);
  if (given.length !== 1) throw new Error("getVpc: set exactly one of id, name and region");
  const [key = ""] = given;
  const wanted = text(inputs, key);
  if (key === "id") {
    const answer = await client.find<{ vpc: ApiVpc }>(`/v2/vpcs/${wanted}`);
    if (answer === undefined) throw new Error(`no VPC with the id ${wanted} found`);
    return answer.vpc;
  }
  const vpcs = await client.all<ApiVpc>("/v2/vpcs", "vpcs");
  const found = vpcs.filter((vpc) =>
    key === "name" ? vpc.name === wanted : vpc.region === wanted && vpc.default,
  );
  return onlyMatch(found, key === "name" ? `VPC named "${wanted}"` : `default VPC in the region "${wanted}"`);
}
