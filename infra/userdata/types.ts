/**
 * The arguments of a host's user data. Everything here is plain data: the components resolve Pulumi outputs first,
 * and the tests write literals.
 */
import type { Operator } from "../config/operatorUsers";
import type { Host, Replication, Topology } from "../topology";

/** The settings in user data, known at preview. Sizes are in MiB, times in seconds. */
export interface HostSettings {
  readonly replication: Replication;
  readonly tls: "reencrypt" | "passthrough";
  /** The site's public name, for example "www.foobar.com". */
  readonly siteName: string;
  readonly hstsMaxAgeSeconds: number;
  /** CIDR of the VPC. The load balancer's private address is in it, but hosts do not know which one it is. */
  readonly vpcIpRange: string;
  /** CIDRs that can reach SSH; none = closed. */
  readonly operatorNetworks: readonly string[];
  /** The accounts that can log in by SSH; undefined = root. */
  readonly operatorUsers: readonly Operator[] | undefined;
  /** UUID of the replication group, derived from the site's label, so that it is known at preview. */
  readonly groupName: string;
  readonly database: {
    readonly bufferPoolMib: number;
    readonly maxConnections: number;
    readonly routing: "spread" | "preferred";
    /** The size of the volume with the data; undefined = the data is on the droplet's disk. */
    readonly volumeGib?: number;
  };
  readonly app: { readonly connectionLimit: number };
  /** How long a web host serves while its check fails, before it stops. */
  readonly drainSeconds: number;
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
  /** Whether the hosts fetch later releases (infra/releases). */
  readonly releases: boolean;
}

/** A certificate and its key, PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly privateKey: string;
}

/** An account's password. During a rotation MySQL accepts two. */
export interface Password {
  /** The one that programs log in with. */
  readonly used: string;
  /** The one that MySQL accepts, then the one that a rotation has added. */
  readonly accepted: readonly [string] | readonly [string, string];
}

/**
 * Values that are unknown until the first update creates them. They are never logged, and never part of the evidence.
 */
export interface HostSecrets {
  /** Certificate of the internal CA, PEM. */
  readonly caCertificate: string;
  /** The CA's list of revoked certificates, PEM: empty, because hosts fetch the newest one (release/revoked.py). */
  readonly revocationLists: string;
  /** Web hosts: nginx's key pair (from the internal CA, or the site's own in passthrough mode). */
  readonly web?: KeyPair;
  /** Web hosts: the application's client key pair for MySQL. */
  readonly app?: KeyPair;
  /** Database hosts: mysqld's key pair, for clients, the group and recovery. */
  readonly database?: KeyPair;
  readonly passwords: {
    /** MySQL user of the application. Web and database hosts. */
    readonly app: Password;
    /** MySQL user of replication and recovery. Database hosts. */
    readonly replication?: Password;
    /** MySQL user of the health check behind HAProxy, which can only read the group's state. */
    readonly health: Password;
  };
  /** The private key by which clients know the host's SSH server: Ed25519, PKCS #8, PEM (OpenSSH 9.6 and newer read it). */
  readonly sshHostKey: string;
  readonly datadogApiKey?: string;
  /** The address of Sumo Logic's HTTP source, which acts as a password. */
  readonly sumologicUrl?: string;
  /** Needed if the settings have releases. */
  readonly release?: ReleaseAccess;
}

/** Addresses and keys with which a host fetches its releases and reports its status. All hosts share a Spaces key. */
export interface ReleaseAccess {
  /** https:// address of the host's release object. */
  readonly releasesUrl: string;
  /** https:// address of the host's status object. */
  readonly statusUrl: string;
  /** Region of both buckets, for the signature of requests. */
  readonly region: string;
  /** The stack's Ed25519 public key (SPKI, PEM). */
  readonly publicKey: string;
  /** A Spaces key that can read the releases, and write the status objects. */
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** base64 of the 64 bytes that seal this host's secrets and its status. */
  readonly sealingKey: string;
}

/** The secrets that settings provide; the first update creates all others. */
export interface GivenSecrets {
  /** The site's own key pair, if the client's TLS session ends on the web hosts. */
  readonly web?: KeyPair;
  readonly datadogApiKey?: string;
  readonly sumologicUrl?: string;
}

/** One host of a stack. */
export interface HostContext {
  readonly host: Host;
  readonly topology: Topology;
  readonly settings: HostSettings;
}

/**
 * A file that cloud-init writes on a host. root owns it; systemd-tmpfiles gives services access to the files that
 * they read.
 */
export interface HostFile {
  /** Absolute path. */
  readonly path: string;
  /** Octal, four digits, for example "0644". */
  readonly permissions: string;
  readonly content: string;
}
