import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { digitalocean } from "../../../sandbox/plugins/digitalocean/provider";
import { isZero } from "../../../sandbox/plugins/provider/compare";
import type { PropertyMap, PropertyValue } from "../../../sandbox/plugins/provider/values";
import { waitFor } from "../../waitFor";
import { Account, token } from "./account";
import { type Live, Plugin } from "./harness";

/** What several resources stand on. */
interface Ground {
  readonly vpc: Live;
  readonly key: Live;
  readonly droplet: Live;
  readonly other: Live;
  readonly volume: Live;
  readonly domain: Live;
  readonly certificate: Live;
  readonly check: Live;
  readonly project: Live;
}

interface Case {
  readonly type: string;
  inputs(ground: Ground): PropertyMap;
  /** Inputs to change without a replacement; none where there are none. */
  change?(ground: Ground): PropertyMap;
  /** The change cannot be taken back. */
  readonly oneWay?: true;
  /** An input whose change replaces. */
  readonly replacing?: readonly [string, PropertyValue];
  /** A change behind Pulumi's back, and the property that shows it. */
  readonly drift?: {
    readonly shows: string;
    make(account: Account, live: Live): Promise<unknown>;
  };
  /** `undefined` where the resource cannot be imported. */
  importId?(live: Live): string;
  /** Inputs that the API does not tell, so that an import misses them. */
  readonly untold?: readonly string[];
}

const region = "nyc3";
const size = "s-1vcpu-1gb";
const image = "ubuntu-24-04-x64";
const rule = { protocol: "tcp", portRange: "22", sourceAddresses: ["192.0.2.0/24"] };
const alert = {
  ...{ type: "v1/insights/droplet/cpu", description: "cpu", compare: "GreaterThan", value: 90, window: "5m" },
  alerts: { emails: ["sandbox@example.com"] },
};

function publicKey(): string {
  const { publicKey: made } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(made.export({ format: "jwk" }).x ?? "", "base64url");
  const field = (bytes: Buffer) => Buffer.concat([Buffer.from([0, 0, 0, bytes.length]), bytes]);
  return `ssh-ed25519 ${Buffer.concat([field(Buffer.from("ssh-ed25519")), field(raw)]).toString("base64")} test`;
}

