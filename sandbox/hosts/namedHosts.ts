// Finds hosts by name in the sandbox's folder. This works next to the running API, and after it was killed.
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

/**
 * The sandbox's hosts and networks. Throws a Failure if its droplets are only records, or this user has no access.
 */
export async function openHosts(sandbox: Sandbox): Promise<Instance> {
  if (!hasHosts(sandbox)) {
    const { startHosts, examine } = sandbox.calls;
    throw new Failure("This sandbox has no hosts: its droplets are only records, or there are none", {
      remedy: `To boot them, run ${startHosts} on Linux as root (to see what is missing, run ${examine}).`,
    });
  }
  if (process.getuid?.() !== 0) throw new Failure("Only root can access hosts. Run this command as root");
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
 * The host with a droplet's name or id, or a unique end of a name: "node-1" for "dev-node-1". Throws a Failure (exit
 * code 2) that lists the hosts.
 */
export async function findHost(instance: Instance, wanted: string, calls: Calls): Promise<NamedHost> {
  const all = await namedHosts(instance);
  return oneOf(
    all.map((one) => ({ ...one, id: one.host.dropletId })),
    wanted,
    calls,
  );
}
