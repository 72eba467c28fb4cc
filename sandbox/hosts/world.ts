/**
 * The wanted state of the machine, in DigitalOcean's own terms. The driver translates the account's records into it,
 * and the other modules of this folder use nothing else of the account.
 */

export interface Interface {
  /** IPv4 address in DigitalOcean's form: "203.0.113.10", "255.255.255.0", "203.0.113.1". */
  readonly ip_address: string;
  readonly netmask: string;
  readonly gateway: string;
}

export interface Droplet {
  readonly id: number;
  /** Also its host name. */
  readonly name: string;
  readonly region: string;
  /**
   * The snapshot that its disk starts from (`Host.snapshot`); undefined for the base image, which replaces every slug.
   */
  readonly snapshot: string | undefined;
  readonly tags: readonly string[];
  readonly userData: string | undefined;
  /** Public SSH keys in OpenSSH's form. */
  readonly sshKeys: readonly string[];
  readonly vpcId: string;
  readonly public: Interface | undefined;
  readonly private: Interface | undefined;
}

export interface Vpc {
  readonly id: string;
  /** CIDR. */
  readonly ip_range: string;
}

/** The peers of a firewall rule. The rule applies to all of them together. */
export interface Peers {
  readonly addresses?: readonly string[] | null;
  readonly droplet_ids?: readonly number[] | null;
  readonly load_balancer_uids?: readonly string[] | null;
  readonly tags?: readonly string[] | null;
}

interface PortRule {
  readonly protocol: "tcp" | "udp" | "icmp";
  /** "22", "8000-9000", or "0", "all" or "" for every port. */
  readonly ports?: string | null;
  /** A deny rule takes precedence over the allow rules of all firewalls. Default: allow. */
  readonly action?: "allow" | "deny";
}

export interface Firewall {
  readonly id: string;
  readonly name: string;
  readonly droplet_ids: readonly number[];
  readonly tags: readonly string[];
  readonly inbound_rules: readonly (PortRule & { readonly sources: Peers })[];
  readonly outbound_rules: readonly (PortRule & { readonly destinations: Peers })[];
}

export type EntryProtocol = "http" | "https" | "http2" | "http3" | "tcp" | "udp";

export interface ForwardingRule {
  readonly entry_protocol: EntryProtocol;
  readonly entry_port: number;
  readonly target_protocol: EntryProtocol;
  readonly target_port: number;
  readonly certificate_id?: string | null;
  readonly tls_passthrough?: boolean;
}

export interface HealthCheck {
  readonly protocol: "http" | "https" | "tcp";
  readonly port: number;
  readonly path?: string | null | undefined;
  readonly check_interval_seconds: number;
  readonly response_timeout_seconds: number;
  readonly unhealthy_threshold: number;
  readonly healthy_threshold: number;
}

export interface StickySessions {
  readonly type?: "none" | "cookies";
  readonly cookie_name?: string | null;
  readonly cookie_ttl_seconds?: number | null;
}

export interface Balancer {
  readonly id: string;
  readonly name: string;
  /** Public IPv4 address. */
  readonly ip: string;
  readonly vpcId: string;
  readonly forwarding_rules: readonly ForwardingRule[];
  readonly health_check: HealthCheck;
  readonly sticky_sessions: StickySessions;
  readonly droplet_ids: readonly number[];
  readonly tag: string | undefined;
  readonly algorithm: "round_robin" | "least_connections";
  readonly redirect_http_to_https: boolean;
  readonly enable_proxy_protocol: boolean;
  readonly enable_backend_keepalive: boolean;
  readonly http_idle_timeout_seconds: number;
  readonly disable_lets_encrypt_dns_records: boolean;
  readonly tls_cipher_policy: "DEFAULT" | "STRONG";
  /** Each "ip:1.2.3.4" or "cidr:1.2.3.0/24"; an empty allow list allows all. */
  readonly firewall: { readonly allow: readonly string[]; readonly deny: readonly string[] };
}

export type Certificate = {
  readonly id: string;
  readonly name: string;
} & (
  | {
      readonly type: "custom";
      readonly certificate: string;
      readonly chain: string;
      readonly privateKey: string;
    }
  | { readonly type: "lets_encrypt"; readonly domains: readonly string[] }
);

export interface DomainRecord {
  readonly type: string;
  /** "@", or the name below the domain, without the domain. */
  readonly name: string;
  readonly data: string;
  readonly priority: number | null;
  readonly port: number | null;
  readonly weight: number | null;
  readonly flags: number | null;
  readonly tag: string | null;
  readonly ttl: number;
}

export interface Domain {
  readonly name: string;
  readonly ttl: number;
  readonly records: readonly DomainRecord[];
}

export interface Volume {
  readonly id: string;
  readonly name: string;
  readonly size_gigabytes: number;
  readonly filesystem_type: string;
  readonly filesystem_label: string;
  readonly droplet_ids: readonly number[];
}

export interface ReservedIp {
  readonly ip: string;
  readonly droplet_id: number | null;
}

export interface World {
  readonly droplets: readonly Droplet[];
  readonly vpcs: readonly Vpc[];
  readonly firewalls: readonly Firewall[];
  readonly balancers: readonly Balancer[];
  readonly certificates: readonly Certificate[];
  readonly domains: readonly Domain[];
  readonly volumes: readonly Volume[];
  readonly reservedIps: readonly ReservedIp[];
}

/** The droplets that a load balancer forwards to: by id, or by its tag. */
export function backendsOf(balancer: Balancer, droplets: readonly Droplet[]): readonly Droplet[] {
  const { tag } = balancer;
  return droplets.filter((d) => (tag ? d.tags.includes(tag) : balancer.droplet_ids.includes(d.id)));
}

/** The firewalls of a droplet: by its id, or by one of its tags. */
export function firewallsOf(droplet: Droplet, firewalls: readonly Firewall[]): readonly Firewall[] {
  return firewalls.filter(
    (f) => f.droplet_ids.includes(droplet.id) || f.tags.some((tag) => droplet.tags.includes(tag)),
  );
}
