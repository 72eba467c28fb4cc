// Hosts by their names, from the sandbox's folder alone: works beside the running API, and after it was killed.
import { Failure } from "../failure";
import type { Home } from "../home";
import { oneOf } from "./account";
import { hasHosts, hostModules } from "./prepare";

type Host = import("../../sandbox/hosts/host/host").Host;
type Instance = import("../../sandbox/hosts/instance").Instance;

export interface NamedHost {
  /** The droplet's name. */
  readonly name: string;
  readonly host: Host;
}

/** The sandbox's hosts and networks. Throws a Failure where its droplets are records, or this user may not enter. */
export async function openHosts(home: Home): Promise<Instance> {
  if (!hasHosts(home)) {
    throw new Failure("This sandbox has no hosts: its droplets are records, or there are none", {
      remedy: "npm start boots them, on Linux with root (npm run doctor tells what is missing).",
    });
  }
  if (process.getuid?.() !== 0) throw new Failure("Hosts are root's: run this as root");
  return hostModules.instance().openInstance(home.hostsDir);
}

/** Every host that has a disk, by name. */
export async function namedHosts(instance: Instance): Promise<NamedHost[]> {
  const { dropletsOnDisk, Host } =
    require("../../sandbox/hosts/host/host") as typeof import("../../sandbox/hosts/host/host");
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
export async function findHost(instance: Instance, wanted: string): Promise<NamedHost> {
  const all = await namedHosts(instance);
  return oneOf(
    all.map((one) => ({ ...one, id: one.host.dropletId })),
    wanted,
  );
}
