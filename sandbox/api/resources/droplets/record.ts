import type { Api } from "../../core/api";
import { notFound } from "../../core/errors";
import { type ApiRequest, param } from "../../core/http";
import { type Cidr, cidr, lowestFree } from "../../core/ipv4";
import { publicRange } from "../../core/publicAddresses";
import type { Store, Table } from "../../core/store";
import type { ImageRecord } from "../images";
import { lingerInVpc } from "../vpcs";

export interface BackupPolicy {
  readonly plan: "daily" | "weekly";
  /** Weekly plans only. */
  readonly weekday?: string;
  readonly hour: number;
}

/** A stored droplet. Its user data is a file of the store, and no answer contains it. */
export interface DropletRecord {
  readonly id: number;
  readonly name: string;
  readonly status: "new" | "active" | "off" | "archive";
  readonly created_at: string;
  readonly region: string;
  readonly size: string;
  /** GiB. It differs from the size's disk after a resize without the disk. */
  readonly disk: number;
  /** A copy, because the droplet still shows its image after the image was deleted. */
  readonly image: ImageRecord;
  readonly vpc_uuid: string;
  readonly private_ipv4: string;
  /** null without public networking. */
  readonly public_ipv4: string | null;
  readonly ipv6: boolean;
  /** Ids; the keys may be deleted from the account later. */
  readonly ssh_keys: readonly number[];
  readonly tags: readonly string[];
  readonly monitoring: boolean;
  readonly droplet_agent: boolean;
  /** null: no backups. */
  readonly backup_policy: BackupPolicy | null;
}

export const dropletTable = (store: Store): Table<DropletRecord> => store.table<DropletRecord>("droplets");

export const findDroplet = (store: Store, id: number | string): DropletRecord | undefined =>
  dropletTable(store).get(id);

/** The droplet in the path (`:droplet`). Throws 404. */
export function wantedDroplet(store: Store, request: ApiRequest): DropletRecord {
  const droplet = findDroplet(store, param(request, "droplet"));
  if (!droplet) throw notFound();
  return droplet;
}

export function changeDroplet(store: Store, id: number | string, change: Partial<DropletRecord>): void {
  const droplet = findDroplet(store, id);
  if (droplet) dropletTable(store).put(id, { ...droplet, ...change });
}

/** The name of the store's file with a droplet's user data. */
const userDataFile = (id: number): string => `user-data-${id}`;

/** The user data of a droplet, for a host driver; undefined if there is none. */
export const readUserData = (store: Store, id: number): string | undefined =>
  store.readFile(userDataFile(id));

export function saveUserData(store: Store, id: number, userData: string): void {
  store.putFile(userDataFile(id), userData);
}

/** Removes a droplet and everything that belongs only to it. */
export function deleteDroplet(api: Api, droplet: DropletRecord): void {
  api.actions.abandon("droplet", droplet.id);
  dropletTable(api.store).delete(droplet.id);
  api.store.deleteFile(userDataFile(droplet.id));
  api.actions.start(
    { type: "destroy", resource_type: "droplet", resource_id: droplet.id, region_slug: droplet.region },
    true,
  );
  lingerInVpc(api, "droplet", { ...droplet, id: String(droplet.id) });
  api.deleted("droplet", droplet.id);
  api.changed({ kind: "droplet_deleted", dropletId: droplet.id });
}

/** A free address of the VPC; undefined if the VPC is full. */
export function freePrivateAddress(store: Store, vpc: { id: string; ip_range: string }): string | undefined {
  const inVpc = dropletTable(store)
    .values()
    .filter(({ vpc_uuid }) => vpc_uuid === vpc.id);
  return free(
    cidr(vpc.ip_range),
    inVpc.map(({ private_ipv4 }) => private_ipv4),
  );
}

export function freePublicAddress(store: Store, region: string): string | undefined {
  const addresses = dropletTable(store)
    .values()
    .map(({ public_ipv4 }) => public_ipv4 ?? "");
  return free(publicRange(region), addresses);
}

const free = (range: Cidr, used: readonly string[]): string | undefined => lowestFree(range, new Set(used));
