import type { Api } from "../core/api";
import type { Store, Table } from "../core/store";
import { certificateTable } from "./certificates";
import type { LoadBalancerRecord } from "./loadBalancerRecord";
import { addRecord, managedDomain, recordsOf, recordTable } from "./zones";

/** The A records that a load balancer has created, by the load balancer's id. */
interface SiteRecords {
  readonly ids: readonly number[];
}

const siteRecordTable = (store: Store): Table<SiteRecords> =>
  store.table<SiteRecords>("load_balancer_records");

/**
 * Points the names of a load balancer's Let's Encrypt certificates to it, as DigitalOcean does unless it is disabled.
 * A name that already has an address (or an alias) keeps it.
 */
export function addSiteRecords(api: Api, balancer: LoadBalancerRecord): void {
  if (balancer.disable_lets_encrypt_dns_records) return;
  const names = balancer.forwarding_rules
    .map(({ certificate_id }) => certificateTable(api.store).get(certificate_id))
    .flatMap((certificate) => (certificate?.type === "lets_encrypt" ? certificate.dns_names : []));
  const made = [...new Set(names)].flatMap((fqdn) => pointAt(api.store, fqdn, balancer.ip) ?? []);
  if (made.length === 0) return;
  const before = siteRecordTable(api.store).get(balancer.id)?.ids ?? [];
  siteRecordTable(api.store).put(balancer.id, { ids: [...before, ...made] });
  api.changed({ kind: "domains" });
}

/** Removes the records that `addSiteRecords` created for a load balancer. */
export function removeSiteRecords(api: Api, balancerId: string): void {
  const made = siteRecordTable(api.store).get(balancerId);
  if (!made) return;
  for (const id of made.ids) recordTable(api.store).delete(id);
  siteRecordTable(api.store).delete(balancerId);
  api.changed({ kind: "domains" });
}

function pointAt(store: Store, fqdn: string, ip: string): number | undefined {
  const domain = managedDomain(store, fqdn.replace(/^\*\./, ""))?.name;
  if (domain === undefined) return undefined;
  const name = fqdn === domain ? "@" : fqdn.slice(0, -domain.length - 1);
  const taken = recordsOf(store, domain).some(
    (record) => record.name === name && ["A", "AAAA", "CNAME"].includes(record.type),
  );
  return taken ? undefined : addRecord(store, { domain, type: "A", name, data: ip }).id;
}
