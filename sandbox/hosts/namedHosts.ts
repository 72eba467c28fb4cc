// Hosts by their names, read from the sandbox's folder: this works beside the running API, and after it was killed.
import type { Calls } from "../calls";
import { oneOf } from "../client/account";
import { Failure } from "../failure";
import { hasHosts, type Sandbox } from "../sandbox";
import { dropletsOnDisk, Host } from "./host/host";
import { type Instance, openInstance } from "./instance";

export interface NamedHost {
  /** The droplet's name. */
  readonly name: string;
  readonly host: Host;
}

/** The sandbox's hosts and networks. Throws a Failure where its droplets are records, or this user may not enter. */
export async function openHosts(sandbox: Sandbox): Promise<Instance> {
  if (!hasHosts(sandbox)) {
    const { startHosts, examine } = sandbox.calls;
    throw new Failure("This sandbox has no hosts: its droplets are records, or there are none", {
      remedy: `${startHosts} boots them, on Linux with root (${examine} tells what is missing).`,
    });
  }
  if (process.getuid?.() !== 0) throw new Failure("Hosts are root's: run this as root");
  return openInstance(sandbox.hostsDir);
}

/** Every host that has a disk, by name. */
export async function namedHosts(instance: Instance): Promise<NamedHost[]> {
  const hosts = (await dropletsOnDisk(instance)).map((id) => new Host(instance, id));
  const named = hosts.map(async (host) => {
    const name = await host.name().catch(() => undefined); // being made or deleted
    return name === undefined ? [] : [{ name, host }];
  });
  return (await Promise.all(named)).flat().sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * The host of a droplet's name or id, or of the end of a name that only one has: "node-1" for "dev-node-1".
 * Throws a Failure (exit code 2) that names the hosts there are.
 */
export async function findHost(instance: Instance, wanted: string, calls: Calls): Promise<NamedHost> {
  const all = await namedHosts(instance);
  return oneOf(
    all.map((one) => ({ ...one, id: one.host.dropletId })),
    wanted,
    calls,
  );
}
