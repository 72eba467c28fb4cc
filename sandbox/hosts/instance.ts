import { createHash } from "node:crypto";
import { mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";

/** One sandbox on this machine: where its files are, and the names under which the kernel knows its things. */
export interface Instance {
  /** Begins every name that is shared by the machine (namespaces, cgroups, machines): "sw" and six hex digits. */
  readonly id: string;
  /** Holds everything; mode 0700, because user data and keys lie in it. */
  readonly dir: string;
}

/**
 * The instance of a state directory, which is made where it is absent. The same directory gives the same names after
 * a restart; two directories never share one.
 */
export async function openInstance(dir: string): Promise<Instance> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = await realpath(dir);
  if (/[:,\\\s]/.test(path)) {
    throw new Error(`${path}: hosts cannot lie below a path with spaces, colons, commas or backslashes`);
  }
  return { id: `sw${createHash("sha256").update(path).digest("hex").slice(0, 6)}`, dir: path };
}

/** Where a droplet's disk and console are. */
export const hostDir = (instance: Instance, dropletId: number): string =>
  join(instance.dir, "droplets", String(dropletId));

/** Disks of snapshots, by their id. */
export const snapshotDir = (instance: Instance, snapshotId: string): string =>
  join(instance.dir, "snapshots", snapshotId);

/** Namespace of a droplet: holds its interfaces while it runs. */
export const dropletNamespace = (instance: Instance, dropletId: number): string =>
  `${instance.id}-d${dropletId}`;

/** Namespace of a VPC's router, where private addresses meet. */
export const vpcNamespace = (instance: Instance, vpcId: string): string =>
  `${instance.id}-v${vpcId.slice(0, 8)}`;

/** Namespace of a load balancer. */
export const balancerNamespace = (instance: Instance, balancerId: string): string =>
  `${instance.id}-b${balancerId.slice(0, 8)}`;

/** Namespace of the router between all public addresses. */
export const publicNamespace = (instance: Instance): string => `${instance.id}-public`;

/** Namespace of the provider's own services: DNS and metadata. */
export const servicesNamespace = (instance: Instance): string => `${instance.id}-services`;

/** Namespace of a client somewhere on the internet. */
export const clientNamespace = (instance: Instance): string => `${instance.id}-client`;

export const namespacePath = (name: string): string => `/run/netns/${name}`;
