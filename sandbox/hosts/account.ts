import { createHash } from "node:crypto";
import { cidr, gatewayOf, netmask } from "../api/core/ipv4";
import { publicRange } from "../api/core/publicAddresses";
import type { Store } from "../api/core/store";
import { type CertificateFile, certificateFile, certificateTable } from "../api/resources/certificates";
import { type DropletRecord, dropletTable, readUserData } from "../api/resources/droplets/record";
import { firewallTable } from "../api/resources/firewalls";
import type { ImageRecord } from "../api/resources/images";
import { loadBalancerTable } from "../api/resources/loadBalancerRecord";
import { reservedIpTable } from "../api/resources/reservedIps";
import { findSshKey } from "../api/resources/sshKeys";
import { volumeTable } from "../api/resources/volumes";
import { vpcTable } from "../api/resources/vpcs";
import { DEFAULT_TTL, domainTable, recordsOf } from "../api/resources/zones";
import type { Balancer, Certificate, Domain, Droplet, Firewall, Volume, World } from "./world";

/** The account's records in the driver's terms. Tags are compared without case, as at DigitalOcean. */
export function worldOf(store: Store): World {
  return {
    droplets: dropletTable(store)
      .values()
      .map((record) => dropletOf(store, record)),
    vpcs: vpcTable(store)
      .values()
      .map(({ id, ip_range }) => ({ id, ip_range })),
    firewalls: firewallsOf(store),
    balancers: balancersOf(store),
    certificates: certificatesOf(store),
    domains: domainsOf(store),
    volumes: volumesOf(store),
    reservedIps: reservedIpTable(store).values(),
  };
}

const lower = (tag: string): string => tag.toLowerCase();

export function dropletOf(store: Store, record: DropletRecord): Droplet {
  const vpc = vpcTable(store).get(record.vpc_uuid);
  const { public_ipv4 } = record;
  const keys = record.ssh_keys.map((id) => findSshKey(store, id)?.public_key);
  const inside = vpc && cidr(vpc.ip_range);
  const outside = publicRange(record.region);
  return {
    id: record.id,
    name: record.name,
    region: record.region,
    snapshot: snapshotOf(record.image),
    tags: record.tags.map(lower),
    userData: readUserData(store, record.id),
    sshKeys: keys.filter((key) => key !== undefined),
    vpcId: record.vpc_uuid,
    public: public_ipv4
      ? { ip_address: public_ipv4, netmask: netmask(outside), gateway: gatewayOf(outside) }
      : undefined,
    private: inside && {
      ip_address: record.private_ipv4,
      netmask: netmask(inside),
      gateway: gatewayOf(inside),
    },
  };
}

/** The disk of a droplet's snapshot. Its image gets its number only when the action has completed. */
export const snapshotName = (dropletId: number, name: string): string =>
  `${dropletId}-${createHash("sha256").update(name).digest("hex").slice(0, 16)}`;

/** The snapshot of an image; undefined for an image from the catalogue, which the base image replaces. */
export const snapshotOf = ({ droplet_id, name }: ImageRecord): string | undefined =>
  droplet_id === null ? undefined : snapshotName(droplet_id, name);

function firewallsOf(store: Store): Firewall[] {
  return firewallTable(store)
    .values()
    .map(({ id, name, droplet_ids, tags, inbound, outbound }) => ({
      id,
      name,
      droplet_ids,
      tags: tags.map(lower),
      inbound_rules: inbound.map(({ peers, ...rule }) => ({ ...rule, sources: lowerTags(peers) })),
      outbound_rules: outbound.map(({ peers, ...rule }) => ({ ...rule, destinations: lowerTags(peers) })),
    }));
}

const lowerTags = <P extends { readonly tags?: readonly string[] }>(peers: P) => ({
  ...peers,
  tags: (peers.tags ?? []).map(lower),
});

function balancersOf(store: Store): Balancer[] {
  return loadBalancerTable(store)
    .values()
    .filter(({ type }) => type === "REGIONAL")
    .map(({ vpc_uuid, tag, ...record }) => ({
      ...record,
      vpcId: vpc_uuid,
      tag: tag === "" ? undefined : lower(tag),
    }));
}

function certificatesOf(store: Store): Certificate[] {
  return certificateTable(store)
    .values()
    .flatMap(({ id, name, type, dns_names }): Certificate[] => {
      if (type === "lets_encrypt") return [{ id, name, type, domains: dns_names }];
      const text = store.readFile(certificateFile(id));
      if (text === undefined) return [];
      const { leaf_certificate, certificate_chain, private_key } = JSON.parse(text) as CertificateFile;
      return [
        { id, name, type, certificate: leaf_certificate, chain: certificate_chain, privateKey: private_key },
      ];
    });
}

function domainsOf(store: Store): Domain[] {
  return domainTable(store)
    .values()
    .map(({ name }) => ({
      name,
      ttl: DEFAULT_TTL,
      records: recordsOf(store, name).filter(({ type }) => type !== "SOA"),
    }));
}

function volumesOf(store: Store): Volume[] {
  return volumeTable(store)
    .values()
    .map(({ id, name, size_gigabytes, filesystem_type, filesystem_label, droplet_id }) => ({
      id,
      name,
      size_gigabytes,
      filesystem_type,
      filesystem_label,
      droplet_ids: droplet_id === null ? [] : [droplet_id],
    }));
}
