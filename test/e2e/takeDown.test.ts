/** Taking production down by the documented commands: in the sandbox, and with --cloud against an account. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { listAll, spacesUrl } from "../../sandbox/index";
import { inOrder } from "../inOrder";
import { ReportingHosts } from "./reportingHosts";
import type { Sandbox } from "./sandbox";

describe("taking production down", function () {
  this.timeout(300_000);
  inOrder();
  let sandbox: Sandbox;
  let emptyAccount: Record<string, number>;
  before(async function () {
    this.timeout(600_000);
    // The API plays the account.
    sandbox = await ReportingHosts.makeSandbox();
    emptyAccount = await sandbox.census();
  });
  after(() => sandbox?.remove());

  const spacesKeys = async () => (await listAll(sandbox.api, "/v2/spaces/keys", "keys")).length;
  /** Lets each host of a stack report once: its status object is not one that the engine wrote. */
  const reportOnce = async (outputs: string) => {
    const hosts = await ReportingHosts.start(sandbox, outputs);
    await hosts.haveReported();
    // A deleted droplet writes no more.
    await hosts.stop();
  };

  it("refuses database.protect=false in production by policy, so it is not the documented way", async () => {
    await sandbox.must("up", "prod");
    await reportOnce(await sandbox.must("outputs", "prod", "--show-secrets"));
    const { exitCode, stderr } = await sandbox.run("up", ["prod", "--config", "database.protect=false"]);
    assert.equal(exitCode, 3);
    assert.match(stderr, /recoverable-databases/);
  });

  it("in the sandbox: refuses without --unprotect, then deletes everything, the empty zone too", async () => {
    const before = await sandbox.census();
    const refused = await sandbox.run("destroy", ["prod"]);
    assert.equal(refused.exitCode, 1);
    assert.match(refused.stderr, /nothing was deleted: .*Droplet main-db-1[\s\S]*prod --unprotect/);
    assert.deepEqual(await sandbox.census(), before);
    await sandbox.must("destroy", "prod", "--unprotect");
    assert.deepEqual(await sandbox.census(), emptyAccount);
    assert.equal(
      await spacesKeys(),
      0,
      "the buckets with the hosts' reports are deleted, and their keys after them",
    );
  });

  describe("with --cloud", () => {
    /** A login, plugins and a token as a user has them; the account is the sandbox's. */
    let user: Record<string, string>;
    before(async () => {
      const backend = join(sandbox.home.dir, "..", "backend");
      mkdirSync(backend, { recursive: true });
      user = {
        DIGITALOCEAN_TOKEN: sandbox.api.token,
        DIGITALOCEAN_API_URL: sandbox.api.url,
        PULUMI_BACKEND_URL: `file://${backend}`,
        PULUMI_CONFIG_PASSPHRASE: "of the test",
        PULUMI_HOME: sandbox.home.pulumiHome,
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        SPACES_ENDPOINT_URL: "http://{{.Region}}.digitaloceanspaces.com",
        HTTP_PROXY: (await spacesUrl(sandbox.api)) ?? "",
        NO_PROXY: "127.0.0.1",
      };
    });
    // Dev, protected like prod: prod needs a Datadog key, encrypted in the project's own Pulumi.prod.yaml.
    const protectedDev = ["dev", "--cloud", "--config", "database.protect=true"];
    const run = (command: string, ...more: string[]) =>
      sandbox.run(command, [...protectedDev, ...more], user);
    let full: Record<string, number>;

    it("brings a stack with protected hosts up", async () => {
      const { exitCode, stdout, stderr } = await run("up");
      assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
      const outputs = await sandbox.run("outputs", ["dev", "--cloud", "--show-secrets"], user);
      await reportOnce(outputs.stdout);
      full = await sandbox.census();
      assert.equal(full.droplets, (emptyAccount.droplets ?? 0) + 3);
    });

    for (const [what, options, exitCode, message] of [
      [
        "without --unprotect",
        [],
        1,
        /nothing was deleted: .*Droplet main-node-1[\s\S]*dev --cloud --unprotect/,
      ],
      ["without the stack's name", ["--unprotect"], 2, /no terminal to ask on[\s\S]*--confirm dev/],
      [
        "with another stack's name",
        ["--unprotect", "--confirm", "prod"],
        2,
        /Expected the stack's name dev, got "prod"/,
      ],
    ] as const) {
      it(`deletes nothing ${what}`, async () => {
        const refused = await run("destroy", ...options);
        assert.equal(refused.exitCode, exitCode, refused.stderr);
        assert.match(refused.stderr, message);
        assert.deepEqual(await sandbox.census(), full);
        assert.match((await run("preview")).stdout, /: \d+ unchanged\n/);
      });
    }

    it("deletes everything with the stack's name, and leaves a zone with records of others", async () => {
      const mail = { type: "MX", name: "@", data: "mail.example.net.", priority: 10 };
      await sandbox.send("POST", "/v2/domains/dev.foobar.com/records", mail);
      const { exitCode, stdout, stderr } = await run("destroy", "--unprotect", "--confirm", "dev");
      assert.equal(exitCode, 0, `${stdout}\n${stderr}`);
      assert.match(stdout, /The zone dev\.foobar\.com stays, because it has records of others: MX @/);
      const left = { ...emptyAccount, domains: (emptyAccount.domains ?? 0) + 1 };
      assert.deepEqual(await sandbox.census(), left);
      assert.equal(await spacesKeys(), 0);
    });
  });
});
