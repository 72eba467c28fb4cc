import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";

/** Cuts the power of some hosts at once. */
export async function powerCut(world: World, hosts: readonly WorldHost[]): Promise<void> {
  await Promise.all(hosts.map((host) => world.powerOff(host)));
}

/** Switches some hosts on at once. */
export async function powerBack(world: World, hosts: readonly WorldHost[]): Promise<void> {
  await Promise.all(hosts.map((host) => world.powerOn(host)));
}
