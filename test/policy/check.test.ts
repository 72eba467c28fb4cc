import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Judgment, judgeState, type PolicySetting } from "../../policy/check/judge";
import { junitReport } from "../../policy/check/junit-report";
import { sarifReport } from "../../policy/check/sarif-report";
import { readPolicySettings, readStackConfiguration, SettingsError } from "../../policy/check/settings";
import { readState, StateError } from "../../policy/check/state";
import { textReport } from "../../policy/check/text-report";
import { cloudConfig, droplet, httpsRule, loadBalancer } from "../../policy/fixtures/texts";
import type { Fixture } from "../../policy/frame/fixture";
import { holdsUnknown } from "../../policy/frame/value";
import { definitions } from "../../policy/registry";
import { asCiphertext, asPlaintext, exportedState } from "./exportedState";
import { judgeFixture, settingsOf } from "./harness";
import { programFixture } from "./programStacks";
import { registeredPolicies } from "./registered";
import { sarifValidator } from "./sarifValidator";

const root = join(__dirname, "../..");
const marker = "Marker5f1cSecret";

const judged = (
  fixture: Fixture,
  policies?: ReadonlyMap<string, PolicySetting>,
  userData?: (text: unknown) => unknown,
): Judgment =>
  judgeState(
    readState(JSON.stringify(exportedState(fixture, userData), null, 2)),
    definitions,
    settingsOf(fixture),
    policies,
  );

const plaintextBalancer: Fixture = {
  title: "a load balancer that sends plain text",
  resources: {
    edge: loadBalancer([{ ...httpsRule, targetProtocol: "http", targetPort: 80 }]),
    "host-1": droplet("host-1", {
      userData: cloudConfig({
        "/etc/nginx/conf.d/a.conf": "server { listen 80; }",
        "/root/password": marker,
      }),
    }),
  },
};

describe("an exported state", () => {
  const empty = { version: 3, deployment: { manifest: {}, resources: [] } };
  const one = (resource: Readonly<Record<string, unknown>>) => ({
    version: 3,
    deployment: { resources: [{ urn: "urn:pulumi:dev::shop::a:b:C::x", type: "a:b:C", ...resource }] },
  });

  it("may be empty, or of a stack that was never updated", () => {
    for (const state of [empty, { version: 3, deployment: {} }]) {
      assert.equal(readState(JSON.stringify(state)).resources.length, 0);
    }
  });

  it("tells stack, project, names, ids, options, references and lines", () => {
    const state = readState(
      JSON.stringify(
        one({
          id: "7",
          protect: true,
          ignoreChanges: ["tags"],
          additionalSecretOutputs: ["result"],
          propertyDependencies: { a: ["urn:b"] },
          outputs: { a: 1 },
        }),
        null,
        2,
      ),
    );
    assert.deepEqual([state.stack, state.project], ["dev", "shop"]);
    const [resource] = state.resources;
    assert.equal(resource?.line, 6);
    assert.deepEqual(resource?.outputs.props, { id: "7", a: 1 });
    assert.deepEqual(resource?.inputs.opts, {
      protect: true,
      ignoreChanges: ["tags"],
      additionalSecretOutputs: ["result"],
    });
    assert.deepEqual(resource?.outputs.propertyDependencies, { a: [{ urn: "urn:b" }] });
  });

  it("holds secrets as plain text or as what cannot be known, and counts these", () => {
    const state = readState(
      JSON.stringify(one({ inputs: { a: asPlaintext({ b: "c" }), d: [asCiphertext()] } })),
    );
    const props = state.resources[0]?.inputs.props as { a: unknown; d: never };
    assert.deepEqual(props.a, { b: "c" });
    assert.ok(holdsUnknown(props.d));
    assert.equal(state.encryptedValues, 1);
  });

  it("holds no resource that waits for its deletion", () => {
    assert.equal(readState(JSON.stringify(one({ delete: true }))).resources.length, 0);
  });

  for (const [what, text, says] of [
    ["no JSON", "resources:", /not JSON/],
    ["a JSON list", "[]", /not a JSON object/],
    ["another JSON object", '{"a": 1}', /no "deployment"/],
    ["another version", '{"version": 2, "deployment": {}}', /version/],
    ["a checkpoint of a backend", '{"version": 3, "checkpoint": {}}', /checkpoint file/],
    ["a deployment that is a text", '{"version": 3, "deployment": "x"}', /deployment is not an object/],
    [
      "resources that are no list",
      '{"version": 3, "deployment": {"resources": {}}}',
      /resources is not a list/,
    ],
    [
      "a resource that is no object",
      '{"version": 3, "deployment": {"resources": [1]}}',
      /resources\[0\] is not/,
    ],
    ["a resource without URN", JSON.stringify(one({ urn: 7 })), /resources\[0\]\.urn/],
    ["a resource without type", JSON.stringify(one({ type: 7 })), /resources\[0\]\.type/],
  ] as const) {
    it(`is not ${what}, and the error says so`, () => {
      assert.throws(
        () => readState(text),
        (error) => error instanceof StateError && says.test(error.message),
      );
    });
  }
});

