import assert from "node:assert/strict";
import { digitalocean } from "../../../sandbox/plugins/digitalocean/provider";
import type { PropertyMap } from "../../../sandbox/plugins/provider/values";
import { readTrace, type TraceRequest, type TraceSection } from "../reference/trace";
import { type Live, Plugin } from "./harness";
import { type Recorded, Recorder } from "./recorder";

type Phase = TraceRequest["phase"];

/** What the plugin's own requests are compared with. */
function requestsOf(section: TraceSection, phase: Phase): Recorded[] {
  return section.requests
    .filter((request) => request.phase === phase)
    .map(({ method, path, body }) => ({ method, path, ...(body === undefined ? {} : { body }) }));
}

/** The same question asked again is one question: how often a plugin polls is its own affair. */
function collapsed(requests: readonly Recorded[]): Recorded[] {
  return requests.filter((request, index) => {
    const before = requests[index - 1];
    return !(request.method === "GET" && before?.method === "GET" && before.path === request.path);
  });
}

interface Replay {
  readonly section: string;
  /** Which of several sections of one title. */
  readonly nth?: number;
  readonly type: string;
  readonly inputs: PropertyMap;
  /** Answers by path (without the query), whatever the method. */
  readonly answers: Record<string, unknown>;
  /** A path that is gone once it was deleted. */
  readonly goneAfterDelete?: string;
}

const region = { slug: "nyc3" };
const droplet = {
  ...{ id: 101, name: "d", status: "active", locked: false, memory: 1024, vcpus: 1, disk: 25 },
  ...{ created_at: "2026-01-01T00:00:00Z", features: ["monitoring"], volume_ids: [], tags: ["web"] },
  ...{ size_slug: "s-1vcpu-1gb", size: { slug: "s-1vcpu-1gb", price_hourly: 0.01, price_monthly: 6 } },
  ...{ image: { id: 1, slug: "ubuntu-24-04-x64" }, region, vpc_uuid: "11111111-1111-1111-1111-111111111111" },
  networks: { v4: [{ ip_address: "203.0.113.9", type: "public" }], v6: [] },
};
const volume = {
  id: "vol-1",
  name: "v",
  description: "x",
  region,
  size_gigabytes: 10,
  filesystem_type: "ext4",
  tags: [],
};
const certificate = {
  ...{
    id: "cert-uuid-1",
    name: "web",
    type: "lets_encrypt",
    state: "verified",
    not_after: "2026-04-01T00:00:00Z",
  },
  ...{ sha1_fingerprint: "ab", dns_names: ["www.example.com", "example.com"] },
};
const alertTargets = { email: ["a@b.c"], slack: [] };
const project = {
  id: "proj-9",
  name: "p",
  description: "d",
  purpose: "Web Application",
  environment: "Production",
  is_default: false,
};
const projectAnswers = {
  "/v2/projects": { project },
  "/v2/projects/proj-9": { project },
  "/v2/projects/proj-9/resources": { resources: [{ urn: "do:droplet:101" }] },
  "/v2/projects/default": { project: { ...project, id: "def-proj", is_default: true } },
  "/v2/projects/def-proj/resources": { resources: [] },
};
const reservedIp = { ip: "198.51.100.7", region, droplet: null };

