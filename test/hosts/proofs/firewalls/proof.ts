/**
 * The proof of the firewalls: the cloud's and the hosts' own together, each without the other, and without both, where
 * everything is open. The tables are written by hand from design.md and not derived from the program's own matrix.
 */
import assert from "node:assert/strict";
import { clientNamespace } from "../../../../sandbox/hosts/instance";
import { CLIENT_ADDRESS } from "../../../../sandbox/hosts/network/addresses";
import { ip } from "../../../../sandbox/hosts/network/namespace";
import { waitFor } from "../../../waitFor";
import type { World } from "../../world/world";
import {
  listenOn,
  listenOnInternet,
  type Matrix,
  measure,
  type Places,
  PORTS,
  sorted,
  sourceOf,
  stopListening,
} from "./matrix";
import { Outsiders } from "./outsiders";

export const OPERATORS_ADDRESS = "192.0.2.77";

/** What is open, by which of the protections stands. */
export interface Expected {
  readonly both: Matrix;
  readonly cloudAlone: Matrix;
  readonly hostsAlone: Matrix;
}

interface Firewall {
  readonly id: string;
  readonly tags: readonly string[];
  readonly name: string;
  readonly inbound_rules: readonly object[];
  readonly outbound_rules: readonly object[];
}

/** Registers the tests. `targets` and `asking` name hosts: those that are probed, and those that probe, by role. */
export function firewallProof(
  world: () => World,
  hosts: { readonly targets: readonly string[]; readonly asking: Readonly<Record<string, string>> },
  expected: Expected,
): void {
  let outsiders: Outsiders;
  let firewalls: readonly Firewall[];
  let stopInternet: () => Promise<void>;
  let places: Places;

  before("listeners, a foreign host in the VPC and one in another", async () => {
    outsiders = await Outsiders.create(world());
    await ip(clientNamespace(world().instance), [`addr replace ${OPERATORS_ADDRESS}/32 dev eth0`]);
    await Promise.all(hosts.targets.map((name) => listenOn(world().host(name))));
    stopInternet = await listenOnInternet(world());
    ({ firewalls } = await world().account.call<{ firewalls: Firewall[] }>("GET", "firewalls?per_page=200"));
    places = await findPlaces();
  });

  after(async () => {
    await stopInternet?.();
    await Promise.all(hosts.targets.map((name) => stopListening(world().host(name))));
    await ip(clientNamespace(world().instance), [`addr del ${OPERATORS_ADDRESS}/32 dev eth0`]);
    await outsiders?.remove();
  });

  async function findPlaces(): Promise<Places> {
    const { load_balancers } = await world().account.call<{ load_balancers: { id: string }[] }>(
      "GET",
      "load_balancers",
    );
    const asking = Object.entries(hosts.asking).map(
      ([role, name]) => [role, sourceOf.droplet(world(), world().host(name).identity.dropletId)] as const,
    );
    const targets = hosts.targets.flatMap((name) => [
      [`${name} private`, world().host(name).privateIp] as const,
      [`${name} public`, world().host(name).publicIp] as const,
    ]);
    return {
      sources: {
        internet: sourceOf.internet(world()),
        operators: sourceOf.operators(world(), OPERATORS_ADDRESS),
        balancer: sourceOf.balancer(world(), load_balancers[0]!.id),
        neighbour: sourceOf.droplet(world(), outsiders.neighbourId),
        stranger: sourceOf.droplet(world(), outsiders.strangerId),
        ...Object.fromEntries(asking),
      },
      targets: { ...Object.fromEntries(targets), internet: CLIENT_ADDRESS },
    };
  }

  /** A busy machine may answer late, and listeners begin at their own time; what is wrong stays wrong. */
  async function comesTo(matrix: Matrix): Promise<void> {
    let found: Matrix = {};
    const wanted = sorted(matrix);
    // Whoever is not of the stack may go where he wants: that the internet answers them shows nothing.
    const guarded = Object.fromEntries(
      Object.entries(places.sources).filter(([name]) => name in hosts.asking),
    );
    const self: Record<string, string> = { ...hosts.asking, internet: "internet", operators: "internet" };
    const look = async () => {
      const { internet = "", ...others } = places.targets;
      const inward = await measure({ ...places, targets: others }, self);
      const outward = await measure({ sources: guarded, targets: { internet } }, self);
      found = sorted({ ...inward, ...outward });
      try {
        assert.deepEqual(found, wanted);
        return true;
      } catch {
        return false;
      }
    };
    await waitFor("the matrix", look, { within: 20 }).catch(() => {});
    assert.deepEqual(found, wanted);
  }

  const flushHosts = () =>
    Promise.all(world().hosts.map((host) => host.run("nft delete table inet secured_web")));
  const restoreHosts = () => Promise.all(world().hosts.map((host) => host.run("systemctl restart nftables")));
  // A firewall closes what no firewall opens: the operators' alone would cut the hosts off from each other meanwhile.
  const operatorsFirst = () =>
    [...firewalls].sort((a, b) => a.outbound_rules.length - b.outbound_rules.length);
  const setTags = async (list: readonly Firewall[], tagsOf: (firewall: Firewall) => readonly string[]) => {
    for (const firewall of list) {
      const { id, name, inbound_rules, outbound_rules } = firewall;
      const body = { name, inbound_rules, outbound_rules, droplet_ids: [], tags: tagsOf(firewall) };
      await world().account.call("PUT", `firewalls/${id}`, body);
    }
  };
  const removeCloud = () => setTags(operatorsFirst(), () => []);
  const restoreCloud = () => setTags(operatorsFirst().reverse(), ({ tags }) => tags);

  it("are open where design.md says, and closed everywhere else", () => comesTo(expected.both));

  it("hold with the hosts' own nftables flushed", async () => {
    try {
      await flushHosts();
      await comesTo(expected.cloudAlone);
    } finally {
      await restoreHosts();
    }
  });

  it("hold on the hosts themselves with the cloud firewalls removed; and without both the same probes find all open", async () => {
    try {
      await removeCloud();
      await comesTo(expected.hostsAlone);
      await flushHosts();
      const everybody = Object.keys(places.sources);
      const inside = everybody.filter((name) => !["internet", "operators", "stranger"].includes(name));
      const open = (sources: readonly string[], target: string) =>
        Object.fromEntries(
          PORTS.map((port) => [port, sources.filter((name) => hosts.asking[name] !== target)]),
        );
      const rows = hosts.targets.flatMap((target) => [
        [`${target} private`, open(inside, target)] as const,
        [`${target} public`, open(everybody, target)] as const,
      ]);
      await comesTo({ ...Object.fromEntries(rows), internet: open(Object.keys(hosts.asking), "") });
    } finally {
      await restoreHosts();
      await restoreCloud();
    }
  });
}
