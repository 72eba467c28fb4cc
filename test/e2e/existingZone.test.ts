/** A stack in a zone that belongs to others, and what a running stack does with an image that is not on offer. */
import assert from "node:assert/strict";
import { PROJECT_DIR } from "../../scripts/home";
import { runProgram } from "../../scripts/processes";
import { inOrder } from "../inOrder";
import { Sandbox } from "./sandbox";

const zone = "dev.foobar.com";

interface DnsRecord {
  readonly type: string;
  readonly name: string;
  readonly data: string;
}

describe("a stack in a zone that others own", function () {
  this.timeout(300_000);
  inOrder();
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await Sandbox.make();
    // Starts the API.
    await sandbox.must("preview", "dev");
    await sandbox.send("POST", "/v2/domains", { name: zone });
    // The zone's owner uses another authority.
    const authority = { type: "CAA", name: "@", data: "comodoca.com.", flags: 0, tag: "issue" };
    await sandbox.send("POST", `/v2/domains/${zone}/records`, authority);
  });
  after(() => sandbox.remove());

  const caa = async () =>
    (
      await sandbox.get<{ domain_records: DnsRecord[] }>(`/v2/domains/${zone}/records?per_page=200`)
    ).domain_records
      .filter(({ type }) => type === "CAA")
      .map(({ name, data }) => `${name} ${data.replace(/\.$/, "")}`)
      .sort();
  const images = async () => {
    const { droplets } = await sandbox.get<{ droplets: { id: number; image: { slug: string } }[] }>(
      "/v2/droplets",
    );
    return droplets.map(({ id, image }) => `${id} ${image.slug}`);
  };

  it("is refused if it would create the zone", async () => {
    const { exitCode, stderr } = await sandbox.run("up");
    assert.equal(exitCode, 1);
    assert.match(stderr, /Domain main-domain: secured-web:createDomain: expected no zone dev\.foobar\.com/);
    assert.equal((await sandbox.census()).droplets, 0);
  });

  it("is refused as two sites in one program", async () => {
    const args = ["--import", "tsx", "test/e2e/sharedZone.ts", sandbox.home.dir, "dev", zone];
    const { exitCode, stderr } = await runProgram(process.execPath, args, { cwd: PROJECT_DIR });
    assert.equal(exitCode, 1);
    assert.match(stderr, /a separate zone for each site, got dev\.foobar\.com for dev-shop and dev-blog/);
    assert.doesNotMatch(stderr, /\n +at /);
  });

  it("gets its certificate with a CAA record at the site's name, and leaves the owner's at the apex", async () => {
    await sandbox.must("up", "dev", "--skip-preview", "--config", "createDomain=false");
    assert.deepEqual(await caa(), ["@ comodoca.com", "www letsencrypt.org"]);
    const { certificates } = await sandbox.get<{ certificates: { state: string; dns_names: string[] }[] }>(
      "/v2/certificates",
    );
    assert.deepEqual(
      certificates.map(({ state, dns_names }) => [state, dns_names]),
      [["verified", [`www.${zone}`]]],
    );
  });

  const running = ["--config", "createDomain=false"];
  // A changed image replaces hosts that are not protected.
  const retired = [
    ...running,
    ...["--config", "database.protect=true"],
    ...["--config", "image=ubuntu-12-04-x64"],
  ];

  it("is updated although its image is no longer on offer, because no host is created with it", async () => {
    const before = await images();
    const stdout = await sandbox.must("up", "dev", ...retired, "--config", "alerts.cpuPercent=70");
    assert.match(stdout, /✔ Update: \d+ unchanged, \d+ updated\n/);
    assert.deepEqual(await images(), before);
  });

  it("refuses the image in the preview when a host is replaced with it, before the old host is deleted", async () => {
    const before = await images();
    const { exitCode, stdout, stderr } = await sandbox.run("replace", ["dev", "node-1", ...retired]);
    assert.equal(exitCode, 1, stdout);
    assert.match(stderr, /Droplet main-node-1: secured-web:image: expected the slug .* got ubuntu-12-04-x64/);
    assert.doesNotMatch(stdout, /- Update/);
    assert.deepEqual(await images(), before);
  });

  it("refuses a size that is not on offer when hosts are added, and names each problem once", async () => {
    const added = ["database.count=5", "database.size=s-99vcpu"].flatMap((setting) => ["--config", setting]);
    const { exitCode, stderr } = await sandbox.run("up", ["dev", ...running, ...added]);
    assert.equal(exitCode, 1);
    assert.match(stderr, /Droplet main-node-4: secured-web:database\.size: expected a size/);
    assert.equal(stderr.match(/expected a size/g)?.length, 1);
  });

  it("leaves the zone as it was when it is destroyed", async () => {
    await sandbox.must("destroy", "dev", "--unprotect");
    assert.deepEqual(await caa(), ["@ comodoca.com"]);
  });
});