const cases: Case[] = [
  {
    type: "Vpc",
    inputs: () => ({ name: "v", region, ipRange: "10.20.0.0/16" }),
    change: () => ({ description: "changed" }),
    replacing: ["ipRange", "10.30.0.0/16"],
    drift: {
      shows: "name",
      make: (account, { id }) => account.ask("PUT", `/v2/vpcs/${id}`, { name: "renamed" }),
    },
    importId: ({ id }) => id,
  },
  {
    type: "SshKey",
    inputs: () => ({ name: "k", publicKey: publicKey() }),
    change: () => ({ name: "k2" }),
    replacing: ["publicKey", publicKey()],
    drift: {
      shows: "name",
      make: (account, { id }) => account.ask("PUT", `/v2/account/keys/${id}`, { name: "renamed" }),
    },
    importId: ({ id }) => id,
  },
  {
    type: "Tag",
    inputs: () => ({ name: "stage:test" }),
    replacing: ["name", "other"],
    importId: ({ id }) => id,
  },
  {
    type: "Droplet",
    inputs: ({ key, vpc }) => ({
      ...{ name: "d", region, size, image, monitoring: true, sshKeys: [key.id], tags: ["web", "db"] },
      ...{ vpcUuid: vpc.id, userData: "#cloud-config\npackages: []\n", resizeDisk: false },
    }),
    change: () => ({ tags: ["web", "new"], name: "d2", size: "s-1vcpu-2gb", backups: true }),
    replacing: ["userData", "#cloud-config\npackages: [nginx]\n"],
    drift: {
      shows: "name",
      make: (account, { id }) =>
        account.ask("POST", `/v2/droplets/${id}/actions`, { type: "rename", name: "renamed" }),
    },
    importId: ({ id }) => id,
    untold: ["resizeDisk", "sshKeys", "userData"],
  },
  {
    type: "Volume",
    inputs: () => ({ name: "data", region, size: 10, initialFilesystemType: "ext4", tags: ["db"] }),
    change: () => ({ size: 20, tags: ["db", "more"] }),
    oneWay: true,
    replacing: ["region", "ams3"],
    importId: ({ id }) => id,
  },
  {
    type: "VolumeAttachment",
    inputs: ({ droplet, volume }) => ({ dropletId: Number(droplet.id), volumeId: volume.id }),
    replacing: ["dropletId", 1],
    importId: ({ state }) => `${String(state.dropletId)},${String(state.volumeId)}`,
  },
  {
    type: "ReservedIp",
    inputs: ({ droplet }) => ({ region, dropletId: Number(droplet.id) }),
    change: ({ other }) => ({ dropletId: Number(other.id) }),
    replacing: ["region", "ams3"],
    drift: {
      shows: "dropletId",
      make: (account, { id }) => account.ask("POST", `/v2/reserved_ips/${id}/actions`, { type: "unassign" }),
    },
    importId: ({ id }) => id,
  },
  {
    type: "Domain",
    inputs: () => ({ name: "lifecycle.example" }),
    replacing: ["name", "other.example"],
    importId: ({ id }) => id,
  },
  {
    type: "DnsRecord",
    inputs: ({ domain }) => ({ domain: domain.id, type: "A", name: "www", value: "203.0.113.9", ttl: 300 }),
    change: () => ({ value: "203.0.113.10", ttl: 60 }),
    replacing: ["type", "TXT"],
    drift: {
      shows: "value",
      make: (account, { id, state }) =>
        account.ask("PUT", `/v2/domains/${String(state.domain)}/records/${id}`, {
          type: "A",
          data: "203.0.113.77",
        }),
    },
    importId: ({ id, state }) => `${String(state.domain)},${id}`,
  },
  {
    type: "Firewall",
    inputs: ({ droplet }) => ({
      name: "fw",
      dropletIds: [Number(droplet.id)],
      tags: ["web"],
      inboundRules: [rule, { protocol: "icmp", sourceAddresses: ["0.0.0.0/0", "::/0"] }],
      outboundRules: [{ protocol: "udp", portRange: "all", destinationAddresses: ["0.0.0.0/0"] }],
    }),
    change: () => ({ inboundRules: [{ ...rule, portRange: "443", sourceTags: ["web"] }] }),
    drift: {
      shows: "inboundRules",
      make: (account, { id }) =>
        account.ask("DELETE", `/v2/firewalls/${id}/rules`, {
          inbound_rules: [{ protocol: "tcp", ports: "22", sources: { addresses: ["192.0.2.0/24"] } }],
        }),
    },
    importId: ({ id }) => id,
  },
  {
    type: "Certificate",
    inputs: ({ domain }) => ({
      name: "cert",
      type: "lets_encrypt",
      domains: [`www.${domain.id}`, domain.id],
    }),
    replacing: ["domains", ["other.example"]],
    importId: ({ id }) => id,
  },
  {
    type: "LoadBalancer",
    inputs: ({ certificate, vpc }) => ({
      ...{
        name: "lb",
        region,
        vpcUuid: vpc.id,
        dropletTag: "web",
        redirectHttpToHttps: true,
        tlsCipherPolicy: "STRONG",
      },
      forwardingRules: [
        {
          entryProtocol: "https",
          entryPort: 443,
          targetProtocol: "https",
          targetPort: 443,
          certificateName: certificate.id,
        },
      ],
      healthcheck: { protocol: "https", port: 443, path: "/health" },
      firewall: { denies: ["cidr:198.51.100.0/24"] },
    }),
    change: () => ({
      sizeUnit: 2,
      enableBackendKeepalive: true,
      httpIdleTimeoutSeconds: 120,
      stickySessions: { type: "cookies", cookieName: "lb", cookieTtlSeconds: 60 },
    }),
    replacing: ["region", "ams3"],
    drift: {
      shows: "redirectHttpToHttps",
      make: async (account, { id }) => {
        const { load_balancer: found } = await account.ask<{ load_balancer: Record<string, unknown> }>(
          "GET",
          `/v2/load_balancers/${id}`,
        );
        const { region: at, droplet_ids: _, ...rest } = found;
        const body = { ...rest, region: (at as { slug: string }).slug, redirect_http_to_https: false };
        await account.ask("PUT", `/v2/load_balancers/${id}`, body);
      },
    },
    importId: ({ id }) => id,
  },
  {
    type: "MonitorAlert",
    inputs: ({ droplet }) => ({ ...alert, entities: [droplet.id] }),
    change: () => ({
      value: 80,
      window: "10m",
      alerts: {
        emails: ["sandbox@example.com"],
        slacks: [{ channel: "#ops", url: "https://hooks.example/T/1" }],
      },
    }),
    drift: {
      shows: "enabled",
      make: (account, { id, state }) =>
        account.ask("PUT", `/v2/monitoring/alerts/${id}`, {
          ...{ type: alert.type, description: "cpu", compare: "GreaterThan", value: 90, window: "5m" },
          ...{
            entities: state.entities,
            tags: [],
            alerts: { email: ["sandbox@example.com"], slack: [] },
            enabled: false,
          },
        }),
    },
    importId: ({ id }) => id,
  },
  {
    type: "UptimeCheck",
    inputs: () => ({ name: "up", target: "https://www.example.com/", regions: ["us_east", "eu_west"] }),
    change: () => ({ target: "https://example.com/", enabled: false }),
    drift: {
      shows: "target",
      make: (account, { id }) =>
        account.ask("PUT", `/v2/uptime/checks/${id}`, {
          name: "up",
          type: "https",
          target: "https://x.example",
          regions: ["us_east", "eu_west"],
          enabled: true,
        }),
    },
    importId: ({ id }) => id,
  },
  {
    type: "UptimeAlert",
    inputs: ({ check }) => ({
      ...{
        name: "down",
        checkId: check.id,
        type: "latency",
        threshold: 300,
        comparison: "greater_than",
        period: "2m",
      },
      notifications: [{ emails: ["sandbox@example.com"] }],
    }),
    change: () => ({ threshold: 500, period: "5m" }),
    importId: ({ id, state }) => `${String(state.checkId)},${id}`,
  },
  {
    type: "Project",
    inputs: ({ other }) => ({ name: "p", environment: "Development", resources: [`do:droplet:${other.id}`] }),
    change: () => ({ description: "changed", environment: "Production", resources: [] }),
    drift: {
      shows: "description",
      make: (account, { id }) => account.ask("PATCH", `/v2/projects/${id}`, { description: "drifted" }),
    },
    importId: ({ id }) => id,
  },
  {
    type: "ProjectResources",
    inputs: ({ project, other }) => ({ project: project.id, resources: [`do:droplet:${other.id}`] }),
    change: ({ droplet }) => ({ resources: [`do:droplet:${droplet.id}`] }),
    replacing: ["project", "another"],
    importId: ({ id }) => id,
  },
];

