import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { PulumiFn, Stack } from "@pulumi/pulumi/automation";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";
import { waitFor } from "../../waitFor";
import { Account, token } from "./account";
import { cliPath, Engine } from "./engine";

interface Deployment {
  resources: {
    urn: string;
    type: string;
    id?: string;
    inputs: Record<string, unknown>;
    outputs: Record<string, unknown>;
  }[];
}

const region = "nyc3";

/** A small stack; the options are what the tests change. */
function program(
  options: { size?: string; packages?: string; tags?: string[]; withRecord?: boolean } = {},
): PulumiFn {
  return async () => {
    const vpc = new digitalocean.Vpc("vpc", { name: "engine", region, ipRange: "10.50.0.0/16" });
    const password = new random.RandomPassword("password", { length: 24, special: false });
    const key = new tls.PrivateKey("key", { algorithm: "ECDSA", ecdsaCurve: "P256" });
    const userData = pulumi.interpolate`#cloud-config\n# ${password.result}\npackages: [${options.packages ?? "nginx"}]\n`;
    const droplet = new digitalocean.Droplet("web", {
      ...{
        name: "web",
        region,
        size: options.size ?? "s-1vcpu-1gb",
        image: "ubuntu-24-04-x64",
        vpcUuid: vpc.id,
      },
      ...{ userData, tags: options.tags ?? ["web"], resizeDisk: false },
    });
    const firewall = new digitalocean.Firewall("firewall", {
      name: "engine",
      dropletIds: [droplet.id.apply(Number)],
      inboundRules: [{ protocol: "tcp", portRange: "443", sourceAddresses: ["0.0.0.0/0", "::/0"] }],
    });
    const domain = new digitalocean.Domain("domain", { name: "engine.example" });
    if (options.withRecord !== false) {
      new digitalocean.DnsRecord("record", {
        domain: domain.id,
        type: "A",
        name: "www",
        value: droplet.ipv4Address,
        ttl: 60,
      });
    }
    const sizes = await digitalocean.getSizes({ filters: [{ key: "slug", values: ["s-1vcpu-1gb"] }] });
    return {
      dropletId: droplet.id,
      address: droplet.ipv4Address,
      firewallId: firewall.id,
      vpcId: vpc.id,
      password: password.result,
      publicKey: key.publicKeyPem,
      price: sizes.sizes[0]?.priceMonthly,
    };
  };
}

class Unchecked extends pulumi.CustomResource {}