const replays: Replay[] = [
  {
    section: "digitalocean_vpc",
    type: "Vpc",
    inputs: { name: "v", region: "nyc3", description: "x", ipRange: "10.10.0.0/16" },
    answers: anyOf(
      {
        vpc: {
          id: "vpc-1",
          urn: "do:vpc:vpc-1",
          name: "v",
          region: "nyc3",
          description: "x",
          ip_range: "10.10.0.0/16",
          default: false,
          created_at: "2026-01-01T00:00:00Z",
        },
      },
      "/v2/vpcs",
      "/v2/vpcs/vpc-1",
    ),
  },
  {
    section: "digitalocean_ssh_key",
    type: "SshKey",
    inputs: { name: "k", publicKey: "ssh-ed25519 AAAA x" },
    answers: anyOf(
      { ssh_key: { id: 77, name: "k", public_key: "ssh-ed25519 AAAA x", fingerprint: "aa" } },
      "/v2/account/keys",
      "/v2/account/keys/77",
    ),
  },
  {
    section: "digitalocean_tag",
    type: "Tag",
    inputs: { name: "web" },
    answers: anyOf({ tag: { name: "web", resources: { count: 0 } } }, "/v2/tags", "/v2/tags/web"),
  },
  {
    section: "digitalocean_droplet",
    type: "Droplet",
    inputs: {
      ...{
        name: "d",
        region: "nyc3",
        size: "s-1vcpu-1gb",
        image: "ubuntu-24-04-x64",
        sshKeys: ["77"],
        monitoring: true,
      },
      ...{
        userData: "#cloud-config\n",
        tags: ["web"],
        vpcUuid: "11111111-1111-1111-1111-111111111111",
        dropletAgent: true,
      },
    },
    answers: anyOf({ droplet }, "/v2/droplets", "/v2/droplets/101"),
    goneAfterDelete: "/v2/droplets/101",
  },
  {
    section: "digitalocean_volume",
    type: "Volume",
    inputs: { region: "nyc3", name: "v", description: "x", size: 10, initialFilesystemType: "ext4" },
    answers: anyOf({ volume }, "/v2/volumes", "/v2/volumes/vol-1"),
  },
  {
    section: "digitalocean_volume_attachment",
    type: "VolumeAttachment",
    inputs: { dropletId: 101, volumeId: "vol-1" },
    answers: {
      "/v2/volumes/vol-1": { volume },
      "/v2/volumes/vol-1/actions": { action: { id: 901, status: "in-progress" } },
      "/v2/actions/901": { action: { id: 901, status: "completed" } },
    },
  },
  {
    section: "digitalocean_reserved_ip",
    type: "ReservedIp",
    inputs: { region: "nyc3" },
    answers: anyOf({ reserved_ip: reservedIp }, "/v2/reserved_ips", "/v2/reserved_ips/198.51.100.7"),
  },
  {
    section: "digitalocean_reserved_ip_assignment",
    type: "ReservedIpAssignment",
    inputs: { ipAddress: "198.51.100.7", dropletId: 101 },
    answers: {
      "/v2/reserved_ips/198.51.100.7": { reserved_ip: { ...reservedIp, droplet } },
      "/v2/reserved_ips/198.51.100.7/actions": { action: { id: 900, status: "in-progress" } },
      "/v2/reserved_ips/198.51.100.7/actions/900": { action: { id: 900, status: "completed" } },
    },
  },
  {
    section: "digitalocean_domain",
    type: "Domain",
    inputs: { name: "example.com" },
    answers: anyOf({ domain: { name: "example.com", ttl: 1800 } }, "/v2/domains", "/v2/domains/example.com"),
  },
  {
    section: "digitalocean_record",
    type: "DnsRecord",
    inputs: { domain: "example.com", type: "A", name: "www", value: "203.0.113.9", ttl: 300 },
    answers: anyOf(
      { domain_record: { id: 12, type: "A", name: "www", data: "203.0.113.9", ttl: 300 } },
      "/v2/domains/example.com/records",
      "/v2/domains/example.com/records/12",
    ),
  },
  {
    section: "digitalocean_record",
    nth: 1,
    type: "DnsRecord",
    inputs: {
      domain: "example.com",
      type: "CAA",
      name: "@",
      value: "letsencrypt.org.",
      ttl: 300,
      flags: 0,
      tag: "issue",
    },
    answers: anyOf(
      {
        domain_record: {
          id: 13,
          type: "CAA",
          name: "@",
          data: "letsencrypt.org",
          ttl: 300,
          flags: 0,
          tag: "issue",
        },
      },
      "/v2/domains/example.com/records",
      "/v2/domains/example.com/records/13",
    ),
  },
  {
    section: "digitalocean_firewall",
    type: "Firewall",
    inputs: {
      name: "fw",
      inboundRules: [
        { protocol: "tcp", portRange: "22", sourceAddresses: ["0.0.0.0/0", "::/0"] },
        { protocol: "tcp", portRange: "80", sourceLoadBalancerUids: ["lb-1"] },
        { protocol: "icmp", sourceAddresses: ["0.0.0.0/0"] },
      ],
      outboundRules: [{ protocol: "tcp", portRange: "1-65535", destinationAddresses: ["0.0.0.0/0"] }],
      dropletIds: [101],
      tags: ["web"],
    },
    answers: anyOf(
      { firewall: { id: "fw-1", name: "fw", status: "succeeded", created_at: "2026-01-01T00:00:00Z" } },
      "/v2/firewalls",
      "/v2/firewalls/fw-1",
    ),
  },
  {
    section: "digitalocean_certificate",
    type: "Certificate",
    inputs: { name: "web", type: "lets_encrypt", domains: ["www.example.com", "example.com"] },
    answers: {
      "/v2/certificates": { certificate, certificates: [certificate] },
      "/v2/certificates/cert-uuid-1": { certificate },
    },
  },
  {
    section: "digitalocean_loadbalancer",
    type: "LoadBalancer",
    inputs: {
      ...{ name: "lb", region: "nyc3", dropletTag: "web", redirectHttpToHttps: true, vpcUuid: "vpc-1" },
      forwardingRules: [
        {
          entryProtocol: "https",
          entryPort: 443,
          targetProtocol: "http",
          targetPort: 80,
          certificateName: "web",
        },
      ],
      healthcheck: { protocol: "http", port: 80, path: "/healthz" },
    },
    answers: {
      "/v2/certificates": { certificates: [certificate] },
      "/v2/certificates/cert-uuid-1": { certificate },
      ...anyOf(
        {
          load_balancer: {
            ...{
              id: "lb-1",
              name: "lb",
              status: "active",
              ip: "203.0.113.1",
              region,
              size_unit: 1,
              tag: "web",
              vpc_uuid: "vpc-1",
            },
            forwarding_rules: [
              {
                entry_protocol: "https",
                entry_port: 443,
                target_protocol: "http",
                target_port: 80,
                certificate_id: "cert-uuid-1",
              },
            ],
          },
        },
        "/v2/load_balancers",
        "/v2/load_balancers/lb-1",
      ),
    },
  },
  {
    section: "digitalocean_monitor_alert",
    type: "MonitorAlert",
    inputs: {
      ...{
        type: "v1/insights/droplet/cpu",
        description: "cpu",
        compare: "GreaterThan",
        value: 90,
        window: "5m",
      },
      ...{ entities: ["101"], alerts: { emails: ["a@b.c"] } },
    },
    answers: anyOf(
      {
        policy: {
          uuid: "al-1",
          type: "v1/insights/droplet/cpu",
          description: "cpu",
          compare: "GreaterThan",
          value: 90,
          window: "5m",
          entities: ["101"],
          tags: [],
          alerts: alertTargets,
          enabled: true,
        },
      },
      "/v2/monitoring/alerts",
      "/v2/monitoring/alerts/al-1",
    ),
  },
  {
    section: "digitalocean_uptime_check",
    type: "UptimeCheck",
    inputs: { name: "c", target: "https://example.com", regions: ["us_east"] },
    answers: anyOf(
      {
        check: {
          id: "chk-1",
          name: "c",
          type: "https",
          target: "https://example.com",
          regions: ["us_east"],
          enabled: true,
        },
      },
      "/v2/uptime/checks",
      "/v2/uptime/checks/chk-1",
    ),
  },
  {
    section: "digitalocean_uptime_alert",
    type: "UptimeAlert",
    inputs: {
      name: "down",
      checkId: "chk-1",
      type: "down",
      threshold: 1,
      comparison: "less_than",
      period: "2m",
      notifications: [{ emails: ["a@b.c"] }],
    },
    answers: anyOf(
      {
        alert: {
          id: "ua-1",
          name: "down",
          type: "down",
          threshold: 1,
          comparison: "less_than",
          period: "2m",
          notifications: alertTargets,
        },
      },
      "/v2/uptime/checks/chk-1/alerts",
      "/v2/uptime/checks/chk-1/alerts/ua-1",
    ),
  },
  {
    section: "digitalocean_project",
    type: "Project",
    inputs: {
      name: "p",
      description: "d",
      purpose: "Web Application",
      environment: "Production",
      resources: ["do:droplet:101"],
    },
    answers: projectAnswers,
  },
  {
    section: "digitalocean_project_resources",
    type: "ProjectResources",
    inputs: { project: "proj-9", resources: ["do:droplet:101"] },
    answers: projectAnswers,
  },
  {
    section: "digitalocean_database_cluster",
    type: "DatabaseCluster",
    inputs: {
      name: "pg",
      engine: "pg",
      version: "16",
      size: "db-s-1vcpu-1gb",
      region: "nyc3",
      nodeCount: 1,
      privateNetworkUuid: "vpc-1",
      tags: ["web"],
    },
    answers: anyOf(
      {
        database: {
          id: "db-1",
          name: "pg",
          engine: "pg",
          version: "16",
          size: "db-s-1vcpu-1gb",
          region: "nyc3",
          num_nodes: 1,
          status: "online",
          tags: ["web"],
        },
      },
      "/v2/databases",
      "/v2/databases/db-1",
    ),
  },
  {
    section: "digitalocean_database_firewall",
    type: "DatabaseFirewall",
    inputs: { clusterId: "db-1", rules: [{ type: "tag", value: "web" }] },
    answers: {
      "/v2/databases/db-1/firewall": {
        rules: [{ uuid: "r-1", type: "tag", value: "web", created_at: "2026-01-01T00:00:00Z" }],
      },
    },
  },
];

