import { type Cidr, cidr, gatewayOf, netmask } from "../../core/ipv4";
import { publicIpv6, publicRange } from "../../core/publicAddresses";
import { OPEN_REGIONS, regionObject } from "../../core/regions";
import { findSize, sizeObject } from "../../core/sizes";
import type { Store } from "../../core/store";
import { imageObject, imageTable } from "../images";
import { volumesOf } from "../volumes";
import { vpcTable } from "../vpcs";
import { nextBackupWindow } from "./backups";
import type { DropletRecord } from "./record";

/** The droplet in the API's format. No field contains its user data, as at DigitalOcean. */
export function dropletObject(store: Store, droplet: DropletRecord): object {
  const size = findSize(droplet.size);
  if (!size)
    throw new Error(`droplet ${droplet.id} has the size ${droplet.size}, which is not in the catalogue`);
  const made = imageTable(store)
    .values()
    .filter(({ droplet_id }) => droplet_id === droplet.id);
  return {
    id: droplet.id,
    name: droplet.name,
    memory: size.memory,
    vcpus: size.vcpus,
    disk: droplet.disk,
    disk_info: [{ type: "local", size: { amount: droplet.disk, unit: "gib" } }],
    // Only DigitalOcean's staff locks droplets; a pending action does not (droplet_kit, issue 218).
    locked: false,
    status: droplet.status,
    kernel: null,
    created_at: droplet.created_at,
    features: features(droplet),
    backup_ids: made.filter(({ type }) => type === "backup").map(({ id }) => id),
    next_backup_window: nextBackupWindow(droplet.backup_policy),
    snapshot_ids: made.filter(({ type }) => type === "snapshot").map(({ id }) => id),
    image: imageObject(droplet.image),
    volume_ids: volumesOf(store, droplet.id).map(({ id }) => id),
    size: sizeObject(size, OPEN_REGIONS),
    size_slug: droplet.size,
    // An address is shown if a machine answers to it.
    networks: droplet.status === "new" ? { v4: [], v6: [] } : networks(store, droplet),
    region: regionObject(droplet.region),
    tags: droplet.tags,
    vpc_uuid: droplet.vpc_uuid,
  };
}

/** The order has no meaning. The official provider reads `backups`, `ipv6` and `monitoring` from here. */
function features(droplet: DropletRecord): string[] {
  const present: [string, boolean][] = [
    ["backups", droplet.backup_policy !== null],
    ["monitoring", droplet.monitoring],
    ["droplet_agent", droplet.droplet_agent],
    ["ipv6", droplet.ipv6],
    ["private_networking", true],
  ];
  return present.filter(([, on]) => on).map(([name]) => name);
}

function networks(store: Store, droplet: DropletRecord): { v4: object[]; v6: object[] } {
  const vpc = vpcTable(store).get(droplet.vpc_uuid);
  if (!vpc) throw new Error(`droplet ${droplet.id} is in the VPC ${droplet.vpc_uuid}, which does not exist`);
  const v4 = (ip_address: string, range: Cidr, type: string) => ({
    ip_address,
    netmask: netmask(range),
    gateway: gatewayOf(range),
    type,
  });
  const { region, public_ipv4 } = droplet;
  const inside = v4(droplet.private_ipv4, cidr(vpc.ip_range), "private");
  const outside = public_ipv4 ? [v4(public_ipv4, publicRange(region), "public")] : [];
  const v6 = droplet.ipv6 ? [{ ...publicIpv6(region, droplet.id), netmask: 64, type: "public" }] : [];
  return { v4: [...outside, inside], v6 };
}