describe("a check of an exported state", function () {
  this.timeout(60_000);

  it("finds what the engine's way of asking finds, for every fixture whose values are all known", () => {
    let compared = 0;
    for (const { definition, fixtures } of registeredPolicies) {
      for (const fixture of [...fixtures.valid, ...fixtures.invalid].map(withToldSecrets)) {
        if (Object.values(fixture.resources).some(({ properties }) => holdsSymbol(properties))) continue;
        const direct = judgeFixture(definition, fixture).map(({ message }) => message);
        const only = new Map(
          definitions.map(({ name }) => [
            name,
            name === definition.name
              ? { configuration: fixture.configuration ?? {} }
              : { level: "disabled" as const, configuration: {} },
          ]),
        );
        const seen = judged(fixture, only, (text) => text).findings.map(({ message }) => message);
        assert.deepEqual([...seen].sort(), [...direct].sort(), `${definition.name}: ${fixture.title}`);
        compared += direct.length;
      }
    }
    assert.ok(compared > 100, String(compared));
  });

  it("has nothing to object to the program's own stack", async () => {
    const stack = await programFixture(
      {
        environment: "production",
        topology: "separated",
        tls: "reencrypt",
        monitoring: "datadog",
        replication: "group",
      },
      "update",
    );
    assert.deepEqual(
      judged(stack).findings.map(({ policy, message }) => `${policy.name}: ${message}`),
      [],
    );
  });

  it("takes encrypted user data for unknown, and says how to judge it", () => {
    const judgment = judged(plaintextBalancer, undefined, asCiphertext);
    assert.ok(judgment.findings.some(({ message }) => message.includes("its userData is unknown")));
    assert.match(textReport(judgment), /1 values are encrypted .*--show-secrets/);
  });

  it("shows no secret in any format", () => {
    const judgment = judged(plaintextBalancer);
    assert.ok(judgment.findings.length > 0);
    for (const text of [
      textReport(judgment),
      sarifReport(judgment, { name: "x", version: "1.0.0" }, "a"),
      junitReport(judgment),
    ])
      assert.ok(!text.includes(marker));
  });

  it("writes SARIF that OASIS's schema for 2.1.0 accepts, with the line of each resource", () => {
    const sarif = sarifReport(
      judged(plaintextBalancer),
      { name: "secured-web", version: "1.0.0" },
      "a dir/state.json",
    );
    const validate = sarifValidator();
    const log = JSON.parse(sarif) as {
      runs: { results: { ruleIndex: number; level: string; locations: { physicalLocation: unknown }[] }[] }[];
    };
    assert.ok(validate(log), JSON.stringify(validate.errors));
    const results = log.runs[0]?.results ?? [];
    assert.ok(results.length > 0 && results.every(({ ruleIndex }) => ruleIndex >= 0));
    assert.deepEqual(results[0]?.locations[0]?.physicalLocation, {
      artifactLocation: { uri: "a%20dir/state.json" },
      region: { startLine: 7 },
    });
    // The schema is a real one: it refuses what is no SARIF.
    assert.ok(!validate({ ...log, version: "2.0.0" }));
    assert.ok(!validate({ ...log, runs: [{ results: [] }] }));
  });

  it("writes JUnit XML whose counts are those of its cases, with nothing unescaped", () => {
    const judgment = judged(plaintextBalancer);
    const xml = junitReport(judgment);
    const count = (pattern: RegExp) => [...xml.matchAll(pattern)].length;
    const head = /<testsuites name="dev" tests="(\d+)" failures="(\d+)" errors="0">/.exec(xml);
    assert.equal(Number(head?.[1]), count(/<testcase /g));
    assert.equal(Number(head?.[2]), count(/<failure /g));
    assert.equal(count(/<testsuite /g), judgment.policies.length);
    assert.ok(count(/<failure /g) > 0);
    assert.doesNotMatch(xml.replace(/<[^<>]*>/g, "").replace(/&(amp|lt|gt|quot|#10);/g, ""), /[<>&]/);
    const [finding] = judgment.findings;
    assert.ok(finding !== undefined);
    const odd = { ...judgment, findings: [{ ...finding, message: '<&"\u0000\ud800>\n' }] };
    assert.match(junitReport(odd), /message="&lt;&amp;&quot;&gt;&#10;"/);
  });
});

/** An export tells of every input whether it is a secret. */
function withToldSecrets(fixture: Fixture): Fixture {
  const resources = Object.entries(fixture.resources).map(([name, resource]) => [
    name,
    { secrets: [], ...resource, outputs: { id: `${name}-id`, ...resource.outputs } },
  ]);
  return { ...fixture, resources: Object.fromEntries(resources) as Fixture["resources"] };
}

function holdsSymbol(value: unknown): boolean {
  if (typeof value === "symbol") return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsSymbol);
}

describe("settings of a check", () => {
  it("set levels, for one policy or all, and configurations", () => {
    const settings = readPolicySettings(
      '{"all": "advisory", "end-to-end-encryption": {"enforcementLevel": "mandatory"}, "no-world-open-database": "disabled"}',
      definitions,
    );
    assert.equal(settings.get("end-to-end-encryption")?.level, "mandatory");
    assert.equal(settings.get("no-world-open-database")?.level, "disabled");
    assert.equal(settings.get("no-single-writer-in-production")?.level, "advisory");
  });

  for (const [text, says] of [
    ["{", /not JSON/],
    ["[]", /not a JSON object/],
    ['{"no-such": "advisory"}', /the pack has no policy named no-such/],
    ['{"all": "strict"}', /must be mandatory, advisory, disabled/],
    ['{"no-world-open-databases": "advisory"}', /did you mean no-world-open-database\?/],
    ['{"endToEndEncryption": "advisory"}', /did you mean end-to-end-encryption\?/],
    [
      '{"end-to-end-encryption": {"ports": [1]}}',
      /end-to-end-encryption: it has no property ports; it has none/,
    ],
    [
      '{"narrow-firewalls": {"openPort": ["22"]}}',
      /narrow-firewalls: it has no property openPort; did you mean openPorts\?/,
    ],
    [
      '{"narrow-firewalls": {"openPorts": ["ssh"]}}',
      /openPorts\[0\] must be a port or a range .*; did you mean "22"\?/,
    ],
    [
      '{"narrow-firewalls": {"openPorts": ["22", "https"]}}',
      /openPorts\[1\] must be a port .*; did you mean "443"\?/,
    ],
    ['{"narrow-firewalls": {"openPorts": ["all"]}}', /openPorts\[0\] must be a port or a range of ports/],
    ['{"narrow-firewalls": {"openPorts": [""]}}', /openPorts\[0\] must be a port or a range of ports/],
    ['{"narrow-firewalls": {"openPorts": ["99999"]}}', /openPorts\[0\] must be a port or a range of ports/],
    ['{"narrow-firewalls": {"openPorts": "22"}}', /openPorts must be a list of strings/],
    ['{"monthly-cost-ceiling": {"prices": ["App: 12"]}}', /prices\[0\] must be a name and a price/],
    ['{"resource-hygiene": {"regions": ["Frankfurt"]}}', /regions\[0\] must be a region, such as "fra1"/],
    ['{"resource-hygiene": {"namePattern": "("}}', /namePattern must be a regular expression/],
    [
      '{"resource-alerts": {"dropletAlerts": ["memory_utilisation_percent"]}}',
      /did you mean "memory_utilization_percent"\?/,
    ],
  ] as const) {
    it(`refuse ${text}`, () => {
      assert.throws(
        () => readPolicySettings(text, definitions),
        (error) => error instanceof SettingsError && says.test(error.message),
      );
    });
  }

  it("read a stack's configuration file", () => {
    assert.equal(
      readStackConfiguration("config:\n  a:environment: production\n  a:b: {secure: x}\n").get(
        "a:environment",
      ),
      "production",
    );
    assert.equal(readStackConfiguration("").size, 0);
    assert.throws(() => readStackConfiguration("config: [1]"), SettingsError);
    assert.throws(() => readStackConfiguration("{"), SettingsError);
  });
});

describe("npm run policy", function () {
  this.timeout(60_000);
  const dir = mkdtempSync(join(tmpdir(), "secured-web-check-"));
  const bad = join(dir, "bad.json");
  const good = join(dir, "good.json");

  before(() => {
    writeFileSync(bad, JSON.stringify(exportedState(plaintextBalancer), null, 2));
    writeFileSync(good, JSON.stringify({ version: 3, deployment: { resources: [] } }));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  const policyIn = (variables: Readonly<Record<string, string>>, ...args: readonly string[]) =>
    spawnSync(process.execPath, ["scripts/run.mjs", "policy", ...args], {
      cwd: root,
      encoding: "utf8",
      env: { ...process.env, ...variables },
    });
  const policy = (...args: readonly string[]) => policyIn({}, ...args);

  it("check: prints a table and ends with 3 where a mandatory policy objects", () => {
    const { status, stdout } = policy("check", bad);
    assert.equal(status, 3);
    assert.match(stdout, /mandatory\s+critical\s+end-to-end-encryption\s+LoadBalancer "edge"/);
    assert.match(stdout, /Fix: /);
  });

  it("check: ends with 0 where nothing is wrong, and where all is advisory", () => {
    assert.equal(policy("check", good).status, 0);
    const config = join(dir, "advisory.json");
    writeFileSync(config, '{"all": "advisory"}');
    assert.equal(policy("check", bad, "--policy-config", config).status, 0);
  });

  it("check: writes JSON to a file, of a stack that is told to be production", () => {
    const output = join(dir, "out.json");
    const { status, stdout } = policy(
      "check",
      bad,
      "--format",
      "json",
      "--output",
      output,
      "--environment",
      "production",
    );
    assert.deepEqual([status, stdout], [3, ""]);
    const report = JSON.parse(readFileSync(output, "utf8")) as {
      production: boolean;
      summary: { mandatory: number };
    };
    assert.ok(report.production && report.summary.mandatory > 0);
  });

  it("check: reads the names of production stacks from the environment, as the pack does", () => {
    const config = join(dir, "Pulumi.dev.yaml");
    writeFileSync(config, "config: {}\n");
    const kindOf = (names: string, ...args: readonly string[]) =>
      policyIn({ SECURED_WEB_PRODUCTION_STACKS: names }, "check", bad, ...args).stdout.split("\n")[0];
    assert.match(kindOf("blue-*, de*", "--stack-config", config) ?? "", /production: its name matches de\*/);
    assert.match(kindOf("blue-*", "--stack-config", config) ?? "", /\(not production\)/);
    assert.match(kindOf("*", "--environment", "development") ?? "", /\(not production\)/);
    assert.match(kindOf("", "--environment", "production") ?? "", /production: its configuration/);
  });

  for (const [args, says] of [
    [["check", "no-such.json"], /no-such\.json: there is no such file/],
    [
      ["check", "package.json"],
      /package\.json is not an exported state: it has no "deployment"[\s\S]*pulumi stack export/,
    ],
    [["check"], /requires a file/],
    [["check", "x", "--format", "xml"], /--format: expected table, json, sarif, junit, got "xml"/],
    [["explain", "no-such"], /Unknown policy "no-such"[\s\S]*end-to-end-encryption/],
    [["judge"], /cannot "judge"[\s\S]*check, list, explain/],
  ] as const) {
    it(`${args.join(" ")}: says what is wrong, and ends with 2`, () => {
      const { status, stderr, stdout } = policy(...args);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, "");
      assert.match(stderr, says);
    });
  }

  it("list, explain and --help tell of the policies", () => {
    const list = execFileSync(process.execPath, ["scripts/run.mjs", "policy", "list"], {
      cwd: root,
      encoding: "utf8",
    });
    for (const { name } of definitions) assert.match(list, new RegExp(`^${name} `, "m"));
    assert.match(
      policy("explain", "end-to-end-encryption").stdout,
      /## What[\s\S]*## Why[\s\S]*## How to fix[\s\S]*## References/,
    );
    assert.match(policy("--help").stdout, /check STATE\.json[\s\S]*--format FORMAT/);
  });
});
