// Handles resources that a killed engine requested but did not record. The state then contains a "creating" operation
// without an id. The sandbox looks up what its API created for such a request by distinguishing properties, and
// deletes it, so that the next run creates it once and nothing is left over. Such a resource contains no data yet,
// because no state knows it. In a real account this is not done: see recovery.ts.

import { type ApiAccess, listAll, request } from "../../sandbox/index";
import { describeResource } from "./journal";
import type { StoredResource, StoredStack } from "./stateFile";

type Item = Record<string, unknown>;
type Inputs = Record<string, unknown>;

interface Lookup {
  /** The list to search, and the property of its answer that contains it. */
  readonly list: (inputs: Inputs) => readonly [path: string, key: string];
  /** Pairs of (property of the API's item, input of the resource) that must be equal. */
  readonly same: readonly (readonly [property: string, input: string])[];
  /** The property that identifies the item in its path; default `id`. */
  readonly id?: string;
}

const byName: Lookup["same"] = [["name", "name"]];
const LOOKUPS: Readonly<Record<string, Lookup>> = {
  "digitalocean:index/droplet:Droplet": { list: () => ["/v2/droplets", "droplets"], same: byName },
  "digitalocean:index/vpc:Vpc": { list: () => ["/v2/vpcs", "vpcs"], same: byName },
  "digitalocean:index/loadBalancer:LoadBalancer": {
    list: () => ["/v2/load_balancers", "load_balancers"],
    same: byName,
  },
  "digitalocean:index/firewall:Firewall": { list: () => ["/v2/firewalls", "firewalls"], same: byName },
  "digitalocean:index/certificate:Certificate": {
    list: () => ["/v2/certificates", "certificates"],
    same: byName,
  },
  "digitalocean:index/domain:Domain": { list: () => ["/v2/domains", "domains"], same: byName, id: "name" },
  "digitalocean:index/dnsRecord:DnsRecord": {
    list: ({ domain }) => [`/v2/domains/${domain}/records`, "domain_records"],
    same: [
      ["name", "name"],
      ["type", "type"],
      ["data", "value"],
    ],
  },
  "digitalocean:index/project:Project": { list: () => ["/v2/projects", "projects"], same: byName },
  "digitalocean:index/volume:Volume": { list: () => ["/v2/volumes", "volumes"], same: byName },
  "digitalocean:index/sshKey:SshKey": { list: () => ["/v2/account/keys", "ssh_keys"], same: byName },
  "digitalocean:index/spacesKey:SpacesKey": {
    list: () => ["/v2/spaces/keys", "keys"],
    same: byName,
    id: "access_key",
  },
  "digitalocean:index/monitorAlert:MonitorAlert": {
    list: () => ["/v2/monitoring/alerts", "policies"],
    same: [["description", "description"]],
    id: "uuid",
  },
  "digitalocean:index/uptimeCheck:UptimeCheck": { list: () => ["/v2/uptime/checks", "checks"], same: byName },
  "digitalocean:index/uptimeAlert:UptimeAlert": {
    list: ({ checkId }) => [`/v2/uptime/checks/${checkId}/alerts`, "alerts"],
    same: byName,
  },
};

/** The engine and the API use the same clock; the API's times are in whole seconds. */
const CLOCK_SLACK_MS = 2_000;

/**
 * Deletes what the API created for operations that the state only knows as started. Returns descriptions of what it
 * deleted.
 */
export async function deleteOrphans(api: ApiAccess, state: StoredStack): Promise<string[]> {
  const deleted: string[] = [];
  for (const { resource, type } of state.pending) {
    if (type === "creating") deleted.push(...(await deleteOrphansOf(api, state, resource)));
  }
  return deleted;
}

async function deleteOrphansOf(
  api: ApiAccess,
  state: StoredStack,
  resource: StoredResource,
): Promise<string[]> {
  const lookup = LOOKUPS[resource.type];
  if (lookup === undefined) return [];
  const inputs = resource.inputs ?? {};
  const [path, key] = lookup.list(inputs);
  const known = new Set(state.resources.filter(({ type }) => type === resource.type).map(({ id }) => id));
  const orphans = (await itemsOf(api, path, key)).filter(
    (item) => matches(lookup, item, inputs) && !isKnown(item, known) && isFresh(item, state.savedAt),
  );
  for (const orphan of orphans) {
    const id = String(orphan[lookup.id ?? "id"]);
    const { status } = await request(api, "DELETE", `${path}/${encodeURIComponent(id)}`);
    if (status >= 300 && status !== 404) throw new Error(`DELETE ${path}/${id} answered ${status}`);
  }
  return orphans.map((orphan) => `${describeResource(resource.urn)} (${orphan[lookup.id ?? "id"]})`);
}

/** Empty if the parent of the list no longer exists. */
async function itemsOf(api: ApiAccess, path: string, key: string): Promise<Item[]> {
  try {
    return await listAll(api, path, key);
  } catch (error) {
    if (error instanceof Error && error.message.endsWith("404")) return [];
    throw error;
  }
}

function matches({ same }: Lookup, item: Item, inputs: Inputs): boolean {
  return same.every(([property, input]) => inputs[input] !== undefined && item[property] === inputs[input]);
}

/** A certificate's id is its name in the state, and a UUID in the API. */
function isKnown(item: Item, known: ReadonlySet<string | undefined>): boolean {
  return ["id", "uuid", "name", "access_key"].some(
    (property) => item[property] !== undefined && known.has(String(item[property])),
  );
}

/** A resource that is older than the operation belongs to someone else, even with the same name. */
function isFresh(item: Item, savedAt: number): boolean {
  const created = item.created_at;
  return typeof created !== "string" || Date.parse(created) >= savedAt - CLOCK_SLACK_MS;
}
