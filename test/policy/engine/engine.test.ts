import assert from "node:assert/strict";
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { judgeState } from "../../../policy/check/judge";
import { readState } from "../../../policy/check/state";
import {
  changed,
  cloudConfig,
  groupMember,
  httpsRule,
  memberFiles,
  memberPath,
  nginxFiles,
} from "../../../policy/fixtures/texts";
import { definitions } from "../../../policy/registry";
import { type Outcome, only, PolicyEngine } from "./engine";

/** What a stack of the tests is made of; each test changes one thing. */
interface Parts {
  readonly rule?: digitalocean.types.input.LoadBalancerForwardingRule;
  readonly firewallTag?: string;
  readonly sources?: readonly string[];
  /** Options of the database hosts, as the user data has them. */
  readonly options?: string;
  /** The files that the evidence shows; none = no evidence. */
  readonly evidence?: Readonly<Record<string, string>> | undefined;
}

const marker = "marker-secret-5f1c";

/** A web and database stack whose user data is unknown until the first update, as it holds a secret of its own making. */
function program({
  rule = httpsRule,
  firewallTag = "database",
  sources,
  options = groupMember,
  ...parts
}: Parts = {}) {
  const evidence = "evidence" in parts ? parts.evidence : { ...nginxFiles, [memberPath]: options };
  return async () => {
    const hosts = ["db-1", "db-2", "db-3"];
    const passwords = new digitalocean.Tag("passwords", { name: "passwords" });
    if (evidence !== undefined) {
      const configurationEvidence = Object.fromEntries(
        hosts.map((name) => [name, { roles: ["web", "database"], files: evidence }]),
      );
      new pulumi.ComponentResource("example:index:Tier", "tier", { configurationEvidence });
    }
    new digitalocean.Firewall("guard", {
      tags: [firewallTag],
      inboundRules: [
        {
          protocol: "tcp",
          portRange: "3306",
          ...(sources ? { sourceAddresses: [...sources] } : { sourceTags: ["database"] }),
        },
      ],
    });
    for (const name of hosts) {
      const userData = passwords.id.apply((id) =>
        cloudConfig({ ...nginxFiles, [memberPath]: options, "/etc/app/password": `${marker} ${id}` }),
      );
      new digitalocean.Droplet(name, {
        name,
        image: "ubuntu-26-04-x64",
        size: "s-1vcpu-1gb",
        tags: ["database"],
        userData: pulumi.secret(userData),
      });
    }
    new digitalocean.LoadBalancer("edge", {
      region: "fra1",
      dropletTag: "database",
      tlsCipherPolicy: "STRONG",
      forwardingRules: [rule],
    });
  };
}

const plaintextRule = { ...httpsRule, targetProtocol: "http", targetPort: 80 };
const sourceOnly = "[mysqld]\nrequire_secure_transport = ON\n";
/** The policies that these stacks are about; everyPolicy.test.ts runs them all. */
const threePolicies = {
  policies: only(["end-to-end-encryption", "no-single-writer-in-production", "no-world-open-database"]),
};
const production = { "secured-web:environment": "production" };

function assertRefused(outcome: Outcome, policy: string, says: string): void {
  assert.ok(outcome.refused, `not refused:\n${outcome.output}`);
  assert.match(outcome.output, new RegExp(`\\[mandatory\\][^\\n]*\\b${policy}\\b`), outcome.output);
  assert.ok(outcome.output.includes(says), `it does not say "${says}":\n${outcome.output}`);
  assertQuiet(outcome);
}

/** Nothing of a secret in what the engine prints. */
function assertQuiet({ output }: Outcome): void {
  assert.ok(!output.includes(marker), output);
}

