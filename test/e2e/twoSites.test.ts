/** The component used twice in one program (examples/typescript), with the real engine and the policy pack. One story. */
import assert from "node:assert/strict";
import { PROJECT_DIR } from "../../scripts/home";
import { runProgram } from "../../scripts/processes";
import { inOrder } from "../inOrder";
import { Sandbox } from "./sandbox";

interface Droplet {
  name: string;
  tags: string[];
  vpc_uuid: string;
}

describe("two SecuredWeb components in one program", function () {
  this.timeout(300_000);
  inOrder();
  let sandbox: Sandbox;
  let emptyAccount: Record<string, number>;
  before(async () => {
    sandbox = await Sandbox.make();
    // Makes the stack, and starts the API.
    await sandbox.must("preview", "dev");
    emptyAccount = await sandbox.census();
  });
  after(() => sandbox.remove());

  /** Runs the example's program and returns the engine's summary. */
  async function engine(operation: "preview" | "up" | "destroy"): Promise<string> {
    const args = ["--import", "tsx", "test/e2e/exampleProgram.ts", sandbox.home.dir, "dev", operation];
    const { exitCode, stdout, stderr } = await runProgram(process.execPath, args, { cwd: PROJECT_DIR });
    assert.equal(exitCode, 0, `${operation}:\n${stdout}\n${stderr}`);
    return stdout.trim();
  }

  it("previews both, and creates nothing", async () => {
    assert.match(await engine("preview"), /^\d+ to create$/);
    assert.deepEqual(await sandbox.census(), emptyAccount);
  });

  it("brings both up; neither takes a name, a network or a droplet of the other", async () => {
    assert.match(await engine("up"), /^\d+ created$/);
    const { droplets } = await sandbox.get<{ droplets: Droplet[] }>("/v2/droplets");
    const { vpcs } = await sandbox.get<{ vpcs: { id: string; name: string; ip_range: string }[] }>(
      "/v2/vpcs",
    );
    const { load_balancers } = await sandbox.get<{ load_balancers: { name: string; tag: string }[] }>(
      "/v2/load_balancers",
    );
    const { firewalls } = await sandbox.get<{ firewalls: { name: string; tags: string[] }[] }>(
      "/v2/firewalls",
    );
    const { projects } = await sandbox.get<{ projects: { name: string }[] }>("/v2/projects");

    const shop = ["web-1", "web-2", "web-3", "db-1", "db-2", "db-3"];
    const blog = ["node-1", "node-2", "node-3"];
    const expected = [...shop.map((host) => `dev-shop-${host}`), ...blog.map((host) => `dev-blog-${host}`)];
    assert.deepEqual(droplets.map(({ name }) => name).sort(), expected.sort());
    for (const [site, range] of [
      ["dev-shop", "10.130.0.0/20"],
      ["dev-blog", "10.140.0.0/20"],
    ] as const) {
      const vpc = vpcs.find(({ name }) => name === `secured-web-${site}`);
      assert.equal(vpc?.ip_range, range);
      for (const droplet of droplets.filter(({ name }) => name.startsWith(`${site}-`))) {
        assert.equal(droplet.vpc_uuid, vpc.id, droplet.name);
        for (const tag of droplet.tags)
          assert.ok(tag.startsWith(`secured-web-${site}`), `${droplet.name}: ${tag}`);
      }
      assert.ok(
        load_balancers.some(({ name, tag }) => name === `secured-web-${site}` && tag === `${name}-web`),
      );
      assert.deepEqual(
        firewalls
          .filter(({ name }) => name.startsWith(`secured-web-${site}-`))
          .map(({ name, tags }) => [name, tags])
          .sort(),
        ["database", "web"].map((role) => [`secured-web-${site}-${role}`, [`secured-web-${site}-${role}`]]),
      );
      assert.ok(projects.some(({ name }) => name === `secured-web-${site}`));
    }
  });

  it("gives each site names of its own in its own zone", async () => {
    const names = async (domain: string) => {
      const { domain_records } = await sandbox.get<{ domain_records: { type: string; name: string }[] }>(
        `/v2/domains/${domain}/records?per_page=200`,
      );
      return domain_records.filter(({ type }) => type === "A").map(({ name }) => name);
    };
    const shop = await names("shop.dev.foobar.com");
    assert.deepEqual(
      shop.filter((name) => name === "www" || name === "@"),
      ["www"],
    );
    assert.equal(shop.filter((name) => name === "database.internal").length, 3);
    const blog = await names("blog.dev.foobar.com");
    assert.deepEqual(
      blog.filter((name) => name === "www" || name === "@"),
      ["@"],
    );
    assert.deepEqual(blog.filter((name) => /^(node|web|db)-\d/.test(name)).sort(), [
      "node-1.internal",
      "node-2.internal",
      "node-3.internal",
    ]);
  });

  it("changes nothing the second time", async () => {
    assert.match(await engine("up"), /^\d+ unchanged$/);
  });

  it("destroys both, and keeps their zones, with no record of theirs", async () => {
    assert.match(await engine("destroy"), /^\d+ deleted$/);
    const zones = ["blog.dev.foobar.com", "shop.dev.foobar.com"];
    const domains = Number(emptyAccount.domains) + zones.length;
    assert.deepEqual(await sandbox.census(), { ...emptyAccount, domains });
    for (const zone of zones) {
      const { domain_records } = await sandbox.get<{ domain_records: { type: string }[] }>(
        `/v2/domains/${zone}/records`,
      );
      assert.deepEqual([...new Set(domain_records.map(({ type }) => type))].sort(), ["NS", "SOA"]);
    }
  });
});