/** Outputs that come to rest by themselves, a moment after the change. */
const volatile: Record<string, string[]> = { Firewall: ["status", "pendingChanges"] };

/** Shared or singular things that are still there after their resource's end. */
const neverGone = new Set(["ProjectResources"]);

describe("resources of the digitalocean plugin, against the sandbox's API", () => {
  let account: Account;
  let plugin: Plugin;
  let ground: Ground;

  before(async () => {
    account = await Account.open();
    plugin = await Plugin.start(digitalocean, { token, apiEndpoint: account.url });
    const make = (type: string, inputs: PropertyMap) => plugin.create(type, inputs);
    const droplet = (name: string) => make("Droplet", { name, region, size, image });
    const domain = await make("Domain", { name: "ground.example" });
    ground = {
      vpc: await make("Vpc", { name: "ground", region, ipRange: "10.99.0.0/16" }),
      key: await make("SshKey", { name: "ground", publicKey: publicKey() }),
      droplet: await droplet("ground"),
      other: await droplet("other"),
      volume: await make("Volume", { name: "ground", region, size: 1 }),
      domain,
      certificate: await make("Certificate", {
        name: "ground",
        type: "lets_encrypt",
        domains: [`www.${domain.id}`],
      }),
      check: await make("UptimeCheck", {
        name: "ground",
        target: "https://www.example.com/",
        regions: ["us_east"],
      }),
      project: await make("Project", { name: "ground" }),
    };
    for (const name of ["web", "db"]) await make("Tag", { name });
  });

  after(async () => {
    await plugin?.stop();
    await account?.close();
  });

  it("has a case for every resource that the sandbox has", () => {
    const without = [
      "DatabaseCluster",
      "DatabaseFirewall",
      "DatabaseReplica",
      "ReservedIpAssignment",
      "VpcNatGateway",
      // spaces.test.ts has these.
      ...["SpacesBucket", "SpacesBucketObject", "SpacesKey"],
    ];
    const all = digitalocean.resources.map(({ name }) => name);
    assert.deepEqual([...cases.map(({ type }) => type), ...without].sort(), all.sort());
  });

  for (const each of cases) {
    it(`${each.type}: preview, create, no change, update, refresh, drift, import, replace, delete`, async () => {
      const { type } = each;
      let news = each.inputs(ground);
      await previewsAsCreated(plugin, type, news);
      let live = await plugin.create(type, news);
      await assertSettled(plugin, type, live, news);
      if (each.change) {
        const changed = { ...news, ...each.change(ground) };
        live = await assertUpdates(plugin, type, live, changed);
        if (each.oneWay) news = changed;
        else live = await assertUpdates(plugin, type, live, news);
      }
      if (each.replacing)
        await assertReplaces(plugin, type, live, { ...news, [each.replacing[0]]: each.replacing[1] });
      if (each.drift) live = await assertDriftIsRepaired(plugin, type, live, news, each.drift, account);
      if (each.importId)
        await assertImports(plugin, type, live, news, each.importId(live), each.untold ?? []);
      await plugin.delete(type, live);
      if (!neverGone.has(type)) assert.equal(await plugin.read(type, live), undefined, "gone after delete");
      await plugin.delete(type, live);
    });
  }

  it("ReservedIpAssignment: create, refresh, import, unassigned behind our back, delete", async () => {
    const ip = await plugin.create("ReservedIp", { region });
    const inputs = { ipAddress: ip.id, dropletId: Number(ground.droplet.id) };
    const live = await plugin.create("ReservedIpAssignment", inputs);
    assert.ok(await plugin.read("ReservedIpAssignment", live));
    assert.equal(
      (await plugin.read("ReservedIp", ip))?.state.dropletId,
      undefined,
      "the address leaves it alone",
    );
    const imported = await plugin.import("ReservedIpAssignment", `${ip.id},${ground.droplet.id}`);
    assert.deepEqual(imported?.state, live.state);
    await account.ask("POST", `/v2/reserved_ips/${ip.id}/actions`, { type: "unassign" });
    await waitFor("unassigning", async () => (await plugin.read("ReservedIpAssignment", live)) === undefined);
    await plugin.delete("ReservedIpAssignment", live);
    await plugin.delete("ReservedIp", ip);
  });

  it("a volume cannot shrink, and a preview says so", async () => {
    const volume = await plugin.create("Volume", { name: "shrinks", region, size: 10 });
    const inputs = await plugin.checked("Volume", { name: "shrinks", region, size: 5 }, volume.inputs);
    await assert.rejects(plugin.diff("Volume", volume, inputs), /a volume can only grow: "size" is 5 GiB/);
    await plugin.delete("Volume", volume);
  });

  it("the deletion of a VPC waits for deleted members that its VPC still has", async () => {
    const slow = await Account.open(20, 1500);
    const beside = await Plugin.start(digitalocean, { token, apiEndpoint: slow.url });
    try {
      const vpc = await beside.create("Vpc", { name: "v", region });
      const droplet = await beside.create("Droplet", { name: "d", region, size, image, vpcUuid: vpc.id });
      await beside.delete("Droplet", droplet);
      await assert.rejects(slow.ask("DELETE", `/v2/vpcs/${vpc.id}`), /409 .*members/);
      await beside.delete("Vpc", vpc);
      await assert.rejects(slow.ask("GET", `/v2/vpcs/${vpc.id}`), /404/);
    } finally {
      await beside.stop();
      await slow.close();
    }
  });

  it("managed databases and NAT gateways can be checked and previewed, and a create names what is missing", async () => {
    const inputs = await plugin.checked("DatabaseCluster", {
      ...{ name: "db", engine: "mysql", version: "8", size: "db-s-1vcpu-1gb", region, nodeCount: 1 },
    });
    const preview = await plugin.preview("DatabaseCluster", inputs);
    assert.equal(preview.engine, "mysql");
    await assert.rejects(
      plugin.createRaw("DatabaseCluster", inputs, false),
      /this API has no managed databases; in the sandbox you can only preview them/,
    );
    const gateway = { name: "nat", type: "PUBLIC", region, size: 1, vpcs: [{ vpcUuid: ground.vpc.id }] };
    assert.equal(
      (await plugin.preview("VpcNatGateway", await plugin.checked("VpcNatGateway", gateway))).type,
      "PUBLIC",
    );
  });
});