function anyOf(answer: unknown, ...paths: string[]): Record<string, unknown> {
  return Object.fromEntries(paths.map((path) => [path, answer]));
}

describe("HTTP requests of the digitalocean plugin, against the official one's trace", () => {
  const sections = readTrace();
  let recorder: Recorder;
  let plugin: Plugin;

  before(async () => {
    recorder = await Recorder.start();
    plugin = await Plugin.start(digitalocean, { token: "t0ken", apiEndpoint: recorder.url });
  });

  after(async () => {
    await plugin?.stop();
    await recorder?.stop();
  });

  it("replays every section of the trace whose resource the program can use", () => {
    const replayed = new Set(replays.map(({ section }) => section));
    const left = sections.map(({ resource }) => resource).filter((resource) => !replayed.has(resource));
    assert.deepEqual(left, ["digitalocean_custom_image"]);
    assert.equal(replays.length, sections.length - 1);
  });

  for (const replay of replays) {
    it(`${replay.section}${replay.nth ? ` (${replay.nth + 1})` : ""}: create, read, delete`, async () => {
      const section = sections.filter(({ resource }) => resource === replay.section)[replay.nth ?? 0]!;
      let gone = false;
      let attached = false;
      recorder.responder = ({ method, path }) => {
        const [bare = ""] = path.split("?");
        if (method === "DELETE") gone = true;
        if (bare.endsWith("/actions") && method === "POST") attached = true;
        if (gone && bare === replay.goneAfterDelete && method === "GET")
          return { status: 404, body: { id: "not_found", message: "gone" } };
        if (method === "DELETE") return { status: 204 };
        if (bare === "/v2/volumes/vol-1")
          return { body: { volume: { ...volume, droplet_ids: attached ? [101] : [] } } };
        const body = replay.answers[bare];
        return body === undefined
          ? { status: 404, body: { id: "not_found", message: `nothing at ${path}` } }
          : { body };
      };
      const phases: Record<Phase, () => Promise<unknown>> = {
        create: async () => {
          live = await plugin.create(replay.type, replay.inputs);
        },
        read: async () => {
          assert.ok(await plugin.read(replay.type, live));
        },
        delete: () => plugin.delete(replay.type, live),
      };
      let live = {} as Live;
      for (const phase of ["create", "read", "delete"] as const) {
        recorder.take();
        await phases[phase]();
        assert.deepEqual(collapsed(recorder.take()), collapsed(requestsOf(section, phase)), phase);
      }
    });
  }

  it("sees a body that differs", () => {
    const [vpc] = sections;
    const create = requestsOf(vpc!, "create");
    const changed = structuredClone(create);
    (changed[0]!.body as Record<string, unknown>).name = "w";
    assert.notDeepEqual(collapsed(changed), collapsed(create));
  });
});
