/**
 * The allowed connections: the only source for the cloud firewalls (components/firewalls.ts) and for the nftables
 * rules on each host (userdata). Pure.
 */
import type { Role } from "./topology";

/** The other end of a connection. */
export type Peer =
  | { readonly kind: "internet" }
  | { readonly kind: "load-balancer" }
  | { readonly kind: "role"; readonly role: Role }
  | { readonly kind: "networks"; readonly networks: readonly string[] };

export interface FirewallRule {
  readonly protocol: "tcp" | "udp" | "icmp";
  /** Absent for ICMP. */
  readonly port?: number;
  readonly peer: Peer;
  readonly why: string;
}

/** The inbound and outbound rules of a firewall; everything else is closed. */
export interface FirewallRules {
  readonly inbound: readonly FirewallRule[];
  readonly outbound: readonly FirewallRule[];
}

const internet: Peer = { kind: "internet" };

const commonOutbound: readonly FirewallRule[] = [
  { protocol: "udp", port: 53, peer: internet, why: "DNS" },
  { protocol: "tcp", port: 53, peer: internet, why: "DNS, long answers" },
  { protocol: "udp", port: 123, peer: internet, why: "NTP" },
  { protocol: "tcp", port: 80, peer: internet, why: "packages" },
  { protocol: "tcp", port: 443, peer: internet, why: "packages and the monitoring agent" },
  { protocol: "icmp", peer: internet, why: "path MTU discovery and ping" },
];

const toDatabases: FirewallRule = {
  protocol: "tcp",
  port: 3306,
  peer: { kind: "role", role: "database" },
  why: "MySQL, encrypted; between database hosts also the group's own traffic",
};

/** The rules of the firewall for a role. A host with two roles has the rules of both. */
export function firewallRules(role: Role): FirewallRules {
  if (role === "web") {
    return {
      inbound: [
        { protocol: "tcp", port: 443, peer: { kind: "load-balancer" }, why: "HTTPS from the load balancer" },
      ],
      outbound: [...commonOutbound, toDatabases],
    };
  }
  const fromRole = (from: Role): FirewallRule => ({
    protocol: "tcp",
    port: 3306,
    peer: { kind: "role", role: from },
    why: `MySQL from ${from} hosts`,
  });
  return { inbound: [fromRole("web"), fromRole("database")], outbound: [...commonOutbound, toDatabases] };
}

/** SSH from the operators' networks. Without networks there is no rule, so SSH is closed. */
export function operatorRules(networks: readonly string[]): FirewallRules {
  if (networks.length === 0) return { inbound: [], outbound: [] };
  return {
    inbound: [
      { protocol: "tcp", port: 22, peer: { kind: "networks", networks }, why: "SSH from the operators" },
    ],
    outbound: [],
  };
}
