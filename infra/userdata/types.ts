/**
 * What a host's user data is made of. Everything here is plain data: the components resolve Pulumi outputs first, and
 * the tests write literals.
 */
import type { Host, Replication, Topology } from "../topology";

/** The settings that reach a host, known at preview. Sizes are in MiB, times in seconds. */
export interface HostSettings {
  readonly replication: Replication;
  readonly tls: "reencrypt" | "passthrough";
  /** The site's public name, e.g. "www.foobar.com". */
  readonly siteName: string;
  readonly hstsMaxAgeSeconds: number;
  /** CIDR of the VPC: the load balancer's private address is one of it and is not known to a host. */
  readonly vpcIpRange: string;
  /** CIDRs that may reach SSH; none = closed. */
  readonly operatorNetworks: readonly string[];
  /** UUID of the replication group, derived from the site's label, so that it is known at preview. */
  readonly groupName: string;
  readonly database: {
    readonly bufferPoolMib: number;
    readonly maxConnections: number;
  };
  readonly app: { readonly connectionLimit: number };
  /** Weights (1 to 10000) of each role's slice for CPU and I/O, and memory limits in percent of the host's memory. */
  readonly slices: {
    readonly [slice in "web" | "app" | "database" | "monitoring"]: {
      readonly weight: number;
      readonly memoryMaxPercent: number;
    };
  };
  readonly monitoring:
    | { readonly agent: "none" }
    | { readonly agent: "datadog"; readonly site: string }
    | { readonly agent: "sumologic" };
  /** The site's label and its environment: tags of metrics and logs. */
  readonly stack: string;
  readonly environment: "development" | "production";
}

/** A certificate and its key, PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly privateKey: string;
}

/** What is unknown until the first update has made it. Never logged, never part of the evidence. */
export interface HostSecrets {
  /** Certificate of the internal CA, PEM. */
  readonly caCertificate: string;
  /** Web hosts: nginx's key pair (of the internal CA, or the site's own in passthrough mode). */
  readonly web?: KeyPair;
  /** Web hosts: the application's client key pair towards MySQL. */
  readonly app?: KeyPair;
  /** Database hosts: mysqld's key pair, for clients, the group and recovery. */
  readonly database?: KeyPair;
  readonly passwords: {
    /** MySQL user of the application. Web and database hosts. */
    readonly app: string;
    /** MySQL user of replication and recovery. Database hosts. */
    readonly replication?: string;
    /** MySQL user of the health check behind HAProxy, read-only on the group's state. */
    readonly health: string;
  };
  readonly datadogApiKey?: string;
  /** The address of Sumo Logic's HTTP source, which is its own password. */
  readonly sumologicUrl?: string;
}

/** The secrets that settings bring; all others are made by the first update. */
export interface GivenSecrets {
  /** The site's own key pair, where the client's TLS session ends on the web hosts. */
  readonly web?: KeyPair;
  readonly datadogApiKey?: string;
  readonly sumologicUrl?: string;
}

/** One host within its stack. */
export interface HostContext {
  readonly host: Host;
  readonly topology: Topology;
  readonly settings: HostSettings;
}

/** A file that cloud-init writes on a host. Owned by root; systemd-tmpfiles gives a service what it must read. */
export interface HostFile {
  /** Absolute path. */
  readonly path: string;
  /** Octal, four digits, e.g. "0644". */
  readonly permissions: string;
  readonly content: string;
}
