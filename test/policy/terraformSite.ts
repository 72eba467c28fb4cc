/**
 * A small site as Terraform writes it: every attribute of the provider's schema with its default, null where nothing is
 * set, blocks as lists, and hashes instead of user data. The same site as a Pulumi program is beside it.
 */
import type { ProgramResources } from "../../policy/check/program";
import { cloudConfig, nginxFiles } from "../../policy/fixtures/texts";
import { addressOf, constant, type Row, references, sha1 } from "./terraformJson";

type Values = Readonly<Record<string, unknown>>;

const allConstant = (values: Values, ...keys: string[]) =>
  Object.fromEntries(keys.map((key) => [key, constant(values[key])]));

export const webUserData = cloudConfig(nginxFiles, { packages: ["nginx"] });

const dropletValues = {
  backup_policy: [],
  backups: false,
  droplet_agent: null,
  graceful_shutdown: false,
  image: "ubuntu-24-04-x64",
  ipv6: false,
  monitoring: true,
  region: "fra1",
  resize_disk: true,
  size: "s-1vcpu-2gb",
  ssh_keys: ["12:34:56:78:9a:bc:de:f0:12:34:56:78:9a:bc:de:f0"],
  tags: ["web"],
  timeouts: null,
  user_data: sha1(webUserData),
};
const dropletUnknown = {
  created_at: true,
  disk: true,
  ipv4_address: true,
  ipv4_address_private: true,
  memory: true,
  private_networking: true,
  ssh_keys: [false],
  status: true,
  tags: [false],
  volume_ids: true,
  vpc_uuid: true,
};
const dropletExpressions = {
  ...allConstant(dropletValues, "image", "monitoring", "region", "size", "ssh_keys", "tags"),
  name: references("count.index"),
  user_data: references("var.user_data"),
  vpc_uuid: references("digitalocean_vpc.net.id", "digitalocean_vpc.net"),
};
const web = (index: number): Row => ({
  type: "digitalocean_droplet",
  name: "web",
  index,
  values: { ...dropletValues, name: `web-${index}` },
  unknown: dropletUnknown,
  expressions: dropletExpressions,
});

export interface SiteErrors {
  readonly targetProtocol?: string;
  readonly sshSources?: readonly string[];
  readonly bucketAcl?: string;
  readonly withoutDatabaseFirewall?: boolean;
}

