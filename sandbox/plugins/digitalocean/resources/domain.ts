import type { Problem } from "../../provider/check";
import { computed, integer, optional, optionalComputed, required, string } from "../../provider/fields";
import type { ResourceType } from "../../provider/resource";
import { atLeast, between, notEmpty, oneOf } from "../../provider/validators";
import type { PropertyMap, PropertyValue } from "../../provider/values";
import type { Client } from "../client";
import { amount, text } from "../inputs";

export interface ApiDomain {
  readonly name: string;
  readonly ttl?: number | null;
  readonly zone_file?: string | null;
}

export const domain: ResourceType<Client> = {
  name: "Domain",
  fields: {
    name: required(string, { replaces: true, validate: [notEmpty] }),
    ipAddress: optional(string, { replaces: true, validate: [notEmpty] }),
    domainUrn: computed(string),
    ttl: computed(integer),
  },

  async create({ client }, inputs) {
    const ip = text(inputs, "ipAddress");
    const body = { name: text(inputs, "name"), ...(ip === "" ? {} : { ip_address: ip }) };
    const { domain: made } = await client.post<{ domain: ApiDomain }>("/v2/domains", body);
    return { id: made.name };
  },

  async read({ client }, id) {
    const found = await client.find<{ domain: ApiDomain }>(`/v2/domains/${id}`);
    if (found === undefined) return undefined;
    const { name, ttl } = found.domain;
    return { state: { name, domainUrn: `do:domain:${name}`, ttl: ttl ?? 0 } };
  },

  async delete({ client }, id) {
    await client.remove(`/v2/domains/${id}`);
  },
};

interface ApiRecord {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly data: string;
  readonly priority?: number | null;
  readonly port?: number | null;
  readonly ttl?: number;
  readonly weight?: number | null;
  readonly flags?: number | null;
  readonly tag?: string | null;
}

/** Record types whose value is a name. The API returns it without the final dot. */
const namingTypes = new Set(["CNAME", "MX", "NS", "SRV", "CAA"]);

/** The properties that are required for a record type. */
const requiredByType: Readonly<Record<string, readonly string[]>> = {
  MX: ["priority"],
  SRV: ["priority", "weight", "port"],
  CAA: ["flags", "tag"],
};

export const dnsRecord: ResourceType<Client> = {
  name: "DnsRecord",
  fields: {
    domain: required(string, { replaces: true, validate: [notEmpty] }),
    type: required(string, {
      replaces: true,
      validate: [oneOf("A", "AAAA", "CAA", "CNAME", "MX", "NS", "TXT", "SRV", "SOA")],
    }),
    name: required(string, {
      autoname: true,
      validate: [notEmpty],
      sameAs: (input, state, inputs) => absolute(String(state), inputs) === String(input),
    }),
    value: required(string, { sameAs: sameRecordValue }),
    port: optional(integer, { validate: [between(0, 65535)] }),
    priority: optional(integer, { validate: [between(0, 65535)] }),
    weight: optional(integer, { validate: [between(0, 65535)] }),
    ttl: optionalComputed(integer, { validate: [atLeast(1)] }),
    flags: optional(integer, { validate: [between(0, 255)] }),
    tag: optional(string, { validate: [oneOf("issue", "issuewild", "iodef")] }),
    fqdn: computed(string),
  },

  problems(inputs): Problem[] {
    const type = text(inputs, "type");
    return (requiredByType[type] ?? [])
      .filter((key) => inputs[key] === undefined)
      .map((key) => ({ path: key, reason: `"${key}" is required when type is ${type}` }));
  },

  async create({ client }, inputs) {
    const path = `/v2/domains/${text(inputs, "domain")}/records`;
    const made = await client.post<{ domain_record: ApiRecord }>(path, {
      type: text(inputs, "type"),
      ...body(inputs),
    });
    return { id: String(made.domain_record.id) };
  },

  async read({ client }, id, prior) {
    const { domain: name, record } =
      prior.domain === undefined ? fromImportId(id) : { domain: text(prior, "domain"), record: id };
    const found = await client.find<{ domain_record: ApiRecord }>(`/v2/domains/${name}/records/${record}`);
    return found && { id: record, state: stateOf(found.domain_record, name) };
  },

  async update({ client }, id, inputs) {
    await client.put(`/v2/domains/${text(inputs, "domain")}/records/${id}`, body(inputs));
  },

  async delete({ client }, id, state) {
    await client.remove(`/v2/domains/${text(state, "domain")}/records/${id}`);
  },
};

/** Zero numbers are included, as in the official provider's requests. */
function body(inputs: PropertyMap): Record<string, unknown> {
  const [ttl, tag] = [amount(inputs, "ttl"), text(inputs, "tag")];
  return {
    name: text(inputs, "name"),
    data: text(inputs, "value"),
    priority: amount(inputs, "priority"),
    port: amount(inputs, "port"),
    ...(ttl === 0 ? {} : { ttl }),
    weight: amount(inputs, "weight"),
    flags: amount(inputs, "flags"),
    ...(tag === "" ? {} : { tag }),
  };
}

function stateOf(found: ApiRecord, domainName: string): PropertyMap {
  const isName = namingTypes.has(found.type) && found.data !== "@" && found.tag !== "iodef";
  const dot = isName && !found.data.endsWith(".") ? "." : "";
  return {
    domain: domainName,
    type: found.type,
    name: found.name,
    value: `${found.data}${dot}`,
    port: found.port ?? 0,
    priority: found.priority ?? 0,
    ttl: found.ttl ?? 0,
    weight: found.weight ?? 0,
    flags: found.flags ?? 0,
    tag: found.tag ?? "",
    fqdn: fullName(found.name, domainName),
  };
}

function fullName(name: string, domainName: string): string {
  if (name === "@") return domainName;
  return name.toLowerCase().endsWith(`${domainName}.`)
    ? name.toLowerCase().slice(0, -1)
    : `${name}.${domainName}`;
}

function absolute(name: string, inputs: PropertyMap): string {
  const zone = `${text(inputs, "domain")}.`;
  return name === "@" ? zone : `${name}.${zone}`;
}

/** `@` equals the domain's own name, and `www` equals `www.example.com.` */
function sameRecordValue(input: PropertyValue, state: PropertyValue, inputs: PropertyMap): boolean {
  const zone = `${text(inputs, "domain")}.`;
  return (state === "@" && input === zone) || state === `${String(input)}.${zone}`;
}

function fromImportId(id: string): { domain: string; record: string } {
  const [name = "", record = "", ...rest] = id.split(",");
  if (name === "" || !/^\d+$/.test(record) || rest.length > 0) {
    throw new Error(`to import a DNS record use "domain,id", such as "example.com,12", not "${id}"`);
  }
  return { domain: name, record };
}
