/** What the policies refuse, in the real engine with the project's own program. Nothing may be made before a refusal. */
import assert from "node:assert/strict";
import { PROJECT_DIR } from "../../scripts/home";
import { runProgram } from "../../scripts/processes";
import { Sandbox } from "./sandbox";

describe("the policies, over the project's own stacks", function () {
  this.timeout(120_000);
  let sandbox: Sandbox;
  before(async () => {
    sandbox = await Sandbox.make();
    // The first preview of prod: its user data is unknown, because it holds secrets that are still to be made.
    const stdout = await sandbox.must("preview", "prod");
    assert.match(stdout, /✔ Preview with the policies: \d+ to create/);
  });
  after(() => sandbox.remove());

  async function assertNothingMade(): Promise<void> {
    const { droplets, load_balancers, firewalls } = await sandbox.census();
    assert.deepEqual(
      { droplets, load_balancers, firewalls },
      { droplets: 0, load_balancers: 0, firewalls: 0 },
    );
  }

  it("refuse one writer in production by name, in the first preview", async () => {
    const { exitCode, stderr } = await sandbox.run("preview", [
      "prod",
      "--config",
      "secured-web:replication=source-replica",
    ]);
    assert.equal(exitCode, 3);
    assert.match(stderr, /no-single-writer-in-production/);
    await assertNothingMade();
  });

  it("refuse it in an update too, before the first change", async () => {
    const { exitCode, stdout, stderr } = await sandbox.run("up", [
      "prod",
      "--config",
      "secured-web:replication=source-replica",
    ]);
    assert.equal(exitCode, 3);
    assert.match(stderr, /no-single-writer-in-production/);
    assert.doesNotMatch(stdout, /- Update/);
    await assertNothingMade();
  });

  it("allow one writer outside of production", async () => {
    await sandbox.must("preview", "dev", "--config", "secured-web:replication=source-replica");
  });

  /** Previews with one of the transforms of transformed.ts. */
  async function preview(stack: string, transform: string) {
    const args = ["--import", "tsx", "test/e2e/transformed.ts", sandbox.home.dir, stack, transform];
    return runProgram(process.execPath, args, { cwd: PROJECT_DIR });
  }

  for (const [stack, transform, what, policy] of [
    ["prod", "httpToWebHosts", "a load balancer that speaks HTTP to the web hosts", /end-to-end-encryption/],
    ["dev", "httpToWebHosts", "a load balancer that speaks HTTP to the web hosts", /end-to-end-encryption/],
    ["prod", "openDatabase", "a database that is open to the world", /no-world-open-database/],
  ] as const) {
    it(`refuse ${what}, in the first preview of ${stack}`, async () => {
      const { exitCode, stdout, stderr } = await preview(stack, transform);
      assert.equal(exitCode, 3, `${stdout}\n${stderr}`);
      assert.match(stderr, policy);
      await assertNothingMade();
    });
  }

  it("let the same program pass through a transform that changes nothing", async () => {
    const { exitCode, stdout, stderr } = await preview("prod", "none");
    assert.equal(exitCode, 0, stderr);
    assert.match(stdout, /\d+ to create/);
  });
});
