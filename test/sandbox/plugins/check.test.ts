import assert from "node:assert/strict";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { digitalocean } from "../../../sandbox/plugins/digitalocean/provider";
import { type PropertyMap, UNKNOWN } from "../../../sandbox/plugins/provider/values";
import { Plugin, secretNames } from "./harness";

const droplet = { name: "d", size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64" };
const rule = { entryProtocol: "https", entryPort: 443, targetProtocol: "https", targetPort: 443 };
const balancer = { name: "lb", region: "nyc3", forwardingRules: [rule] };

/** Inputs and what check must say about them; the path is where it must point. */
const refusals: { of: string; type: string; inputs: PropertyMap; says: RegExp }[] = [
  {
    of: "a missing input",
    type: "Droplet",
    inputs: { name: "d", image: "i" },
    says: /"size" is required.*'it\.size'/,
  },
  {
    of: "an unknown input",
    type: "Droplet",
    inputs: { ...droplet, colour: "red" },
    says: /unknown key.*'it\.colour'/,
  },
  {
    of: "an output as an input",
    type: "Droplet",
    inputs: { ...droplet, ipv4Address: "1.2.3.4" },
    says: /unknown key.*'it\.ipv4Address'/,
  },
  {
    of: "a wrong type",
    type: "Droplet",
    inputs: { ...droplet, tags: "web" },
    says: /Expected a list, got a string.*'it\.tags'/,
  },
  {
    of: "a wrong boolean",
    type: "Droplet",
    inputs: { ...droplet, ipv6: "maybe" },
    says: /Expected a boolean.*'it\.ipv6'/,
  },
  {
    of: "an empty string",
    type: "Droplet",
    inputs: { ...droplet, size: "" },
    says: /must not be empty.*'it\.size'/,
  },
  {
    of: "a bad tag",
    type: "Droplet",
    inputs: { ...droplet, tags: ["ok", "not ok"] },
    says: /letters, digits.*'it\.tags\[1\]'/,
  },
  {
    of: "a backup policy without backups",
    type: "Droplet",
    inputs: { ...droplet, backupPolicy: { plan: "daily" } },
    says: /backups are enabled.*'it\.backupPolicy'/,
  },
  {
    of: "a missing nested input",
    type: "LoadBalancer",
    inputs: {
      ...balancer,
      forwardingRules: [{ entryProtocol: "http", targetProtocol: "http", targetPort: 80 }],
    },
    says: /"entryPort" is required.*'it\.forwardingRules\[0\]\.entryPort'/,
  },
  {
    of: "an unknown nested input",
    type: "LoadBalancer",
    inputs: { ...balancer, forwardingRules: [{ ...rule, ca: "x" }] },
    says: /unknown key.*'it\.forwardingRules\[0\]\.ca'/,
  },
  {
    of: "a port out of range",
    type: "LoadBalancer",
    inputs: { ...balancer, forwardingRules: [{ ...rule, targetPort: 0 }] },
    says: /must be 1 to 65535.*targetPort'/,
  },
  {
    of: "a protocol that is none",
    type: "LoadBalancer",
    inputs: { ...balancer, forwardingRules: [{ ...rule, entryProtocol: "ftp" }] },
    says: /must be one of http, https/,
  },
  {
    of: "conflicting inputs",
    type: "LoadBalancer",
    inputs: { ...balancer, dropletIds: [1], dropletTag: "web" },
    says: /"dropletIds" conflicts with "dropletTag"/,
  },
  {
    of: "a health check without its path",
    type: "LoadBalancer",
    inputs: { ...balancer, healthcheck: { protocol: "http", port: 80 } },
    says: /"path" is required.*'it\.healthcheck\.path'/,
  },
  {
    of: "a TCP health check with a path",
    type: "LoadBalancer",
    inputs: { ...balancer, healthcheck: { protocol: "tcp", port: 80, path: "/" } },
    says: /"path" is not allowed/,
  },
  {
    of: "cookies without a name",
    type: "LoadBalancer",
    inputs: { ...balancer, stickySessions: { type: "cookies", cookieTtlSeconds: 5 } },
    says: /"cookieName" is required/,
  },
  {
    of: "a load balancer without a region",
    type: "LoadBalancer",
    inputs: { name: "lb", forwardingRules: [rule] },
    says: /Missing "region"/,
  },
  { of: "a firewall without rules", type: "Firewall", inputs: { name: "f" }, says: /At least one rule/ },
  {
    of: "a TCP rule without ports",
    type: "Firewall",
    inputs: { name: "f", inboundRules: [{ protocol: "tcp" }] },
    says: /'it\.inboundRules\[0\]\.portRange'/,
  },
  {
    of: "an MX record without priority",
    type: "DnsRecord",
    inputs: { domain: "e.com", type: "MX", name: "@", value: "m." },
    says: /"priority" is required when type is MX/,
  },
  {
    of: "a CAA record without flags",
    type: "DnsRecord",
    inputs: { domain: "e.com", type: "CAA", name: "@", value: "m.", tag: "issue" },
    says: /"flags" is required/,
  },
  {
    of: "a Let's Encrypt certificate without domains",
    type: "Certificate",
    inputs: { name: "c", type: "lets_encrypt" },
    says: /"domains" is required/,
  },
  {
    of: "a custom certificate without a key",
    type: "Certificate",
    inputs: { name: "c", leafCertificate: "x" },
    says: /"privateKey" is required/,
  },
  {
    of: "an alert on an unknown metric",
    type: "MonitorAlert",
    inputs: { type: "v1/x", compare: "GreaterThan", description: "d", value: 1, window: "5m", alerts: {} },
    says: /must be one of v1\/insights/,
  },
  {
    of: "an alert window that is none",
    type: "MonitorAlert",
    inputs: {
      type: "v1/insights/droplet/cpu",
      compare: "GreaterThan",
      description: "d",
      value: 1,
      window: "7m",
      alerts: {},
    },
    says: /must be one of 5m, 10m/,
  },
  {
    of: "a range that is none",
    type: "Vpc",
    inputs: { name: "v", region: "nyc3", ipRange: "10.0.0.0/99" },
    says: /CIDR notation/,
  },
  {
    of: "a volume of no size",
    type: "Volume",
    inputs: { name: "v", region: "nyc3", size: 0 },
    says: /must be 1 or more/,
  },
  {
    of: "half a gibibyte",
    type: "Volume",
    inputs: { name: "v", region: "nyc3", size: 1.5 },
    says: /whole number/,
  },
  {
    of: "a project name that is too long",
    type: "Project",
    inputs: { name: "x".repeat(176) },
    says: /1 to 175 characters/,
  },
  {
    of: "a cluster without a version",
    type: "DatabaseCluster",
    inputs: { name: "d", engine: "mysql", size: "s", region: "nyc3", nodeCount: 1 },
    says: /"version" is required/,
  },
];

describe("check of the digitalocean plugin", () => {
  let plugin: Plugin;

  before(async () => {
    plugin = await Plugin.start(digitalocean, { token: "t0ken", apiEndpoint: "http://127.0.0.1:1" });
  });
  after(() => plugin.stop());

  for (const { of: what, type, inputs, says } of refusals) {
    it(`refuses ${what}`, async () => {
      const { failures } = await plugin.check(type, inputs);
      assert.equal(failures.length, 1, failures.join("\n"));
      assert.match(failures[0] ?? "", says);
    });
  }

  it("lists everything that is wrong at once", async () => {
    const { failures } = await plugin.check("Droplet", { name: "d", colour: "red" });
    assert.equal(failures.length, 3, failures.join("\n"));
  });

  it("never quotes a value, which may be secret", async () => {
    const secret = "hunter2-hunter2";
    const wrong: PropertyMap = {
      ...droplet,
      userData: [secret],
      tags: [`${secret} `],
      region: { secret },
      backups: secret,
    };
    const { failures } = await plugin.check("Droplet", wrong);
    assert.ok(failures.length >= 4);
    assert.ok(!failures.join("\n").includes(secret), failures.join("\n"));
    const key = await plugin.check("Certificate", { name: "c", privateKey: [secret], leafCertificate: 1 });
    assert.ok(!key.failures.join("\n").includes(secret));
  });

  it("fills in the official defaults and says which", async () => {
    const { inputs } = await plugin.check("Droplet", droplet);
    assert.deepEqual(inputs, {
      ...droplet,
      ...{ backups: false, ipv6: false, monitoring: false, gracefulShutdown: false, resizeDisk: true },
      __defaults: ["backups", "gracefulShutdown", "ipv6", "monitoring", "resizeDisk"],
    });
    const lb = await plugin.check("LoadBalancer", {
      ...balancer,
      healthcheck: { protocol: "tcp", port: 443 },
    });
    assert.deepEqual(lb.inputs.forwardingRules, [
      { ...rule, tlsPassthrough: false, __defaults: ["tlsPassthrough"] },
    ]);
    const { __defaults: _, ...healthcheck } = lb.inputs.healthcheck as PropertyMap;
    assert.deepEqual(healthcheck, {
      ...{ protocol: "tcp", port: 443, checkIntervalSeconds: 10, responseTimeoutSeconds: 5 },
      ...{ unhealthyThreshold: 3, healthyThreshold: 5 },
    });
    assert.equal(lb.inputs.algorithm, "round_robin");
    assert.equal(
      (await plugin.check("Certificate", { name: "c", privateKey: "k", leafCertificate: "l" })).inputs.type,
      "custom",
    );
    assert.equal((await plugin.check("Project", { name: "p" })).inputs.purpose, "Web Application");
    assert.equal((await plugin.check("UptimeCheck", { name: "u", target: "t" })).inputs.type, "https");
  });

  it("converts what the official provider converts", async () => {
    const { inputs, failures } = await plugin.check("Firewall", {
      ...{ name: "f", dropletIds: ["101"], tags: ["web"] },
      inboundRules: [{ protocol: "tcp", portRange: 443, sourceDropletIds: ["102"] }],
    });
    assert.deepEqual(failures, []);
    assert.deepEqual(inputs.dropletIds, [101]);
    const [only] = inputs.inboundRules as PropertyMap[];
    assert.equal(only?.portRange, "443");
    assert.deepEqual(only?.sourceDropletIds, [102]);
  });

  it("lets unknown values pass everywhere", async () => {
    const { inputs, failures } = await plugin.check("LoadBalancer", {
      ...{ name: UNKNOWN, region: UNKNOWN, type: UNKNOWN, dropletIds: [UNKNOWN], vpcUuid: UNKNOWN },
      forwardingRules: [{ ...rule, certificateName: UNKNOWN }],
      healthcheck: { protocol: UNKNOWN, port: UNKNOWN },
    });
    assert.deepEqual(failures, []);
    assert.equal(inputs.name, UNKNOWN);
    assert.deepEqual((await plugin.check("Firewall", { name: "f", inboundRules: UNKNOWN })).failures, []);
    assert.deepEqual((await plugin.check("Certificate", { name: "c", type: UNKNOWN })).failures, []);
  });

  describe("auto-naming", () => {
    const unnamed = { size: "s-1vcpu-1gb", image: "ubuntu-24-04-x64" };

    it("makes a name of the resource's, keeps it later, and says that it did", async () => {
      const { inputs } = await plugin.check("Droplet", unnamed);
      assert.match(String(inputs.name), /^it-[0-9a-f]{7}$/);
      assert.ok((inputs.__defaults as string[]).includes("name"));
      assert.equal((await plugin.check("Droplet", unnamed, inputs)).inputs.name, inputs.name);
    });

    it("makes the same name of the same seed", async () => {
      const seeded = (request: rpc.CheckRequest) => request.setRandomseed(Buffer.from("a seed"));
      const names = await Promise.all(
        [1, 2].map(async () => (await plugin.check("Droplet", unnamed, {}, seeded)).inputs.name),
      );
      assert.equal(names[0], names[1]);
    });

    it("takes the engine's proposal, and none where it is switched off", async () => {
      const { Mode } = rpc.CheckRequest.AutonamingOptions;
      const asked = (mode: (typeof Mode)[keyof typeof Mode]) => (request: rpc.CheckRequest) => {
        const options = new rpc.CheckRequest.AutonamingOptions();
        options.setProposedName("proposed");
        options.setMode(mode);
        request.setAutonaming(options);
      };
      assert.equal((await plugin.check("Droplet", unnamed, {}, asked(Mode.ENFORCE))).inputs.name, "proposed");
      const { failures } = await plugin.check("Droplet", unnamed, {}, asked(Mode.DISABLE));
      assert.match(failures.join(), /"name" is required/);
    });
  });

  describe("diff", () => {
    it("replaces on every property that the table says, and deletes first where the name is the program's", async () => {
      const live = { id: "1", ...(await stateOf(plugin, "Droplet", { ...droplet, region: "nyc3" })) };
      for (const [key, value] of Object.entries({
        image: "x",
        region: "ams3",
        userData: "#!",
        monitoring: true,
        vpcUuid: "v",
        sshKeys: ["1"],
        dropletAgent: true,
        publicNetworking: true,
      })) {
        const diff = await plugin.diff(
          "Droplet",
          live,
          await plugin.checked("Droplet", { ...droplet, region: "nyc3", [key]: value }),
        );
        assert.deepEqual([diff.replaces, diff.deleteBeforeReplace], [[key], true], key);
      }
      const renamed = await plugin.checked("Droplet", {
        ...droplet,
        region: "nyc3",
        name: "other",
        image: "x",
      });
      assert.equal(
        (await plugin.diff("Droplet", live, renamed)).deleteBeforeReplace,
        true,
        "another name too",
      );
      const { name: _, ...unnamed } = droplet;
      const automatic = { id: "1", ...(await stateOf(plugin, "Droplet", unnamed)) };
      const other = await plugin.checked("Droplet", { ...unnamed, image: "x" }, automatic.inputs);
      const { replaces, deleteBeforeReplace } = await plugin.diff("Droplet", automatic, other);
      assert.deepEqual([replaces, deleteBeforeReplace], [["image"], false], "an automatic name");
    });

    it("replaces a droplet that gives up IPv6, and updates one that takes it", async () => {
      const without = { id: "1", ...(await stateOf(plugin, "Droplet", droplet)) };
      const withIpv6 = { id: "1", ...(await stateOf(plugin, "Droplet", { ...droplet, ipv6: true })) };
      assert.deepEqual((await plugin.diff("Droplet", without, withIpv6.inputs)).replaces, []);
      assert.deepEqual((await plugin.diff("Droplet", withIpv6, without.inputs)).replaces, ["ipv6"]);
    });

    it("keeps the hash of user data alone, and sees a change of one byte of it", async () => {
      const userData = "#cloud-config\nhostname: a\n";
      const live = { id: "1", ...(await stateOf(plugin, "Droplet", { ...droplet, userData })) };
      assert.match(String(live.state.userData), /^[0-9a-f]{40}$/);
      assert.deepEqual((await plugin.diff("Droplet", live, live.inputs)).changed, []);
      const changed = await plugin.checked("Droplet", {
        ...droplet,
        userData: userData.replace("a\n", "b\n"),
      });
      assert.deepEqual((await plugin.diff("Droplet", live, changed)).replaces, ["userData"]);
    });

    it("takes an unknown value for a change, and what the API decides for none", async () => {
      const live = {
        id: "1",
        ...(await stateOf(plugin, "Droplet", { ...droplet, region: "nyc3", vpcUuid: "v" })),
      };
      const { vpcUuid: _, ...without } = live.inputs;
      assert.deepEqual((await plugin.diff("Droplet", live, without)).changed, []);
      assert.deepEqual((await plugin.diff("Droplet", live, { ...live.inputs, vpcUuid: UNKNOWN })).replaces, [
        "vpcUuid",
      ]);
    });

    it("does not mind the order in a set, nor the case of a slug", async () => {
      const inputs = { ...droplet, region: "nyc3", tags: ["a", "b"] };
      const live = { id: "1", ...(await stateOf(plugin, "Droplet", inputs)) };
      const other = await plugin.checked("Droplet", { ...inputs, region: "NYC3", tags: ["B", "a"] });
      assert.deepEqual((await plugin.diff("Droplet", live, other)).changed, []);
      const fewer = await plugin.checked("Droplet", { ...inputs, tags: ["a"] });
      assert.deepEqual((await plugin.diff("Droplet", live, fewer)).kinds, { tags: "UPDATE" });
    });

    it("takes a record's short name and its full one for the same", async () => {
      const inputs = { domain: "e.com", type: "CNAME", name: "www", value: "@", ttl: 60 };
      const live = { id: "1", ...(await stateOf(plugin, "DnsRecord", inputs)) };
      const other = await plugin.checked("DnsRecord", { ...inputs, name: "www.e.com.", value: "e.com." });
      assert.deepEqual((await plugin.diff("DnsRecord", live, other)).changed, []);
      const another = await plugin.checked("DnsRecord", { ...inputs, name: "mail.e.com." });
      assert.deepEqual((await plugin.diff("DnsRecord", live, another)).changed, ["name"]);
    });
  });

  it("marks what the schema calls secret, in a preview too", async () => {
    const inputs = await plugin.checked("DatabaseCluster", {
      ...{ name: "d", engine: "mysql", version: "8", size: "s", region: "nyc3", nodeCount: 1 },
    });
    const response = await plugin.createRaw("DatabaseCluster", inputs, true);
    assert.deepEqual(secretNames(response.getProperties()), [
      "password",
      "privateUri",
      "uiPassword",
      "uiUri",
      "uri",
    ]);
  });

  it("says which resource types and functions it does not have", async () => {
    await assert.rejects(
      plugin.check("KubernetesCluster", {}),
      /has no resource type digitalocean:index\/kubernetesCluster/,
    );
    await assert.rejects(plugin.invoke("getSnapshot", {}), /has no function/);
  });
});

/** The inputs, checked, and the state that they alone would make. */
async function stateOf(plugin: Plugin, type: string, news: PropertyMap) {
  const inputs = await plugin.checked(type, news);
  const preview = await plugin.preview(type, inputs);
  const state = Object.fromEntries(Object.entries(preview).filter(([, value]) => value !== UNKNOWN));
  return { inputs, state };
}
