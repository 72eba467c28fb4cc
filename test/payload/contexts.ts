/** Literal stacks for tests of the payload: what the components would pass, with secrets that are obviously fake. */
import { createHash } from "node:crypto";
import { buildTopology, type Host, type Topology, type TopologyName } from "../../infra/topology";
import type {
  HostContext,
  HostSecrets,
  HostSettings,
  KeyPair,
  Password,
  ReleaseAccess,
} from "../../infra/userdata/types";

/** What a test may vary. */
export interface Variant {
  readonly topology: TopologyName;
  readonly settings?: Partial<HostSettings>;
  readonly webCount?: number;
  readonly databaseCount?: number;
}

export const settings: HostSettings = {
  replication: "group",
  tls: "reencrypt",
  siteName: "www.foobar.test",
  hstsMaxAgeSeconds: 31_536_000,
  drainSeconds: 13,
  vpcIpRange: "10.20.0.0/20",
  operatorNetworks: ["198.51.100.0/24"],
  operatorUsers: undefined,
  groupName: "11111111-2222-5333-8444-555555555555",
  database: { bufferPoolMib: 256, maxConnections: 200, routing: "spread" },
  app: { connectionLimit: 20 },
  slices: {
    web: { weight: 100, memoryMaxPercent: 20 },
    app: { weight: 100, memoryMaxPercent: 30 },
    database: { weight: 800, memoryMaxPercent: 70 },
    monitoring: { weight: 20, memoryMaxPercent: 15 },
  },
  monitoring: { agent: "none" },
  stack: "dev",
  environment: "development",
  releases: false,
};

export const sumologic = { agent: "sumologic" } as const;
export const datadog = { agent: "datadog", site: "datadoghq.eu" } as const;

export function topologyOf({ topology, webCount = 2, databaseCount = 3 }: Variant): Topology {
  return buildTopology("dev", {
    topology,
    domain: "foobar.test",
    web: { count: webCount, size: "s-1vcpu-2gb" },
    database: { count: databaseCount, size: "s-2vcpu-4gb" },
  });
}

/** A context for each host of a variant. */
export function contextsOf(variant: Variant): readonly HostContext[] {
  const topology = topologyOf(variant);
  return topology.hosts.map((host) => ({ host, topology, settings: { ...settings, ...variant.settings } }));
}

export function contextOf(variant: Variant, name: string): HostContext {
  const context = contextsOf(variant).find(({ host }) => host.name === name);
  if (!context) throw new Error(`no host ${name}`);
  return context;
}

const fakePem = (what: string) => `-----BEGIN FAKE-----\n${what}\n-----END FAKE-----\n`;
const fakePair = (what: string): KeyPair => ({
  certificate: fakePem(`certificate of ${what}`),
  privateKey: fakePem(`SECRET key of ${what}`),
});

/** 64 bytes of the host's own. */
const fakeSealingKey = (name: string) => createHash("sha512").update(`SECRET of ${name}`).digest("base64");

const fakeRelease = ({ name }: Host): ReleaseAccess => ({
  releasesUrl: `https://secured-web-dev-releases-1a2b3c4d.fra1.digitaloceanspaces.com/hosts/${name}.json`,
  statusUrl: `https://secured-web-dev-status-1a2b3c4d.fra1.digitaloceanspaces.com/hosts/${name}`,
  region: "fra1",
  publicKey: "-----BEGIN PUBLIC KEY-----\nFAKE\n-----END PUBLIC KEY-----\n",
  accessKeyId: "FAKEACCESSKEY",
  secretAccessKey: "SECRETaccesskey",
  sealingKey: fakeSealingKey(name),
});

/** @param isRotated true if a rotation has added the next password */
export function fakePassword(user: string, isRotated = false): Password {
  const used = `SECRET${user}`;
  return { used, accepted: isRotated ? [used, `SECRETnext${user}`] : [used] };
}

/** Secrets for a host's roles; every secret text holds the word SECRET. */
export function fakeSecrets(host: Host): HostSecrets {
  const isWeb = host.roles.includes("web");
  const isDatabase = host.roles.includes("database");
  return {
    caCertificate: fakePem("certificate of the CA"),
    revocationLists: fakePem("list of revoked certificates"),
    sshHostKey: fakePem(`SECRET SSH key of ${host.name}`),
    ...(isWeb ? { web: fakePair(`${host.name}'s nginx`), app: fakePair(`${host.name}'s application`) } : {}),
    ...(isDatabase ? { database: fakePair(`${host.name}'s mysqld`) } : {}),
    passwords: {
      app: fakePassword("app"),
      health: fakePassword("health"),
      ...(isDatabase ? { replication: fakePassword("replication") } : {}),
    },
    datadogApiKey: "SECRETapikey",
    sumologicUrl: "https://collectors.example/receiver/v1/http/SECRET",
    release: fakeRelease(host),
  };
}
