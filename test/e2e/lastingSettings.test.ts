/** Settings that an update must not change, and the documented ways to change them, with the real engine. One story. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { stackFile } from "../../scripts/engine/stateFile";
import { PROJECT_DIR } from "../../scripts/home";
import { runProgram } from "../../scripts/processes";
import { inOrder } from "../inOrder";
import { Sandbox } from "./sandbox";

const zone = "dev.foobar.com";
const foreign = [
  { type: "MX", name: "@", data: "mail.example.net.", priority: 10 },
  { type: "TXT", name: "@", data: "v=spf1 mx -all" },
  { type: "A", name: "shop", data: "192.0.2.7" },
];

interface DnsRecord {
  readonly id: number;
  readonly type: string;
  readonly name: string;
  readonly data: string;
}

describe("settings that a stack keeps", function () {
  this.timeout(300_000);
  inOrder();
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await Sandbox.make();
    await sandbox.must("up", "dev", "--skip-preview", "--config", "database.count=5");
  });
  after(() => sandbox.remove());

  const records = async () =>
    (await sandbox.get<{ domain_records: DnsRecord[] }>(`/v2/domains/${zone}/records?per_page=200`))
      .domain_records;
  const ids = async () => ({
    vpcs: (await sandbox.get<{ vpcs: { id: string }[] }>("/v2/vpcs")).vpcs.map(({ id }) => id),
    droplets: (await sandbox.get<{ droplets: { id: number }[] }>("/v2/droplets")).droplets.map(
      ({ id }) => id,
    ),
    certificates: (
      await sandbox.get<{ certificates: { id: string }[] }>("/v2/certificates")
    ).certificates.map(({ id }) => id),
  });
  const state = () => readFileSync(stackFile(sandbox.home, "dev"), "utf8");
  const settingsOf = (...settings: string[]) => settings.flatMap((setting) => ["--config", setting]);
  const five = "database.count=5";

  const refused: [what: string, settings: string[], ...message: RegExp[]][] = [
    ["another region", [five, "region=ams3"], /secured-web:region: cannot change from nyc3 to ams3/],
    [
      "another VPC range",
      [five, "vpc.ipRange=10.111.0.0/20"],
      /secured-web:vpc\.ipRange: cannot change from 10\.110\.0\.0\/20 to 10\.111\.0\.0\/20/,
    ],
    [
      "another topology",
      [five, "topology=separated"],
      /secured-web:topology: cannot change from converged to separated/,
    ],
    [
      "fewer database hosts than the last update had, where they are no group that they can leave",
      ["database.count=3", "replication=source-replica"],
      /secured-web:database\.count: cannot change from 5 to 3/,
    ],
    [
      "another domain",
      [five, "domain=other.foobar.com"],
      /secured-web:domain: cannot change from dev\.foobar\.com to other\.foobar\.com/,
    ],
    [
      "a zone that is no longer the stack's",
      [five, "createDomain=false"],
      /secured-web:createDomain: cannot change from true to false/,
      /secured-web:handOverZone to dev\.foobar\.com/,
    ],
    [
      "a handover of another zone",
      [five, "createDomain=false", "handOverZone=foobar.com"],
      /secured-web:createDomain: cannot change from true to false/,
    ],
    [
      "several at once",
      [five, "region=ams3", "vpc.ipRange=10.111.0.0/20"],
      /secured-web:region: cannot/,
      /secured-web:vpc\.ipRange: cannot/,
    ],
  ];

  async function assertRefused(command: "preview" | "up", settings: string[], messages: RegExp[]) {
    const { exitCode, stdout, stderr } = await sandbox.run(command, ["dev", ...settingsOf(...settings)]);
    assert.equal(exitCode, 1, stdout);
    for (const message of messages) {
      assert.equal(stderr.match(new RegExp(message, "g"))?.length, 1, `${message} once:\n${stderr}`);
    }
    assert.match(stderr, /docs\/operations\.md/);
    assert.doesNotMatch(stderr, /\n +at |before hook|Stash/, "neither a stack trace nor the engine's words");
    assert.doesNotMatch(stdout, /- Update/, "refused in the preview");
  }

  for (const [what, settings, ...messages] of refused) {
    it(`refuse ${what}, in the preview, before anything changes`, async () => {
      const before = { ids: await ids(), records: await records() };
      await assertRefused(what === "another region" ? "preview" : "up", settings, messages);
      assert.deepEqual({ ids: await ids(), records: await records() }, before);
    });
  }

  it("refuse it in an update without a preview too, where other changes wait", async () => {
    const before = { ids: await ids(), records: await records(), state: state() };
    const args = ["--import", "tsx", "test/e2e/updateOnly.ts", sandbox.home.dir, "dev"];
    const { exitCode, stderr } = await runProgram(
      process.execPath,
      [...args, five, "region=ams3", "alerts.cpuPercent=71", "loadBalancer.idleTimeoutSeconds=61"],
      { cwd: PROJECT_DIR },
    );
    assert.equal(exitCode, 1, stderr);
    assert.match(stderr, /secured-web:region: cannot change from nyc3 to ams3/);
    assert.deepEqual(
      { ids: await ids(), records: await records() },
      { ids: before.ids, records: before.records },
    );
    const { policies } = await sandbox.get<{ policies: { value: number }[] }>("/v2/monitoring/alerts");
    assert.ok(policies.every(({ value }) => value !== 71));
  });

  it("allow an update with the values of before, which changes nothing", async () => {
    assert.match(
      await sandbox.must("up", "dev", "--skip-preview", ...settingsOf(five)),
      /✔ Update: \d+ unchanged\n/,
    );
  });

  describe("the zone", () => {
    before(async () => {
      for (const record of foreign) await sandbox.send("POST", `/v2/domains/${zone}/records`, record);
    });

    const handedOver = [five, "createDomain=false"];

    it("stays with all its records when the stack gives it up; certificate and site stay as they are", async () => {
      const before = { ids: await ids(), records: await records() };
      assert.match(state(), /digitalocean:index\/domain:Domain/);
      await sandbox.must("up", "dev", "--skip-preview", ...settingsOf(...handedOver, `handOverZone=${zone}`));
      assert.deepEqual(await ids(), before.ids);
      // The CAA record moves from the zone to the site's name. Everything else is as it was.
      const atSite = (record: DnsRecord) => (record.type === "CAA" ? { ...record, name: "www" } : record);
      assert.deepEqual(await records(), before.records.map(atSite));
      assert.ok(before.records.some(({ type, name }) => type === "CAA" && name === "@"));
      assert.doesNotMatch(state(), /digitalocean:index\/domain:Domain/);
    });

    it("is not touched by the next update, which needs no handOverZone and changes nothing", async () => {
      assert.match(
        await sandbox.must("up", "dev", "--skip-preview", ...settingsOf(...handedOver)),
        /✔ Update: \d+ unchanged\n/,
      );
    });

    it("is not created a second time", async () => {
      const { exitCode, stdout, stderr } = await sandbox.run("up", ["dev", ...settingsOf(five)]);
      assert.equal(exitCode, 1, stdout);
      assert.match(stderr, /secured-web:createDomain: expected no zone dev\.foobar\.com.*createDomain false/);
      assert.doesNotMatch(stdout, /- Update/);
    });

    it("refuses a second stack, whose hosts would have the same internal names", async () => {
      const before = await records();
      const { exitCode, stdout, stderr } = await sandbox.run("up", [
        "prod",
        ...settingsOf(`domain=${zone}`, "createDomain=false", "subdomain=second", "topology=converged"),
      ]);
      assert.equal(exitCode, 1, stdout);
      assert.match(
        stderr,
        /secured-web:domain: the zone dev\.foobar\.com has the internal names of another stack's hosts \(database\.internal\.dev\.foobar\.com, .*domain prod\.dev\.foobar\.com/,
      );
      assert.doesNotMatch(stdout, /- Update/);
      assert.deepEqual(await records(), before);
    });

    it("takes the second stack as a zone below it, as the error says", async () => {
      await sandbox.must("preview", "prod", ...settingsOf(`domain=prod.${zone}`));
    });

    it("stays when the stack is destroyed, with the records of others and without the stack's", async () => {
      await sandbox.must("destroy", "dev");
      const left = (await records()).filter(({ type }) => type !== "SOA" && type !== "NS");
      assert.deepEqual(
        left.map(({ type, name }) => [type, name]).sort(),
        foreign.map(({ type, name }) => [type, name]).sort(),
      );
    });
  });

  describe("the others", () => {
    it("change when the stack is deleted and created again", async () => {
      await sandbox.must(
        "up",
        "dev",
        ...settingsOf("createDomain=false", "region=ams3", "topology=separated"),
      );
      const { droplets } = await sandbox.get<{ droplets: { region: { slug: string } }[] }>("/v2/droplets");
      assert.equal(droplets.length, 5);
      assert.ok(droplets.every(({ region }) => region.slug === "ams3"));
    });
  });
});
