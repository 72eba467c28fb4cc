/** What the policies refuse, in the real engine with the project's own program. Nothing may be made before a refusal. */
import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { sandboxEnvironment } from "../../scripts/engine/environment";
import { EngineStack } from "../../scripts/engine/stack";
import type { ConfigOverride } from "../../scripts/engine/workDir";
import { Failure } from "../../scripts/failure";
import { ensurePulumi } from "../../scripts/toolchain/pulumi";
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

  /** The project's program with a transform around it, as a user with other wishes would write it. */
  async function withTransform(
    stack: string,
    transform: pulumi.ResourceTransform,
    overrides: readonly ConfigOverride[] = [],
  ): Promise<EngineStack> {
    const environment = sandboxEnvironment(sandbox.home, sandbox.api, { standIns: true });
    return EngineStack.open({
      stack,
      kind: "sandbox",
      home: sandbox.home,
      cli: await ensurePulumi({ onProgress: () => {} }),
      environment,
      overrides,
      program: async () => {
        pulumi.runtime.registerResourceTransform(transform);
        const { program } = require("../../infra/program") as typeof import("../../infra/program");
        return { ...(await program()) };
      },
    });
  }

  const refused = (policy: RegExp) => (error: unknown) => {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.exitCode, 3, error.message);
    assert.match(`${error.message}\n${error.remedy}`, policy);
    return true;
  };

  for (const stack of ["prod", "dev"]) {
    it(`refuse a load balancer that speaks HTTP to the web hosts, in the first preview of ${stack}`, async () => {
      const opened = await withTransform(stack, ({ type, props, opts }) =>
        type === "digitalocean:index/loadBalancer:LoadBalancer"
          ? {
              props: {
                ...props,
                forwardingRules: [
                  {
                    entryProtocol: "https",
                    entryPort: 443,
                    targetProtocol: "http",
                    targetPort: 80,
                    certificateName: "c",
                  },
                ],
              },
              opts,
            }
          : undefined,
      );
      await assert.rejects(opened.preview(), refused(/end-to-end-encryption/));
      await assertNothingMade();
    });
  }

  it("refuse a database that is open to the world", async () => {
    const opened = await withTransform("prod", ({ type, name, props, opts }) =>
      type === "digitalocean:index/firewall:Firewall" && name === "database"
        ? {
            props: {
              ...props,
              inboundRules: [{ protocol: "tcp", portRange: "3306", sourceAddresses: ["0.0.0.0/0"] }],
            },
            opts,
          }
        : undefined,
    );
    await assert.rejects(opened.preview(), refused(/no-world-open-database/));
    await assertNothingMade();
  });

  it("let the same program pass through a transform that changes nothing", async () => {
    const journal = await (await withTransform("prod", () => undefined)).preview();
    assert.match(journal.summary, /\d+ to create/);
  });
});
