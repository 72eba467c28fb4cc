import { createHash } from "node:crypto";
import { mkdir, realpath } from "node:fs/promises";
import { join } from "node:path";

/** One sandbox on this machine: the paths of its files, and the names of its kernel objects. */
export interface Instance {
  /** Prefix of every name that is shared on the machine (namespaces, cgroups, machines): "sw" and six hex digits. */
  readonly id: string;
  /** Contains everything; mode 0700, because user data and keys are in it. */
  readonly dir: string;
}

/**
 * The instance of a state directory, which is created if it is absent. The same directory has the same names after a
 * restart; two directories never share one.
 */
export async function openInstance(dir: string): Promise<Instance> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const path = await realpath(dir);
  if (/[:,\\\s]/.test(path)) {
    throw new Error(`${path}: hosts cannot be in a path with spaces, colons, commas or backslashes`);
  }
  return { id: `sw${createHash("sha256").update(path).digest("hex").slice(0, 6)}`, dir: path };
}

/** The folder of a droplet's disk and console. */
export const hostDir = (instance: Instance, dropletId: number): string =>
  join(instance.dir, "droplets", String(dropletId));

/** Disks of snapshots, by their id. */
export const snapshotDir = (instance: Instance, snapshotId: string): string =>
  join(instance.dir, "snapshots", snapshotId);

/** Namespace of a droplet: contains its interfaces while it runs. */
export const dropletNamespace = (instance: Instance, dropletId: number): string =>
  `${instance.id}-d${dropletId}`;

/** Namespace of a VPC's router, which joins the private addresses. */
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