/** The site's resources in Terraform. */
export function siteRows(errors: SiteErrors = {}): readonly Row[] {
  const { targetProtocol = "https", sshSources = ["10.10.0.0/24"], bucketAcl = "private" } = errors;
  const rule = {
    certificate_name: "site",
    entry_port: 443,
    entry_protocol: "https",
    target_port: 443,
    target_protocol: targetProtocol,
    tls_passthrough: false,
  };
  const inbound = (port: string, ends: Values) => ({
    port_range: port,
    protocol: "tcp",
    source_addresses: [],
    source_droplet_ids: [],
    source_kubernetes_ids: [],
    source_load_balancer_uids: [],
    source_tags: [],
    ...ends,
  });
  const firewall = { name: "web", droplet_ids: null, tags: ["web"] };
  const cluster = {
    backup_restore: [],
    engine: "pg",
    eviction_policy: null,
    maintenance_window: [],
    name: "site-db",
    node_count: 2,
    region: "fra1",
    size: "db-s-1vcpu-2gb",
    sql_mode: null,
    tags: ["db"],
    version: "17",
  };
  const vpc = { description: null, name: "site", region: "fra1", ip_range: "10.10.0.0/24", timeouts: null };
  const bucket = {
    acl: bucketAcl,
    cors_rule: [],
    force_destroy: false,
    lifecycle_rule: [],
    name: "site-uploads",
    region: "fra1",
    versioning: [{ enabled: true }],
  };
  const inboundRules = [
    inbound("22", { source_addresses: sshSources }),
    inbound("443", { source_load_balancer_uids: [null] }),
  ];
  const rows: readonly Row[] = [
    {
      type: "digitalocean_certificate",
      name: "site",
      values: {
        certificate_chain: null,
        domains: ["www.example.com"],
        leaf_certificate: null,
        name: "site",
        private_key: null,
        type: "lets_encrypt",
      },
      unknown: { domains: [false], not_after: true, sha1_fingerprint: true, state: true, uuid: true },
      sensitive: { private_key: true },
      expressions: {
        domains: constant(["www.example.com"]),
        name: constant("site"),
        type: constant("lets_encrypt"),
      },
    },
    {
      type: "digitalocean_database_cluster",
      name: "db",
      values: cluster,
      unknown: { host: true, password: true, private_network_uuid: true, storage_size_mib: true, uri: true },
      sensitive: { password: true, private_uri: true, uri: true },
      expressions: {
        ...allConstant(cluster, "engine", "name", "node_count", "region", "size", "tags", "version"),
        private_network_uuid: references("digitalocean_vpc.net.id", "digitalocean_vpc.net"),
      },
    },
    {
      type: "digitalocean_database_firewall",
      name: "db",
      values: { rule: [{ type: "tag", value: "web" }] },
      unknown: { cluster_id: true, rule: [{ created_at: true, uuid: true }] },
      expressions: {
        cluster_id: references("digitalocean_database_cluster.db.id", "digitalocean_database_cluster.db"),
        rule: [{ type: constant("tag"), value: constant("web") }],
      },
    },
    {
      type: "digitalocean_firewall",
      name: "web",
      values: { ...firewall, inbound_rule: inboundRules, outbound_rule: [] },
      unknown: {
        created_at: true,
        inbound_rule: [{ source_addresses: [false] }, { source_load_balancer_uids: [true] }],
        pending_changes: true,
        status: true,
        tags: [false],
      },
      expressions: {
        name: constant("web"),
        tags: constant(["web"]),
        inbound_rule: [
          { port_range: constant("22"), protocol: constant("tcp"), source_addresses: constant(sshSources) },
          {
            port_range: constant("443"),
            protocol: constant("tcp"),
            source_load_balancer_uids: references(
              "digitalocean_loadbalancer.edge.id",
              "digitalocean_loadbalancer.edge",
            ),
          },
        ],
      },
    },
    {
      type: "digitalocean_loadbalancer",
      name: "edge",
      values: {
        algorithm: "round_robin",
        disable_lets_encrypt_dns_records: false,
        droplet_tag: "web",
        enable_backend_keepalive: false,
        enable_proxy_protocol: false,
        forwarding_rule: [rule],
        name: "edge",
        redirect_http_to_https: true,
        region: "fra1",
        size: null,
        tls_cipher_policy: "STRONG",
        type: null,
      },
      unknown: {
        domains: true,
        droplet_ids: true,
        firewall: true,
        forwarding_rule: [{ certificate_id: true }],
        glb_settings: true,
        healthcheck: true,
        http_idle_timeout_seconds: true,
        ip: true,
        project_id: true,
        size_unit: true,
        sticky_sessions: true,
        vpc_uuid: true,
      },
      expressions: {
        droplet_tag: constant("web"),
        forwarding_rule: [
          {
            certificate_name: references(
              "digitalocean_certificate.site.name",
              "digitalocean_certificate.site",
            ),
            ...allConstant(rule, "entry_port", "entry_protocol", "target_port", "target_protocol"),
          },
        ],
        name: constant("edge"),
        redirect_http_to_https: constant(true),
        region: constant("fra1"),
        tls_cipher_policy: constant("STRONG"),
        vpc_uuid: references("digitalocean_vpc.net.id", "digitalocean_vpc.net"),
      },
    },
    {
      type: "digitalocean_spaces_bucket",
      name: "uploads",
      values: bucket,
      unknown: { bucket_domain_name: true, endpoint: true, versioning: [{}] },
      expressions: {
        ...allConstant(bucket, "acl", "name", "region"),
        versioning: [{ enabled: constant(true) }],
      },
    },
    {
      type: "digitalocean_vpc",
      name: "net",
      values: vpc,
      unknown: { created_at: true, default: true },
      expressions: allConstant(vpc, "name", "region", "ip_range"),
    },
    web(0),
    web(1),
  ];
  return rows.filter(
    ({ type }) => !(errors.withoutDatabaseFirewall === true && type === "digitalocean_database_firewall"),
  );
}

/** What DigitalOcean answers, by address: ids, and values that the configuration does not set. */
const answers: Readonly<Record<string, Values>> = {
  "digitalocean_certificate.site": {
    id: "site",
    uuid: "5a0d9fb0-1111-4c0e-9a2e-8f6f0c6b7a01",
    state: "verified",
  },
  "digitalocean_database_cluster.db": {
    id: "8b1f2a30-2222-4c0e-9a2e-8f6f0c6b7a02",
    urn: "do:dbaas:8b1f2a30-2222-4c0e-9a2e-8f6f0c6b7a02",
    private_network_uuid: "c7e1d8b4-3333-4c0e-9a2e-8f6f0c6b7a03",
    storage_size_mib: "30720",
    password: "AVNS_Marker5f1cSecret",
    uri: "postgresql://doadmin:AVNS_Marker5f1cSecret@db.example:25060/defaultdb?sslmode=require",
  },
  "digitalocean_database_firewall.db": {
    id: "8b1f2a30-2222-4c0e-9a2e-8f6f0c6b7a02-2026",
    cluster_id: "8b1f2a30-2222-4c0e-9a2e-8f6f0c6b7a02",
  },
  "digitalocean_firewall.web": { id: "9d2e3c50-4444-4c0e-9a2e-8f6f0c6b7a04", status: "succeeded" },
  "digitalocean_loadbalancer.edge": {
    id: "1f3a4d60-5555-4c0e-9a2e-8f6f0c6b7a05",
    urn: "do:loadbalancer:1f3a4d60-5555-4c0e-9a2e-8f6f0c6b7a05",
    droplet_ids: [1001, 1002],
    firewall: [],
    healthcheck: [{ port: 443, protocol: "https", path: "/", check_interval_seconds: 10 }],
    sticky_sessions: [{ type: "none", cookie_name: "", cookie_ttl_seconds: 0 }],
    vpc_uuid: "c7e1d8b4-3333-4c0e-9a2e-8f6f0c6b7a03",
    ip: "203.0.113.10",
  },
  "digitalocean_spaces_bucket.uploads": { id: "site-uploads", urn: "do:space:site-uploads" },
  "digitalocean_vpc.net": {
    id: "c7e1d8b4-3333-4c0e-9a2e-8f6f0c6b7a03",
    urn: "do:vpc:c7e1d8b4-3333-4c0e-9a2e-8f6f0c6b7a03",
    default: false,
  },
  "digitalocean_droplet.web[0]": {
    id: "1001",
    urn: "do:droplet:1001",
    vpc_uuid: "c7e1d8b4-3333-4c0e-9a2e-8f6f0c6b7a03",
    ipv4_address: "203.0.113.11",
  },
  "digitalocean_droplet.web[1]": {
    id: "1002",
    urn: "do:droplet:1002",
    vpc_uuid: "c7e1d8b4-3333-4c0e-9a2e-8f6f0c6b7a03",
    ipv4_address: "203.0.113.12",
  },
};

