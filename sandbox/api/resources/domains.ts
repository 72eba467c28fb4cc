import { z } from "zod";
import type { Api } from "../core/api";
import { timestamp } from "../core/clock";
import { unprocessable } from "../core/errors";
import { type ApiRequest, created, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import type { Store } from "../core/store";
import { optional, parseBody } from "../core/validation";
import { zoneFile } from "./zoneFile";
import {
  addRecord,
  DEFAULT_TTL,
  type DomainRecord,
  domainTable,
  findDomain,
  recordsOf,
  recordTable,
} from "./zones";

const NAME_SERVERS = ["ns1.digitalocean.com", "ns2.digitalocean.com", "ns3.digitalocean.com"];

const createBody = z.object({
  name: z
    .string()
    .max(253)
    .transform((name) => name.toLowerCase())
    .refine((name) => name.includes(".") && z.hostname().safeParse(name).success, {
      error: "is not a valid domain name",
    }),
  // Go clients send "" for a missing value.
  ip_address: optional(z.union([z.ipv4(), z.literal("")], { error: "must be an IPv4 address" })),
});

/** `/v2/domains`: the zones of the account. */
export function registerDomains(api: Api): void {
  const domains = domainTable(api.store);
  const wanted = (request: ApiRequest): DomainRecord => findDomain(api.store, param(request, "domain"));

  api.addKind({ urnType: "domain", list: () => domains.values(), find: (name) => domains.get(name) });

  api.get("/v2/domains", (request) =>
    page(request, "domains", domains.values(), (domain) => domainObject(api.store, domain)),
  );

  api.post("/v2/domains", (request) => {
    const { name, ip_address } = parseBody(createBody, request.body);
    if (domains.has(name)) throw unprocessable("name already exists");
    domains.put(name, { id: name, name, created_at: timestamp() });
    const apex = { domain: name, name: "@" };
    addRecord(api.store, { ...apex, type: "SOA", data: String(DEFAULT_TTL) });
    for (const data of NAME_SERVERS) addRecord(api.store, { ...apex, type: "NS", data });
    if (ip_address) addRecord(api.store, { ...apex, type: "A", data: ip_address });
    api.changed({ kind: "domains" });
    return created({ domain: { name, ttl: DEFAULT_TTL, zone_file: null } });
  });

  api.get("/v2/domains/:domain", (request) => ok({ domain: domainObject(api.store, wanted(request)) }));

  api.delete("/v2/domains/:domain", (request) => {
    const { name } = wanted(request);
    for (const { id } of recordsOf(api.store, name)) recordTable(api.store).delete(id);
    domains.delete(name);
    api.deleted("domain", name);
    api.changed({ kind: "domains" });
    return noContent();
  });
}

const domainObject = (store: Store, { name, created_at }: DomainRecord): object => ({
  name,
  ttl: DEFAULT_TTL,
  zone_file: zoneFile(name, created_at, recordsOf(store, name)),
});
