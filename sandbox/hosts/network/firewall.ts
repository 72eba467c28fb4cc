import { type Droplet, type Firewall, firewallsOf, type Peers, type World } from "../world";
import { METADATA_ADDRESS } from "./addresses";
import { dropletPort } from "./fabric";

/** The addresses of each load balancer, public and private, by its id. */
export type BalancerAddresses = ReadonlyMap<string, readonly string[]>;

/**
 * The cloud firewalls as one nftables table. The public router and the routers of all VPCs use the same text, because
 * cables have the same name in all of them. Loading the text replaces the table in one transaction.
 *
 * The rules apply to every packet from the side that opened the connection, not only to the first one. So when a rule
 * is removed, its connections stop at once, and allowed connections are not affected. Answers pass by connection
 * tracking. A droplet without a firewall is open, as at DigitalOcean. Firewalls do not apply to the provider's metadata
 * address.
 */
export function firewallTable(
  world: Pick<World, "droplets" | "firewalls">,
  balancers: BalancerAddresses,
): string {
  const guarded = world.droplets
    .map((droplet) => ({ droplet, firewalls: firewallsOf(droplet, world.firewalls) }))
    .filter(({ firewalls }) => firewalls.length > 0);
  const peers = new PeerAddresses(world.droplets, balancers);
  const chains = guarded.flatMap(({ droplet, firewalls }) => [
    chain(`into_${droplet.id}`, firewalls.flatMap(inbound), "saddr", peers),
    chain(`from_${droplet.id}`, firewalls.flatMap(outbound), "daddr", peers),
  ]);
  const jump = (key: string, prefix: string) =>
    guarded.length === 0
      ? []
      : [
          `${key} vmap { ${guarded.map(({ droplet: { id } }) => `"${dropletPort(id)}" : jump ${prefix}_${id}`).join(", ")} }`,
        ];
  return [
    // Deleting fails if the table does not exist, so it is added first.
    "table inet cloud {}",
    "delete table inet cloud",
    "table inet cloud {",
    ...chains,
    "  chain forward {",
    "    type filter hook forward priority filter; policy drop;",
    "    ct state invalid drop",
    `    ip daddr ${METADATA_ADDRESS} tcp dport 80 accept`,
    "    ct direction reply ct state established,related accept",
    "    ct state related accept",
    ...[...jump("iifname", "from"), ...jump("oifname", "into")].map((rule) => `    ${rule}`),
    "    accept",
    "  }",
    "}",
    "",
  ].join("\n");
}

/**
 * The reserved IPs as a table of the public router. Packets to a reserved IP go to its droplet's own address, which is
 * the address that the firewalls see.
 */
export function reservedIpTable({ reservedIps, droplets }: Pick<World, "reservedIps" | "droplets">): string {
  const rules = reservedIps.flatMap(({ ip, droplet_id }) => {
    const own = droplets.find(({ id }) => id === droplet_id)?.public?.ip_address;
    return own ? [`    ip daddr ${ip} dnat to ${own}`] : [];
  });
  return [
    "table ip reserved {}",
    "delete table ip reserved",
    "table ip reserved {",
    "  chain prerouting {",
    "    type nat hook prerouting priority dstnat; policy accept;",
    ...rules,
    "  }",
    "}",
    "",
  ].join("\n");
}

interface Rule {
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly ports?: string | null;
  readonly action?: "allow" | "deny";
  readonly peers: Peers;
}

const inbound = (firewall: Firewall): Rule[] =>
  firewall.inbound_rules.map(({ sources, ...rule }) => ({ ...rule, peers: sources }));
const outbound = (firewall: Firewall): Rule[] =>
  firewall.outbound_rules.map(({ destinations, ...rule }) => ({ ...rule, peers: destinations }));

/**
 * A denied packet is dropped here, even if other rules allow it (Firewalls documentation, Configure Rules: deny takes
 * precedence, also between firewalls). An allowed packet continues in the chain of the other end (return). Any other
 * packet is dropped.
 */
function chain(name: string, rules: readonly Rule[], side: "saddr" | "daddr", peers: PeerAddresses): string {
  const lines = (action: Rule["action"], verdict: string) =>
    rules
      .filter((rule) => (rule.action ?? "allow") === action)
      .flatMap((rule) =>
        peers.of(rule.peers).map((address) => `    ${match(rule, address, side)} ${verdict}`),
      );
  const all = new Set([...lines("deny", "drop"), ...lines("allow", "return")]);
  return [`  chain ${name} {`, ...all, "    drop", "  }"].join("\n");
}

function match({ protocol, ports }: Rule, address: string, side: "saddr" | "daddr"): string {
  const v6 = address.includes(":");
  const who = `${v6 ? "ip6" : "ip"} ${side} ${address}`;
  if (protocol === "icmp") return `${who} meta l4proto ${v6 ? "icmpv6" : "icmp"}`;
  const all = !ports || ports === "0" || ports === "all";
  return all ? `${who} meta l4proto ${protocol}` : `${who} ${protocol} dport ${ports}`;
}

/** Resolves a rule's peers to addresses. A tag or id means both addresses of each droplet. */
class PeerAddresses {
  constructor(
    private readonly droplets: readonly Droplet[],
    private readonly balancers: BalancerAddresses,
  ) {}

  of({ addresses, droplet_ids, load_balancer_uids, tags }: Peers): string[] {
    const named = this.droplets.filter(
      (d) => droplet_ids?.includes(d.id) || tags?.some((tag) => d.tags.includes(tag)),
    );
    const ofDroplets = named.flatMap((d) => [d.public?.ip_address, d.private?.ip_address]);
    const ofBalancers = (load_balancer_uids ?? []).flatMap((id) => this.balancers.get(id) ?? []);
    return [...(addresses ?? []), ...ofDroplets, ...ofBalancers].filter((a) => a !== undefined);
  }
}
