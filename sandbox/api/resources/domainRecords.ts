import { z } from "zod";
import type { Api } from "../core/api";
import { notFound, unprocessable } from "../core/errors";
import { type Answer, type ApiRequest, created, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import type { Store } from "../core/store";
import { oneOf, optional, parseBody, parseQuery, text } from "../core/validation";
import { recordDataOf } from "./domainRecordData";
import {
  addRecord,
  type DnsRecord,
  findDomain,
  RECORD_TYPES,
  type RecordFields,
  type RecordType,
  recordsOf,
  recordTable,
  shareTtl,
} from "./zones";

const MIN_TTL = 30;
const MAX_TTL = 2_147_483_647; // RFC 2181, section 8

const number16 = optional(z.number().int().min(0).max(65_535));
const body = z.object({
  type: optional(z.enum(RECORD_TYPES)),
  name: z.string().max(255).optional(),
  data: z.string().max(65_535).optional(),
  priority: number16,
  port: number16,
  weight: number16,
  ttl: optional(z.number().int().min(MIN_TTL, `must be at least ${MIN_TTL} seconds`).max(MAX_TTL)),
  flags: optional(z.number().int().min(0).max(255)),
  // Go clients send "" for a missing value.
  tag: optional(z.enum(["issue", "issuewild", "iodef", ""])),
});
const createBody = body.extend({ type: z.enum(RECORD_TYPES) });
type Given = z.output<typeof body>;
const listQuery = z.object({ name: text().optional(), type: oneOf(...RECORD_TYPES).optional() });

/** `/v2/domains/NAME/records`. */
export function registerDomainRecords(api: Api): void {
  const records = recordTable(api.store);
  const path = "/v2/domains/:domain/records";
  const domainOf = (request: ApiRequest) => findDomain(api.store, param(request, "domain")).name;
  const wanted = (request: ApiRequest): DnsRecord => {
    const record = records.get(param(request, "record"));
    if (record?.domain !== domainOf(request)) throw notFound();
    return record;
  };

  api.get(path, (request) => {
    const domain = domainOf(request);
    const shown = filtered(recordsOf(api.store, domain), domain, parseQuery(listQuery, request));
    return page(request, "domain_records", shown, recordObject);
  });

  api.post(path, (request) => {
    const domain = domainOf(request);
    const given = parseBody(createBody, request.body);
    if (given.type === "SOA")
      throw unprocessable("type: a domain has one SOA record, which cannot be added to");
    const fields = fieldsOf(domain, given);
    const record = addRecord(api.store, { domain, ...fields });
    checkNeighbours(api.store, record);
    api.changed({ kind: "domains" });
    return created({ domain_record: recordObject(record) });
  });

  api.get(`${path}/:record`, (request) => ok({ domain_record: recordObject(wanted(request)) }));
  api.put(`${path}/:record`, (request) => change(api, wanted(request), request.body, asGiven));
  api.patch(`${path}/:record`, (request) => change(api, wanted(request), request.body, withDot));

  api.delete(`${path}/:record`, (request) => {
    const record = wanted(request);
    if (record.type === "SOA") throw unprocessable("the SOA record of a domain cannot be deleted");
    records.delete(record.id);
    api.changed({ kind: "domains" });
    return noContent();
  });
}

/** How a record's own data is read if a body has none. */
type OwnData = (record: DnsRecord, type: RecordType) => string;

/**
 * PUT and PATCH alike change what is given and leave the rest: DigitalOcean's clients send parts with both, and the
 * official provider a PUT without the type. But a PUT checks the data that is there as if it were given, and without
 * its dot a host name is refused: DigitalOcean does (digitalocean/doctl#919).
 */
function change(api: Api, record: DnsRecord, requestBody: unknown, ownData: OwnData): Answer {
  const given = parseBody(body, requestBody);
  const changed = record.type === "SOA" ? changedSoa(record, given) : changedRecord(record, given, ownData);
  recordTable(api.store).put(record.id, changed);
  checkNeighbours(api.store, changed);
  shareTtl(api.store, changed);
  api.changed({ kind: "domains" });
  return ok({ domain_record: recordObject(changed) });
}

function changedSoa(record: DnsRecord, { ttl, type }: Given): DnsRecord {
  if (type !== undefined && type !== "SOA") throw unprocessable("type: the SOA record of a domain stays one");
  return ttl === undefined ? record : { ...record, ttl, data: String(ttl) };
}

function changedRecord(record: DnsRecord, given: Given, ownData: OwnData): DnsRecord {
  const type = given.type ?? record.type;
  if (type === "SOA") throw unprocessable("type: a domain has one SOA record, which cannot be added to");
  const fields = fieldsOf(record.domain, {
    type,
    name: given.name ?? record.name,
    data: given.data ?? ownData(record, type),
    priority: given.priority ?? record.priority ?? undefined,
    port: given.port ?? record.port ?? undefined,
    weight: given.weight ?? record.weight ?? undefined,
    flags: given.flags ?? record.flags ?? undefined,
    tag: given.tag || (record.tag as Given["tag"]) || undefined,
    ttl: given.ttl ?? record.ttl,
  });
  const { priority = null, port = null, weight = null, flags = null, tag = null, ttl = record.ttl } = fields;
  return { ...record, ...fields, priority, port, weight, flags, tag, ttl };
}

const isHostName = ({ type, data, tag }: DnsRecord, wanted: RecordType): boolean =>
  type === wanted &&
  ["CNAME", "MX", "NS", "SRV", "CAA"].includes(type) &&
  !["@", ";"].includes(data) &&
  tag !== "iodef";

/** The stored data, in the form of a body. */
const withDot: OwnData = (record, wanted) => (isHostName(record, wanted) ? `${record.data}.` : record.data);

const asGiven: OwnData = (record, wanted) => {
  if (isHostName(record, wanted)) throw unprocessable("Data needs to end with a dot (.)");
  return record.data;
};

function fieldsOf(domain: string, given: Given & { type: RecordType }): RecordFields {
  const name = recordName(domain, given);
  const { type, ttl } = given;
  if (given.data === undefined || given.data === "") throw unprocessable("data is required");
  const data = recordDataOf(domain, type, given.data, given.tag);
  const needs = (field: "priority" | "port" | "weight" | "flags"): number => {
    const value = given[field];
    if (value === undefined) throw unprocessable(`${field} is required for a record of type ${type}`);
    return value;
  };
  const common = { type, name, data, ttl };
  if (type === "MX") return { ...common, priority: needs("priority") };
  if (type === "SRV") {
    return { ...common, priority: needs("priority"), weight: needs("weight"), port: needs("port") };
  }
  if (type === "CAA") {
    if (!given.tag) throw unprocessable("tag is required for a record of type CAA");
    return { ...common, flags: needs("flags"), tag: given.tag };
  }
  return common;
}

const LABEL = /^(\*|_?[a-z0-9]([a-z0-9_-]*[a-z0-9])?)$/;

/**
 * The name relative to the domain: a fully qualified name (with its dot) is shortened, and the domain itself is `@`.
 */
function recordName(domain: string, { name, type }: Given): string {
  if (name === undefined || name === "") {
    if (type === "MX" || type === "NS" || type === "CAA") return "@";
    throw unprocessable("name is required");
  }
  const lower = name.toLowerCase();
  if (lower === "@" || lower === `${domain}.`) return "@";
  const relative = lower.endsWith(`.${domain}.`) ? lower.slice(0, -domain.length - 2) : lower;
  const labels = relative.split(".");
  const valid = labels.every(
    (label, at) => label.length < 64 && LABEL.test(label) && (label !== "*" || at === 0),
  );
  if (!valid || relative.length + domain.length > 252) {
    throw unprocessable("name: only valid hostname characters are allowed. (a-z, A-Z, 0-9, ., _ and -)");
  }
  return relative;
}

function checkNeighbours(store: Store, record: DnsRecord): void {
  const others = recordsOf(store, record.domain).filter(
    ({ id, name }) => id !== record.id && name === record.name,
  );
  const clash = record.type === "CNAME" ? others.length > 0 : others.some(({ type }) => type === "CNAME");
  if (clash) throw unprocessable("CNAME records cannot share a name with other records");
}

function filtered(
  records: DnsRecord[],
  domain: string,
  { name, type }: z.output<typeof listQuery>,
): DnsRecord[] {
  const fqdn = (record: DnsRecord) => (record.name === "@" ? domain : `${record.name}.${domain}`);
  const wanted = name?.toLowerCase().replace(/\.$/, "");
  return records.filter((record) => (!type || record.type === type) && (!wanted || fqdn(record) === wanted));
}

const recordObject = ({ domain: _hidden, ...shown }: DnsRecord): object => shown;