/** The site's resources after the plan was applied. */
export function siteStateRows(errors: SiteErrors = {}): readonly Row[] {
  const edge = answers["digitalocean_loadbalancer.edge"]?.id;
  return siteRows(errors).map((row) => {
    const values = { ...row.values, ...answers[addressOf(row)] };
    if (row.type !== "digitalocean_firewall") return { ...row, values };
    const [ssh, https] = row.values.inbound_rule as readonly Values[];
    return {
      ...row,
      values: { ...values, inbound_rule: [ssh, { ...https, source_load_balancer_uids: [edge] }] },
    };
  });
}

/** The id of a resource, by its address. */
export const idOf = (address: string) => String(answers[address]?.id);

const from = (output: string) => `\${${output}}`;

/** The same site as a Pulumi program. The names are those of Terraform's addresses. */
export function siteProgram(errors: SiteErrors = {}): ProgramResources {
  const { targetProtocol = "https", sshSources = ["10.10.0.0/24"], bucketAcl = "private" } = errors;
  const host = (index: number) => ({
    type: "digitalocean:Droplet",
    properties: {
      name: `web-${index}`,
      image: "ubuntu-24-04-x64",
      monitoring: true,
      region: "fra1",
      size: "s-1vcpu-2gb",
      sshKeys: ["12:34:56:78:9a:bc:de:f0:12:34:56:78:9a:bc:de:f0"],
      tags: ["web"],
      userData: webUserData,
      vpcUuid: from("net.id"),
    },
  });
  const databaseFirewall = {
    type: "digitalocean:DatabaseFirewall",
    properties: { clusterId: from("db.id"), rules: [{ type: "tag", value: "web" }] },
  };
  return {
    net: {
      type: "digitalocean:Vpc",
      properties: { name: "site", region: "fra1", ipRange: "10.10.0.0/24" },
    },
    site: {
      type: "digitalocean:Certificate",
      properties: { name: "site", type: "lets_encrypt", domains: ["www.example.com"] },
    },
    db: {
      type: "digitalocean:DatabaseCluster",
      properties: {
        engine: "pg",
        name: "site-db",
        nodeCount: 2,
        privateNetworkUuid: from("net.id"),
        region: "fra1",
        size: "db-s-1vcpu-2gb",
        tags: ["db"],
        version: "17",
      },
    },
    ...(errors.withoutDatabaseFirewall === true ? {} : { dbFirewall: databaseFirewall }),
    edge: {
      type: "digitalocean:LoadBalancer",
      properties: {
        dropletTag: "web",
        forwardingRules: [
          {
            certificateName: from("site.name"),
            entryPort: 443,
            entryProtocol: "https",
            targetPort: 443,
            targetProtocol,
          },
        ],
        name: "edge",
        redirectHttpToHttps: true,
        region: "fra1",
        tlsCipherPolicy: "STRONG",
        vpcUuid: from("net.id"),
      },
    },
    web: {
      type: "digitalocean:Firewall",
      properties: {
        name: "web",
        tags: ["web"],
        inboundRules: [
          { protocol: "tcp", portRange: "22", sourceAddresses: sshSources },
          { protocol: "tcp", portRange: "443", sourceLoadBalancerUids: [from("edge.id")] },
        ],
      },
    },
    uploads: {
      type: "digitalocean:SpacesBucket",
      properties: { acl: bucketAcl, name: "site-uploads", region: "fra1", versioning: { enabled: true } },
    },
    host0: host(0),
    host1: host(1),
  };
}

/** The addresses in Terraform of the program's resources. */
export const siteAddresses: Readonly<Record<string, string>> = {
  net: "digitalocean_vpc.net",
  site: "digitalocean_certificate.site",
  db: "digitalocean_database_cluster.db",
  dbFirewall: "digitalocean_database_firewall.db",
  edge: "digitalocean_loadbalancer.edge",
  web: "digitalocean_firewall.web",
  uploads: "digitalocean_spaces_bucket.uploads",
  host0: "digitalocean_droplet.web[0]",
  host1: "digitalocean_droplet.web[1]",
};
