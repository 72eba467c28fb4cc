// Zones that a destroyed stack had created. The program keeps them (infra/components/edge.ts), because DigitalOcean
// deletes a zone with all of its records, also those of others.
import { type ApiAccess, listAll, request } from "../../sandbox/index";
import { Failure } from "../failure";
import type { StoredStack } from "./stateFile";

/** The names of the zones that a stack has created. */
export function zonesOf({ resources }: StoredStack): string[] {
  return resources.flatMap(({ type, id }) =>
    type === "digitalocean:index/domain:Domain" && id !== undefined ? [id] : [],
  );
}

/** A zone of a destroyed stack. */
export interface LeftZone {
  readonly zone: string;
  /** Its records of others, such as "MX @". Without any, the zone was deleted. */
  readonly others: readonly string[];
}

/** Deletes the zones that contain only the records that DigitalOcean puts into each zone. */
export async function deleteEmptyZones(api: ApiAccess, zones: readonly string[]): Promise<LeftZone[]> {
  const left: LeftZone[] = [];
  for (const zone of zones) {
    const path = `/v2/domains/${encodeURIComponent(zone)}`;
    const found = await request(api, "GET", path);
    if (found.status === 404) continue;
    if (found.status !== 200) throw zoneFailure(`GET ${path}`, found.status);
    const records = await listAll(api, `${path}/records`, "domain_records");
    const others = records.filter(({ type, name }) => type !== "SOA" && !(type === "NS" && name === "@"));
    left.push({ zone, others: [...new Set(others.map(({ type, name }) => `${type} ${name}`))].sort() });
    if (others.length > 0) continue;
    const deleted = await request(api, "DELETE", path);
    if (deleted.status !== 204 && deleted.status !== 404) throw zoneFailure(`DELETE ${path}`, deleted.status);
  }
  return left;
}

function zoneFailure(what: string, status: number): Failure {
  return new Failure(`The DigitalOcean API answers ${status} to ${what}`, {
    remedy: "All other resources are deleted. Delete the zone in the control panel (Networking, Domains).",
  });
}