describe("the pack in the real engine", function () {
  this.timeout(300_000);
  let engine: PolicyEngine;

  before("a Pulumi CLI, or the reason why these tests are skipped", async function () {
    engine = await PolicyEngine.start(this);
  });

  after(() => engine?.stop());
  afterEach(() => engine?.createdNames());

  it("passes a sound production stack in a first preview, an update, and a preview after it", async () => {
    const stack = await engine.stack("sound", program(), production, threePolicies);
    for (const outcome of [await stack.preview(), await stack.up(), await stack.preview()]) {
      assert.ok(!outcome.refused, outcome.output);
      assertQuiet(outcome);
      // A pack that was not asked would pass everything.
      assert.match(outcome.output, /secured-web@v/);
    }
    const state = readState(await stack.exported());
    // The Automation API exports with --show-secrets.
    assert.equal(state.encryptedValues, 0);
    const { findings } = judgeState(
      state,
      definitions.filter(({ name }) => name in threePolicies.policies),
      { stack: "sound", config: new Map(Object.entries(production)) },
    );
    assert.deepEqual(findings, []);
    assert.deepEqual([...engine.createdNames()].sort(), [
      "db-1",
      "db-2",
      "db-3",
      "edge",
      "guard",
      "passwords",
    ]);
  });

  const cases: readonly {
    readonly policy: string;
    readonly wrong: string;
    readonly parts: Parts;
    readonly stack?: string;
    readonly config?: Readonly<Record<string, string>>;
    readonly says: string;
    /** The resource that an update must not have created. */
    readonly notCreated?: string;
  }[] = [
    {
      policy: "end-to-end-encryption",
      wrong: "HTTP behind the load balancer",
      parts: { rule: plaintextRule },
      says: 'sends "http" to the droplets',
      notCreated: "edge",
    },
    {
      policy: "end-to-end-encryption",
      wrong: "a group without encryption, in the evidence and in the user data",
      parts: { options: changed(groupMember, "VERIFY_IDENTITY", "DISABLED") },
      says: 'group_replication_ssl_mode is "DISABLED"',
      notCreated: "db-1",
    },
    {
      policy: "no-single-writer-in-production",
      wrong: "a source with replicas, production by configuration",
      parts: { options: sourceOnly },
      config: production,
      says: "its MySQL is not a member of a replication group",
      notCreated: "db-1",
    },
    {
      policy: "no-single-writer-in-production",
      wrong: "a source with replicas, production by name",
      parts: { options: sourceOnly },
      stack: "prod-eu",
      says: "its name contains the word prod",
      notCreated: "db-1",
    },
    {
      policy: "no-single-writer-in-production",
      wrong: "a source with replicas, production by the program's own configuration",
      parts: { options: sourceOnly },
      stack: "main",
      config: { "policy-test:environment": "production" },
      says: "its MySQL is not a member of a replication group",
      notCreated: "db-1",
    },
    {
      policy: "no-world-open-database",
      wrong: "3306 open to the internet",
      parts: { sources: ["0.0.0.0/0"] },
      says: "a source is 0.0.0.0/0, the whole internet",
      notCreated: "guard",
    },
  ];

  for (const [index, { policy, wrong, parts, config, says, notCreated, ...rest }] of cases.entries()) {
    it(`${policy}: refuses ${wrong}, in a first preview and in an update before the change`, async () => {
      const stack = await engine.stack(rest.stack ?? `refused-${index}`, program(parts), config, {
        policies: only([policy]),
      });
      assertRefused(await stack.preview(), policy, says);
      assertRefused(await stack.up(), policy, says);
      if (notCreated !== undefined) assert.ok(!engine.createdNames().includes(notCreated));
    });
  }

  for (const [wrong, policies, says] of [
    ["policy", { "no-world-open-databases": "advisory" }, /did you mean no-world-open-database\?/],
    [
      "port",
      { "narrow-firewalls": { openPorts: ["ssh"] } },
      /openPorts\[0\] must be a port .* did you mean "22"\?/,
    ],
  ] as const) {
    it(`refuses a configuration with a misspelt ${wrong}`, async () => {
      const stack = await engine.stack(`misspelt-${wrong}`, program(), {}, { policies });
      const { refused, output } = await stack.preview();
      assert.ok(refused, output);
      assert.match(output.replace(/\s+/g, " "), says);
    });
  }

  it("passes a firewall whose sources are addresses of the stack's own host and network, in a first preview", async () => {
    const ownSources = async () => {
      const bastion = new digitalocean.Droplet("bastion", {
        name: "bastion",
        image: "ubuntu-26-04-x64",
        size: "s-1vcpu-1gb",
      });
      const vpc = new digitalocean.Vpc("vpc", { name: "shop", region: "fra1" });
      new digitalocean.Firewall("guard", {
        tags: ["web"],
        inboundRules: [
          { protocol: "tcp", portRange: "22", sourceAddresses: [bastion.ipv4AddressPrivate] },
          { protocol: "tcp", portRange: "3306", sourceAddresses: [vpc.ipRange] },
        ],
      });
    };
    const policies = only(["narrow-firewalls", "no-world-open-database"]);
    const stack = await engine.stack("own-sources", ownSources, {}, { policies });
    const preview = await stack.preview();
    assert.ok(!preview.refused, preview.output);
    assert.match(preview.output, /secured-web@v/);
  });

  it("refuses a firewall whose source comes from something else, and names tags and ids", async () => {
    const otherSource = async () => {
      const key = new digitalocean.SshKey("key", { name: "key", publicKey: "ssh-ed25519 AAAA" });
      new digitalocean.Firewall("guard", {
        tags: ["web"],
        inboundRules: [{ protocol: "tcp", portRange: "22", sourceAddresses: [key.fingerprint] }],
      });
    };
    const policies = only(["narrow-firewalls"]);
    const stack = await engine.stack("other-source", otherSource, {}, { policies });
    assertRefused(await stack.preview(), "narrow-firewalls", "sourceTags");
  });

  it("no-world-open-database: refuses database hosts behind no firewall, in a first preview", async () => {
    const stack = await engine.stack("unguarded", program({ firewallTag: "web" }), {}, threePolicies);
    assertRefused(
      await stack.preview(),
      "no-world-open-database",
      "this database host is not behind a firewall",
    );
  });

  it("end-to-end-encryption: refuses unknown user data without evidence in a first preview, and passes it once known", async () => {
    const stack = await engine.stack(
      "uncovered",
      program({ evidence: undefined }),
      {},
      {
        policies: only(["end-to-end-encryption"]),
      },
    );
    assertRefused(
      await stack.preview(),
      "end-to-end-encryption",
      "no component passes evidence for this droplet's name",
    );
    const update = await stack.up();
    assert.ok(!update.refused, update.output);
  });

  it("end-to-end-encryption: refuses an update whose user data is not what the evidence promised", async () => {
    const stack = await engine.stack(
      "contradicted",
      program({ evidence: { ...nginxFiles, ...memberFiles, [memberPath]: `${groupMember}# other\n` } }),
      {},
      { policies: only(["end-to-end-encryption"]) },
    );
    const preview = await stack.preview();
    assert.ok(!preview.refused, preview.output);
    assertRefused(await stack.up(), "end-to-end-encryption", "differs from the evidence");
    assert.ok(!engine.createdNames().includes("db-1"));
  });

  for (const config of [{ "secured-web:environment": "development" }, {}]) {
    it(`lets a single writer pass in development (configuration ${JSON.stringify(config)})`, async () => {
      const name = `development-${Object.keys(config).length}`;
      const stack = await engine.stack(name, program({ options: sourceOnly }), config);
      const { output } = await stack.preview();
      assert.match(output, /secured-web@v/);
      assert.doesNotMatch(output, /no-single-writer-in-production/);
    });
  }
});
