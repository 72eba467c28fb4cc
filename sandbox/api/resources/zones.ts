import { notFound } from "../core/errors";
import type { Store, Table } from "../core/store";

export interface DomainRecord {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
}

export const domainTable = (store: Store): Table<DomainRecord> => store.table<DomainRecord>("domains");

export function findDomain(store: Store, name: string): DomainRecord {
  const domain = domainTable(store).get(name.toLowerCase());
  if (!domain) throw notFound();
  return domain;
}

/** The account's domain that contains a fully qualified name; if one domain is inside another, the longest. */
export function managedDomain(store: Store, fqdn: string): DomainRecord | undefined {
  const labels = fqdn.toLowerCase().split(".");
  const suffixes = labels.map((_label, index) => labels.slice(index).join("."));
  return suffixes.map((name) => domainTable(store).get(name)).find((domain) => domain !== undefined);
}

export const RECORD_TYPES = ["A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT"] as const;
export type RecordType = (typeof RECORD_TYPES)[number];

/** The content of a record, in the stored form: names without a trailing dot, `@` for the domain. */
export interface RecordFields {
  readonly type: RecordType;
  readonly name: string;
  readonly data: string;
  readonly priority?: number | null | undefined;
  readonly port?: number | null | undefined;
  readonly weight?: number | null | undefined;
  readonly flags?: number | null | undefined;
  readonly tag?: string | null | undefined;
  readonly ttl?: number | undefined;
}

export interface DnsRecord {
  readonly id: number;
  readonly domain: string;
  readonly type: RecordType;
  readonly name: string;
  readonly data: string;
  readonly priority: number | null;
  readonly port: number | null;
  readonly ttl: number;
  readonly weight: number | null;
  readonly flags: number | null;
  readonly tag: string | null;
}

export const DEFAULT_TTL = 1800;
export const recordTable = (store: Store): Table<DnsRecord> => store.table<DnsRecord>("domain_records");

export const recordsOf = (store: Store, domain: string): DnsRecord[] =>
  recordTable(store)
    .values()
    .filter((record) => record.domain === domain);

/** Adds a record as given. All records with the same name and type get its TTL, because they must share one. */
export function addRecord(store: Store, fields: RecordFields & { domain: string }): DnsRecord {
  const id = store.nextId("domain_record", 1_700_000_001);
  const {
    domain,
    type,
    name,
    data,
    priority = null,
    port = null,
    weight = null,
    flags = null,
    tag = null,
  } = fields;
  const ttl = fields.ttl ?? DEFAULT_TTL;
  const record = { id, domain, type, name, data, priority, port, ttl, weight, flags, tag };
  recordTable(store).put(id, record);
  shareTtl(store, record);
  return record;
}

/** RFC 2181, section 5.2. DigitalOcean gives the newest record's TTL to the older ones. */
export function shareTtl(store: Store, { id, domain, name, type, ttl }: DnsRecord): void {
  for (const other of recordsOf(store, domain)) {
    if (other.id === id || other.name !== name || other.type !== type || other.ttl === ttl) continue;
    recordTable(store).put(other.id, { ...other, ttl });
  }
}
