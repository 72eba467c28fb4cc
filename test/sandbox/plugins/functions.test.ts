import assert from "node:assert/strict";
import { digitalocean } from "../../../sandbox/plugins/digitalocean/provider";
import type { PropertyMap } from "../../../sandbox/plugins/provider/values";
import { Account, token } from "./account";
import { type Live, Plugin } from "./harness";

const region = "nyc3";

describe("functions of the digitalocean plugin, against the sandbox's API", () => {
  let account: Account;
  let plugin: Plugin;
  let live: { vpc: Live; key: Live; droplet: Live; domain: Live; certificate: Live; balancer: Live };

  before(async () => {
    account = await Account.open();
    plugin = await Plugin.start(digitalocean, { token, apiEndpoint: account.url });
    const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJzZ6uF6rPN1KQq6Fo7VJY7m8aJc0v1p4lq0c1b0mC2X it";
    const vpc = await plugin.create("Vpc", { name: "v", region, ipRange: "10.20.0.0/16" });
    const key = await plugin.create("SshKey", { name: "k", publicKey });
    const droplet = await plugin.create("Droplet", {
      ...{
        name: "d",
        region,
        size: "s-1vcpu-1gb",
        image: "ubuntu-24-04-x64",
        vpcUuid: vpc.id,
        tags: ["only"],
      },
    });
    const domain = await plugin.create("Domain", { name: "functions.example" });
    const certificate = await plugin.create("Certificate", {
      ...{ name: "c", type: "lets_encrypt", domains: ["www.functions.example"] },
    });
    const balancer = await plugin.create("LoadBalancer", {
      ...{ name: "lb", region, dropletTag: "only" },
      forwardingRules: [
        {
          entryProtocol: "https",
          entryPort: 443,
          targetProtocol: "http",
          targetPort: 80,
          certificateName: "c",
        },
      ],
    });
    live = { vpc, key, droplet, domain, certificate, balancer };
  });

  after(async () => {
    await plugin?.stop();
    await account?.close();
  });

  /** Every output that the table promises is there, and nothing else. */
  function assertComplete(name: string, outputs: PropertyMap): void {
    const type = digitalocean.functions.find((candidate) => candidate.name === name);
    const promised = Object.entries(type?.outputs ?? {}).filter(([, field]) => field.presence !== "optional");
    assert.deepEqual(
      promised.map(([key]) => key).filter((key) => outputs[key] === undefined),
      [],
      "promised and absent",
    );
    const known = new Set(Object.keys(type?.outputs ?? {}));
    assert.deepEqual(
      Object.keys(outputs).filter((key) => !known.has(key)),
      [],
      "present and not promised",
    );
  }

  async function invoke(name: string, args: PropertyMap = {}): Promise<PropertyMap> {
    const outputs = await plugin.invoke(name, args);
    assertComplete(name, outputs);
    return outputs;
  }

  it("getAccount", async () => {
    const { email, status } = await invoke("getAccount");
    assert.deepEqual([email, status], ["sandbox@example.com", "active"]);
  });

  it("getRegion, and the known regions if it does not exist", async () => {
    const found = await invoke("getRegion", { slug: region });
    assert.equal(found.available, true);
    assert.ok((found.sizes as string[]).includes("s-1vcpu-1gb"));
    await assert.rejects(
      plugin.invoke("getRegion", { slug: "mars1" }),
      /region "mars1" does not exist\. Known regions: .*nyc3/,
    );
  });

  it("getRegions, filtered and sorted", async () => {
    const { regions } = await invoke("getRegions", {
      filters: [{ key: "slug", values: ["nyc3", "ams3", "fra1"] }],
      sorts: [{ key: "slug", direction: "desc" }],
    });
    assert.deepEqual(
      (regions as PropertyMap[]).map(({ slug }) => slug),
      ["nyc3", "fra1", "ams3"],
    );
  });

  describe("getSizes", () => {
    const slugs = async (args: PropertyMap) =>
      ((await invoke("getSizes", args)).sizes as PropertyMap[]).map(({ slug }) => String(slug));

    it("all", async () => {
      assert.ok((await slugs({})).length > 20);
    });

    it("by number, text, list and truth, each filter in turn", async () => {
      const found = await slugs({
        filters: [
          { key: "vcpus", values: ["1", "2"] },
          { key: "memory", values: ["2048"] },
          { key: "regions", values: [region] },
          { key: "available", values: ["true"] },
        ],
      });
      assert.ok(found.includes("s-1vcpu-2gb") && found.includes("s-2vcpu-2gb"));
      assert.ok(found.every((slug) => slug.includes("2gb")));
    });

    it("by substring, regular expression and all values", async () => {
      assert.ok(
        (await slugs({ filters: [{ key: "slug", values: ["amd"], matchBy: "substring" }] })).every((slug) =>
          slug.endsWith("-amd"),
        ),
      );
      assert.deepEqual(
        await slugs({ filters: [{ key: "slug", values: ["^s-1vcpu-1gb$"], matchBy: "re" }] }),
        ["s-1vcpu-1gb"],
      );
      const everywhere = await slugs({ filters: [{ key: "regions", values: [region, "ams3"], all: true }] });
      assert.ok(everywhere.includes("s-1vcpu-1gb"));
      assert.deepEqual(
        await slugs({ filters: [{ key: "regions", values: [region, "mars1"], all: true }] }),
        [],
      );
    });

    it("by price, the cheapest first", async () => {
      const { sizes } = await invoke("getSizes", {
        sorts: [{ key: "price_monthly" }, { key: "slug", direction: "asc" }],
      });
      const prices = (sizes as PropertyMap[]).map(({ priceMonthly }) => Number(priceMonthly));
      assert.deepEqual(
        prices,
        [...prices].sort((left, right) => left - right),
      );
    });

    it("refuses an unknown key, and lists the known ones", async () => {
      await assert.rejects(
        plugin.invoke("getSizes", { filters: [{ key: "colour", values: ["red"] }] }),
        /must be one of slug, regions/,
      );
    });
  });

  it("getImage, by slug, id and name", async () => {
    const bySlug = await invoke("getImage", { slug: "ubuntu-24-04-x64" });
    assert.equal(bySlug.private, false);
    assert.equal((await invoke("getImage", { id: bySlug.id! })).slug, "ubuntu-24-04-x64");
    assert.equal(
      (await invoke("getImage", { name: bySlug.name!, source: "distributions" })).distribution,
      bySlug.distribution,
    );
    await assert.rejects(plugin.invoke("getImage", { slug: "beos-5" }), /no image with the slug "beos-5"/);
    await assert.rejects(plugin.invoke("getImage", {}), /getImage: set exactly one of id, name and slug/);
  });

  it("getDroplet, by id, name and tag", async () => {
    for (const args of [{ id: Number(live.droplet.id) }, { name: "d" }, { tag: "only" }]) {
      const found = await invoke("getDroplet", args);
      assert.equal(found.id, Number(live.droplet.id));
      assert.equal(found.ipv4Address, live.droplet.state.ipv4Address);
      assert.equal(found.urn, live.droplet.state.dropletUrn);
    }
    await assert.rejects(
      plugin.invoke("getDroplet", { name: "nobody" }),
      /no droplet with the name "nobody"/,
    );
  });

  it("getDroplets, filtered", async () => {
    const { droplets } = await invoke("getDroplets", { filters: [{ key: "tags", values: ["only"] }] });
    assert.deepEqual(
      (droplets as PropertyMap[]).map(({ name }) => name),
      ["d"],
    );
    assert.deepEqual(
      (await invoke("getDroplets", { filters: [{ key: "region", values: ["ams3"] }] })).droplets,
      [],
    );
  });

  it("getVpc, by id, name and region", async () => {
    assert.equal((await invoke("getVpc", { id: live.vpc.id })).name, "v");
    assert.equal((await invoke("getVpc", { name: "v" })).ipRange, "10.20.0.0/16");
    const fallback = await account.ask<{ vpcs: { default: boolean; region: string }[] }>("GET", "/v2/vpcs");
    const isThere = fallback.vpcs.some((vpc) => vpc.default && vpc.region === region);
    if (isThere) assert.equal((await invoke("getVpc", { region })).default, true);
    else await assert.rejects(plugin.invoke("getVpc", { region }), /no default VPC/);
  });

  it("getSshKey and getSshKeys", async () => {
    assert.equal((await invoke("getSshKey", { name: "k" })).id, Number(live.key.id));
    const { sshKeys } = await invoke("getSshKeys", {
      filters: [{ key: "fingerprint", values: [String(live.key.state.fingerprint)] }],
    });
    assert.equal((sshKeys as unknown[]).length, 1);
    await assert.rejects(plugin.invoke("getSshKey", { name: "nobody" }), /no SSH key named "nobody"/);
  });

  it("getDomain", async () => {
    const found = await invoke("getDomain", { name: "functions.example" });
    assert.equal(found.domainUrn, live.domain.state.domainUrn);
    assert.match(String(found.zoneFile), /functions\.example/);
    await assert.rejects(
      plugin.invoke("getDomain", { name: "absent.example" }),
      /no domain named "absent.example"/,
    );
  });

  it("getCertificate", async () => {
    const found = await invoke("getCertificate", { name: "c" });
    assert.deepEqual([found.uuid, found.domains], [live.certificate.state.uuid, ["www.functions.example"]]);
    await assert.rejects(
      plugin.invoke("getCertificate", { name: "absent" }),
      /certificate "absent" not found/,
    );
  });

  it("getLoadBalancer, by id and name", async () => {
    for (const args of [{ id: live.balancer.id }, { name: "lb" }]) {
      const found = await invoke("getLoadBalancer", args);
      assert.equal(found.ip, live.balancer.state.ip);
      const [rule] = found.forwardingRules as PropertyMap[];
      assert.equal(rule?.certificateName, "c");
      assert.equal((found.healthchecks as unknown[]).length, 1);
    }
    await assert.rejects(
      plugin.invoke("getLoadBalancer", { name: "absent" }),
      /no load balancer named "absent"/,
    );
  });

  it("has a test for every function", function () {
    const text = (this.test?.parent?.tests ?? []).map(({ title }) => title).join(" ");
    const missing = digitalocean.functions
      .map(({ name }) => name)
      .filter((name) => name !== "getSizes" && !text.includes(name));
    assert.deepEqual(missing, []);
  });
});