/** What a preview tells must hold after the create. */
async function previewsAsCreated(plugin: Plugin, type: string, news: PropertyMap): Promise<void> {
  const preview = await plugin.preview(type, await plugin.checked(type, news));
  const given = Object.keys(news).filter((key) => preview[key] === undefined);
  assert.deepEqual(given, [], "inputs that a preview forgets");
}

async function assertSettled(plugin: Plugin, type: string, live: Live, news: PropertyMap): Promise<void> {
  const inputs = await plugin.checked(type, news, live.inputs);
  assert.deepEqual((await plugin.diff(type, live, inputs)).changed, [], "no change right after");
  const refreshed = await plugin.read(type, live);
  assert.ok(refreshed, "found by a refresh");
  assert.deepEqual(atRest(type, refreshed.state), atRest(type, live.state), "a refresh finds the same state");
  assert.deepEqual(refreshed.inputs, live.inputs, "a refresh keeps the inputs");
}

function atRest(type: string, state: PropertyMap): PropertyMap {
  const moving = volatile[type] ?? [];
  return Object.fromEntries(Object.entries(state).filter(([key]) => !moving.includes(key)));
}

async function assertUpdates(plugin: Plugin, type: string, live: Live, news: PropertyMap): Promise<Live> {
  const inputs = await plugin.checked(type, news, live.inputs);
  const diff = await plugin.diff(type, live, inputs);
  assert.notDeepEqual(diff.changed, [], "a change is seen");
  assert.deepEqual(diff.replaces, [], "a change in place");
  const previewed = await plugin.updateRaw(type, live, inputs, true);
  const updated = await plugin.update(type, live, news);
  for (const key of diff.changed) {
    if (isZero(previewed[key]) && isZero(updated.state[key])) continue;
    assert.deepEqual(previewed[key], updated.state[key], `preview of ${key}`);
  }
  await assertSettled(plugin, type, updated, news);
  return updated;
}

