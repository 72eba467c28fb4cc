import type { Store, Table } from "../core/store";

export interface ForwardingRule {
  readonly entry_protocol: "http" | "https" | "http2" | "http3" | "tcp" | "udp";
  readonly entry_port: number;
  readonly target_protocol: "http" | "https" | "http2" | "tcp" | "udp";
  readonly target_port: number;
  /** Empty if there is none. */
  readonly certificate_id: string;
  readonly tls_passthrough: boolean;
}

export interface HealthCheck {
  readonly protocol: "http" | "https" | "tcp";
  readonly port: number;
  /** Absent for tcp. */
  readonly path?: string | undefined;
  readonly check_interval_seconds: number;
  readonly response_timeout_seconds: number;
  readonly healthy_threshold: number;
  readonly unhealthy_threshold: number;
}

export type StickySessions =
  | { readonly type: "none" }
  | { readonly type: "cookies"; readonly cookie_name: string; readonly cookie_ttl_seconds: number };

/** The settings of a client, with DigitalOcean's defaults. */
export interface LoadBalancerSettings {
  readonly name: string;
  readonly size_unit: number;
  readonly algorithm: "round_robin" | "least_connections";
  readonly forwarding_rules: readonly ForwardingRule[];
  readonly health_check: HealthCheck;
  readonly sticky_sessions: StickySessions;
  readonly redirect_http_to_https: boolean;
  readonly enable_proxy_protocol: boolean;
  readonly enable_backend_keepalive: boolean;
  readonly http_idle_timeout_seconds: number;
  readonly disable_lets_encrypt_dns_records: boolean;
  /** Each entry is `ip:ADDRESS` or `cidr:NETWORK`. */
  readonly firewall: { readonly allow: readonly string[]; readonly deny: readonly string[] };
  readonly tls_cipher_policy: "DEFAULT" | "STRONG";
  /** The backends: the droplets with the tag or, if it is empty, those in `droplet_ids`. */
  readonly tag: string;
  readonly droplet_ids: readonly number[];
}

export interface LoadBalancerRecord extends LoadBalancerSettings {
  readonly id: string;
  readonly region: string;
  readonly vpc_uuid: string;
  readonly type: "REGIONAL" | "REGIONAL_NETWORK";
  readonly network: "EXTERNAL" | "INTERNAL";
  readonly network_stack: "IPV4" | "DUALSTACK";
  readonly status: "new" | "active" | "errored";
  /** Reserved from the start, and shown when it is active. */
  readonly ip: string;
  readonly created_at: string;
}

export const loadBalancerTable = (store: Store): Table<LoadBalancerRecord> =>
  store.table<LoadBalancerRecord>("load_balancers");

/** The load balancers that terminate TLS with this certificate. */
export const certificateUsers = (store: Store, certificateId: string): LoadBalancerRecord[] =>
  loadBalancerTable(store)
    .values()
    .filter(({ forwarding_rules }) => forwarding_rules.some((rule) => rule.certificate_id === certificateId));
