import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clientNamespace, namespacePath } from "../../sandbox/hosts/instance";
import { Provider, type ProviderOptions } from "../../sandbox/hosts/provider";
import { attempt, type Output } from "../../sandbox/hosts/run";
import type { Balancer, Droplet, Vpc, World } from "../../sandbox/hosts/world";

/** VPCs of the tests; their ranges overlap on purpose, because networks that are apart may. */
export const VPC: Vpc = { id: "11111111-0000-4000-8000-000000000001", ip_range: "10.10.0.0/20" };
export const FOREIGN_VPC: Vpc = { id: "22222222-0000-4000-8000-000000000002", ip_range: "10.10.0.0/20" };

export const EMPTY: World = {
  droplets: [],
  vpcs: [VPC, FOREIGN_VPC],
  firewalls: [],
  balancers: [],
  certificates: [],
  domains: [],
  volumes: [],
  reservedIps: [],
};

/** Droplet number `n` (2 to 250): its addresses end in it. */
export function droplet(n: number, values: Partial<Droplet> = {}): Droplet {
  return {
    id: 500_000_000 + n,
    name: `host-${n}`,
    region: "nyc1",
    snapshot: undefined,
    tags: [],
    userData: undefined,
    sshKeys: [],
    vpcId: VPC.id,
    public: { ip_address: `198.18.0.${n}`, netmask: "255.255.240.0", gateway: "198.18.0.1" },
    private: { ip_address: `10.10.0.${n}`, netmask: "255.255.240.0", gateway: "10.10.0.1" },
    ...values,
  };
}

export function balancer(values: Partial<Balancer> = {}): Balancer {
  return {
    id: "b1b1b1b1-0000-4000-8000-000000000001",
    name: "edge",
    ip: "203.0.113.2",
    vpcId: VPC.id,
    forwarding_rules: [
      { entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 8080 },
    ],
    health_check: {
      protocol: "http",
      port: 8080,
      path: "/health",
      check_interval_seconds: 1,
      response_timeout_seconds: 1,
      unhealthy_threshold: 2,
      healthy_threshold: 1,
    },
    sticky_sessions: { type: "none" },
    droplet_ids: [],
    tag: undefined,
    algorithm: "round_robin",
    redirect_http_to_https: false,
    enable_proxy_protocol: false,
    enable_backend_keepalive: false,
    http_idle_timeout_seconds: 60,
    disable_lets_encrypt_dns_records: false,
    tls_cipher_policy: "STRONG",
    firewall: { allow: [], deny: [] },
    ...values,
  };
}

/** A provider in a directory of its own; `destroy()` it at the end. */
export async function openProvider(options: Partial<ProviderOptions> = {}): Promise<Provider> {
  const dir = await mkdtemp(join(tmpdir(), "sw-hosts-"));
  return Provider.open({ dir, onProgress: (line) => console.log(`      ${line}`), ...options });
}

/** Runs a program as the client on the internet. */
export function asClient(
  provider: Provider,
  program: string,
  args: readonly string[],
  timeoutMs = 15_000,
): Promise<Output> {
  return attempt(
    "nsenter",
    [`--net=${namespacePath(clientNamespace(provider.instance))}`, "--", program, ...args],
    { timeoutMs },
  );
}