async function assertReplaces(plugin: Plugin, type: string, live: Live, news: PropertyMap): Promise<void> {
  const inputs = await plugin.checked(type, news, live.inputs);
  const diff = await plugin.diff(type, live, inputs);
  assert.ok(diff.replaces.length > 0, "replaces");
  for (const key of diff.replaces) assert.match(diff.kinds[key] ?? "", /_REPLACE$/);
}

async function assertDriftIsRepaired(
  plugin: Plugin,
  type: string,
  live: Live,
  news: PropertyMap,
  drift: NonNullable<Case["drift"]>,
  account: Account,
): Promise<Live> {
  await drift.make(account, live);
  let refreshed: Live | undefined;
  const deadline = performance.now() + 5000;
  do {
    refreshed = await plugin.read(type, live);
    assert.ok(refreshed);
  } while (JSON.stringify(refreshed.state) === JSON.stringify(live.state) && performance.now() < deadline);
  assert.notDeepEqual(refreshed.inputs[drift.shows], live.inputs[drift.shows], "inputs show the drift");
  const inputs = await plugin.checked(type, news, refreshed.inputs);
  const diff = await plugin.diff(type, refreshed, inputs);
  assert.ok(
    diff.changed.includes(drift.shows),
    `the drift of ${drift.shows} is seen, not only ${diff.changed.join(", ")}`,
  );
  const repaired = await plugin.update(type, refreshed, news);
  await assertSettled(plugin, type, repaired, news);
  return repaired;
}

async function assertImports(
  plugin: Plugin,
  type: string,
  live: Live,
  news: PropertyMap,
  id: string,
  untold: readonly string[],
): Promise<void> {
  const imported = await plugin.import(type, id);
  assert.ok(imported, "found by its import id");
  if (type !== "VolumeAttachment") assert.equal(imported.id, live.id);
  const diff = await plugin.diff(type, imported, await plugin.checked(type, news, imported.inputs));
  assert.deepEqual(diff.changed, [...untold].sort(), "an import agrees with the program");
  const again = await plugin.checked(type, imported.inputs);
  assert.deepEqual(
    (await plugin.diff(type, imported, again)).changed,
    [],
    "imported inputs make the imported state",
  );
}
