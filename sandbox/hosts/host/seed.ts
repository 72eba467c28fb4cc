import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DNS_ADDRESS } from "../network/addresses";
import { macOf } from "../network/fabric";
import type { Droplet, Interface } from "../world";

/**
 * The folder in which cloud-init's ConfigDrive source looks for a drive that is a folder (DataSourceConfigDrive.py).
 */
const SEED = "var/lib/cloud/seed/config_drive/openstack/latest";

/**
 * The vendor data of every droplet, as at DigitalOcean: root logs in with the account's SSH keys, and cloud-init
 * writes /etc/hosts.
 */
const VENDOR_DATA = "#cloud-config\ndisable_root: false\nmanage_etc_hosts: true\n";

/** Writes a droplet's ConfigDrive into its disk (`upper`, while it is not mounted). */
export async function writeSeed(upper: string, droplet: Droplet, instanceId: string): Promise<void> {
  const folder = join(upper, SEED);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const write = (name: string, text: string) => writeFile(join(folder, name), text, { mode: 0o600 });
  await write("meta_data.json", JSON.stringify(metaData(droplet, instanceId)));
  await write("network_data.json", JSON.stringify(networkData(droplet)));
  await write("vendor_data.json", JSON.stringify(VENDOR_DATA));
  await write("user_data", droplet.userData ?? "");
}

function metaData(droplet: Droplet, instanceId: string): object {
  return {
    uuid: instanceId,
    hostname: droplet.name,
    name: droplet.name,
    public_keys: Object.fromEntries(droplet.sshKeys.map((key, index) => [`key-${index}`, key])),
  };
}

/** OpenStack's network_data.json: the public interface has the default route, both are static. */
export function networkData(droplet: Droplet): object {
  const link = (id: string, kind: "public" | "private") => ({
    id,
    type: "phy",
    ethernet_mac_address: macOf(droplet.id, kind),
    mtu: 1500,
  });
  const network = (id: string, { ip_address, netmask }: Interface, more: object) => ({
    id: `network-${id}`,
    type: "ipv4",
    link: id,
    ip_address,
    netmask,
    ...more,
  });
  // Only the public interface lists the resolver: if an interface lists a resolver that it cannot reach,
  // systemd-resolved takes five seconds for each name that does not exist.
  const outward = (gateway: string) => ({
    routes: [{ network: "0.0.0.0", netmask: "0.0.0.0", gateway }],
    dns_nameservers: [DNS_ADDRESS],
  });
  const outside = droplet.public;
  const inside = droplet.private;
  return {
    links: [...(outside ? [link("eth0", "public")] : []), ...(inside ? [link("eth1", "private")] : [])],
    networks: [
      ...(outside ? [network("eth0", outside, outward(outside.gateway))] : []),
      ...(inside ? [network("eth1", inside, {})] : []),
    ],
    services: [],
  };
}