describe("the stand-ins under the real engine", function () {
  this.timeout(180_000);
  let engine: Engine;
  let account: Account;
  let stack: Stack;

  const up = (fn: PulumiFn) => stack.up({ program: fn });
  const changes = (result: { summary: { resourceChanges?: object | undefined } }) =>
    Object.fromEntries(
      Object.entries(result.summary.resourceChanges ?? {}).filter(([, count]) => count !== 0),
    );
  const droplets = async (of: Stack) =>
    ((await of.exportStack()).deployment as Deployment).resources.filter(({ type }) =>
      type.endsWith(":Droplet"),
    );
  const config = (of: Account) => ({
    "digitalocean:token": { value: token, secret: true },
    "digitalocean:apiEndpoint": { value: of.url },
  });

  before(async function () {
    engine = await Engine.start(await cliPath(this));
    account = await Account.open();
    stack = await engine.stack("dev", config(account));
  });

  after(async () => {
    engine?.stop();
    await account?.close();
  });

  it("previews with unknowns, without a request that changes anything", async () => {
    const preview = await stack.preview({ program: program() });
    assert.equal(preview.changeSummary.create, 8); // with the stack itself
    assert.deepEqual(
      (await account.ask<{ vpcs: { name: string }[] }>("GET", "/v2/vpcs")).vpcs.filter(
        (vpc) => vpc.name === "engine",
      ),
      [],
    );
  });

  it("creates, and a second up changes nothing", async () => {
    const first = await up(program());
    assert.deepEqual(changes(first), { create: 8 });
    assert.match(String(first.outputs.address?.value), /^\d+\.\d+\.\d+\.\d+$/);
    assert.equal(first.outputs.password?.secret, true);
    assert.equal(first.outputs.price?.value, 6);
    assert.deepEqual(changes(await up(program())), { same: 8 });
  });

  it("keeps no secret in plain text in the state", async () => {
    const { password, publicKey } = await stack.outputs();
    assert.equal(publicKey?.secret, false);
    const state = engine.stateFile("dev");
    assert.ok(state.includes("digitalocean:index/droplet:Droplet"), "this is the state");
    assert.ok(!state.includes(String(password?.value)), "the password, by itself or in the user data");
    assert.ok(!state.includes("PRIVATE KEY"), "the private key");
    assert.ok(!state.includes(token), "the token");
    const { resources } = (JSON.parse(state) as { checkpoint: { latest: Deployment } }).checkpoint.latest;
    const { inputs, outputs } = resources.find(({ type }) => type === "digitalocean:index/droplet:Droplet")!;
    assert.ok("ciphertext" in (inputs.userData as object) && "ciphertext" in (outputs.userData as object));
  });

  it("updates in place what can be, and replaces what cannot, the old one first", async () => {
    const before = (await stack.outputs()).dropletId?.value;
    assert.deepEqual(changes(await up(program({ size: "s-1vcpu-2gb", tags: ["web", "more"] }))), {
      same: 7,
      update: 1,
    });
    assert.equal((await stack.outputs()).dropletId?.value, before);
    const result = await up(program({ packages: "haproxy" }));
    const { replace, ...rest } = changes(result) as Record<string, number>;
    assert.equal(replace, 1, JSON.stringify(rest));
    assert.notEqual((await stack.outputs()).dropletId?.value, before);
    const { droplets } = await account.ask<{ droplets: { name: string }[] }>("GET", "/v2/droplets");
    assert.deepEqual(
      droplets.map(({ name }) => name),
      ["web"],
    );
  });

  it("shows drift in a refresh, repairs it in an up, and makes again what is gone", async () => {
    const outputs = await stack.outputs();
    const records = `/v2/domains/engine.example/records`;
    const { domain_records: found } = await account.ask<{ domain_records: { id: number; type: string }[] }>(
      "GET",
      records,
    );
    const record = found.find(({ type }) => type === "A")!;
    await account.ask("PUT", `${records}/${record.id}`, { type: "A", data: "203.0.113.99" });
    await account.ask("DELETE", `/v2/firewalls/${String(outputs.firewallId?.value)}`);
    const refresh = await stack.refresh();
    assert.deepEqual(changes(refresh), { same: 6, update: 1, delete: 1 });
    const result = await up(program({ packages: "haproxy" }));
    assert.deepEqual(changes(result), { same: 6, update: 1, create: 1 });
    const { domain_record: repaired } = await account.ask<{ domain_record: { data: string } }>(
      "GET",
      `${records}/${record.id}`,
    );
    assert.equal(repaired.data, outputs.address?.value);
    assert.deepEqual(changes(await up(program({ packages: "haproxy" }))), { same: 8 });
  });

  it("imports what was made without Pulumi", async () => {
    const { vpc } = await account.ask<{ vpc: { id: string } }>("POST", "/v2/vpcs", {
      name: "found",
      region,
      ip_range: "10.60.0.0/16",
    });
    const base = program({ packages: "haproxy" });
    const withImport: PulumiFn = async () => {
      new digitalocean.Vpc("found", { name: "found", region, ipRange: "10.60.0.0/16" }, { import: vpc.id });
      return base();
    };
    assert.deepEqual(changes(await up(withImport)), { same: 8, import: 1 });
    const adopted: PulumiFn = async () => {
      new digitalocean.Vpc("found", { name: "found", region, ipRange: "10.60.0.0/16" });
      return base();
    };
    assert.deepEqual(changes(await up(adopted)), { same: 9 });
  });

  it("says what is wrong with a resource, by its name, before any request", async () => {
    const wrong: PulumiFn = async () => {
      // Past the SDK's own checks, as a program in YAML would.
      const inputs = { image: "ubuntu-24-04-x64", colour: "red", userData: pulumi.secret("#cloud-config") };
      new Unchecked("digitalocean:index/droplet:Droplet", "bad", inputs);
    };
    await assert.rejects(stack.preview({ program: wrong }), ({ message }: Error) => {
      assert.match(
        message,
        /Droplet resource 'bad' has a problem: Missing required argument. The argument "size"/,
      );
      assert.match(message, /Invalid or unknown key.*Examine values at 'bad.colour'/);
      assert.ok(!message.includes("#cloud-config"));
      return true;
    });
  });

  it("says where the API should be, and what a token is for", async () => {
    const closed = await Account.open();
    const away = closed.url;
    await closed.close();
    const one: PulumiFn = async () => {
      new digitalocean.Tag("tag", { name: "t" });
    };
    const lost = await engine.stack("lost", {
      ...config(account),
      "digitalocean:apiEndpoint": { value: away },
    });
    await assert.rejects(lost.up({ program: one }), ({ message }: Error) =>
      message.includes(`no answer from the DigitalOcean API at ${away}`),
    );
    const refused = await engine.stack("refused", {
      ...config(account),
      "digitalocean:token": { value: "wrong", secret: true },
    });
    await assert.rejects(
      refused.up({ program: one }),
      /401.*The API does not accept the token: set digitalocean:token/,
    );
    const none = await engine.stack("none", { "digitalocean:apiEndpoint": { value: account.url } });
    await assert.rejects(none.preview({ program: one }), /no DigitalOcean API token: run `pulumi config set/);
  });

  it("keeps a droplet that is not up in time, and the next up goes on with it", async () => {
    const slow = await Account.open(4000);
    try {
      const other = await engine.stack("slow", config(slow));
      const up = () =>
        promisify(execFile)(
          process.execPath,
          ["--import", "tsx", join(__dirname, "oneDroplet.ts"), "slow", "1s"],
          { env: engine.environmentOf(other) },
        );
      await assert.rejects(up(), ({ stderr }: { stderr: string }) =>
        /gave up waiting for droplet web/.test(stderr),
      );
      const kept = (await droplets(other))[0];
      assert.match(String(kept?.id), /^\d+$/);
      assert.deepEqual(JSON.parse((await up()).stdout), { same: 1, update: 1 });
      const [live, ...more] = await droplets(other);
      assert.equal(live?.id, kept?.id);
      assert.equal(live?.outputs.status, "active");
      assert.deepEqual(more, []);
    } finally {
      await slow.close();
    }
  });

  it("destroys everything", async () => {
    await stack.destroy();
    await waitFor("an empty account", async () => {
      const { droplets } = await account.ask<{ droplets: unknown[] }>("GET", "/v2/droplets");
      const { firewalls } = await account.ask<{ firewalls: unknown[] }>("GET", "/v2/firewalls");
      const { domains } = await account.ask<{ domains: unknown[] }>("GET", "/v2/domains");
      const { vpcs } = await account.ask<{ vpcs: { default: boolean }[] }>("GET", "/v2/vpcs");
      return [...droplets, ...firewalls, ...domains, ...vpcs.filter((vpc) => !vpc.default)].length === 0;
    });
  });
});
