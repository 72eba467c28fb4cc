/** How Terraform's plans and states are read: unknown and secret values, modules, indexes, files of another form. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jsonReport } from "../../policy/check/json-report";
import { judgeState } from "../../policy/check/judge";
import { junitReport } from "../../policy/check/junit-report";
import { sarifReport } from "../../policy/check/sarif-report";
import { type State, StateError } from "../../policy/check/state";
import { readStateOrPlan, TerraformError } from "../../policy/check/terraform";
import { textReport } from "../../policy/check/text-report";
import { unknownValue } from "../../policy/frame/value";
import { definitions } from "../../policy/registry";
import { sarifValidator } from "./sarifValidator";
import { constant, type Row, references, sha1, terraformPlan, terraformState } from "./terraformJson";
import { siteRows, siteStateRows, webUserData } from "./terraformSite";

const root = join(__dirname, "../..");
const marker = "Marker5f1cSecret";
const read = (file: unknown) => readStateOrPlan(JSON.stringify(file));
const settings = { stack: "-", config: new Map<string, string>(), productionStacks: [] };

function resource(state: State, address: string) {
  const found = state.resources.find(({ name }) => name === address);
  assert.ok(found !== undefined, `no ${address}`);
  return found;
}
const inputsOf = (state: State, address: string) =>
  resource(state, address).inputs.props as Readonly<Record<string, unknown>>;
/** The addresses to which an input refers. */
const linked = (state: State, address: string, input: string) =>
  (resource(state, address).outputs.propertyDependencies?.[input] ?? []).map(({ urn }) =>
    urn.split("::").slice(3).join("::"),
  );

const droplet = (more: Partial<Row> = {}): Row => ({
  type: "digitalocean_droplet",
  name: "web",
  values: { name: "web", image: "ubuntu-24-04-x64", region: "fra1", size: "s-1vcpu-2gb", tags: ["web"] },
  expressions: { name: constant("web"), image: constant("ubuntu-24-04-x64"), tags: constant(["web"]) },
  ...more,
});
const firewall = (more: Partial<Row> = {}): Row => ({
  type: "digitalocean_firewall",
  name: "web",
  values: { name: "web", inbound_rule: [] },
  unknown: { droplet_ids: true },
  expressions: {
    name: constant("web"),
    droplet_ids: references("digitalocean_droplet.web.id", "digitalocean_droplet.web"),
  },
  ...more,
});

describe("a value in a Terraform plan", () => {
  const site = read(terraformPlan(siteRows()));

  it("is unknown if the plan does not know it and the configuration sets it", () => {
    assert.equal(inputsOf(site, "digitalocean_droplet.web[0]").vpcUuid, unknownValue);
    assert.deepEqual(inputsOf(site, "digitalocean_firewall.web").inboundRules, [
      { portRange: "22", protocol: "tcp", sourceAddresses: ["10.10.0.0/24"] },
      { portRange: "443", protocol: "tcp", sourceLoadBalancerUids: [unknownValue] },
    ]);
  });

  it("is absent if DigitalOcean chooses it, or if it is a default", () => {
    const edge = inputsOf(site, "digitalocean_loadbalancer.edge");
    for (const input of ["healthcheck", "stickySessions", "firewall", "dropletIds", "algorithm", "size"])
      assert.ok(!(input in edge), input);
    assert.ok(!("certificateId" in (edge.forwardingRules as object[])[0]!));
  });

  it("is unknown if a dynamic block sets it, because the configuration does not contain that", () => {
    const state = read(
      terraformPlan([
        firewall({ values: { name: "web" }, unknown: { inbound_rule: true, droplet_ids: true } }),
      ]),
    );
    assert.equal(inputsOf(state, "digitalocean_firewall.web").inboundRules, unknownValue);
  });

  it("that is a block with at most one item is an object", () => {
    assert.deepEqual(inputsOf(site, "digitalocean_spaces_bucket.uploads").versioning, { enabled: true });
  });

  it("keeps the keys of a map", () => {
    const object: Row = {
      type: "digitalocean_spaces_bucket_object",
      name: "one",
      values: { bucket: "a", key: "k", metadata: { some_key: "v" } },
      expressions: { bucket: constant("a"), key: constant("k"), metadata: constant({ some_key: "v" }) },
    };
    const state = read(terraformPlan([object]));
    assert.deepEqual(inputsOf(state, "digitalocean_spaces_bucket_object.one").metadata, { some_key: "v" });
  });

  it("that is only a hash is unknown and counted, unless its text is in the file", () => {
    assert.equal(inputsOf(site, "digitalocean_droplet.web[0]").userData, unknownValue);
    assert.equal(site.terraform?.hashedValues, 2);
    assert.match(textReport(judgeState(site, definitions, settings)), /^2 values are only hashes/m);
    for (const file of [
      { ...terraformPlan(siteRows()), variables: { user_data: { value: webUserData } } },
      terraformPlan(siteRows(), { texts: { sensitive: true, value: { web: [webUserData] } } }),
    ]) {
      const state = read(file);
      assert.equal(inputsOf(state, "digitalocean_droplet.web[1]").userData, webUserData);
      assert.equal(state.terraform?.hashedValues, 0);
    }
  });
});

describe("a secret in a Terraform plan or state", () => {
  const secretData = `#!/bin/sh\nmysql -e "CREATE USER a IDENTIFIED BY '${marker}'"\n`;
  const rows = (): readonly Row[] => [
    droplet({
      name: "job",
      values: { name: "job", image: "ubuntu-18-04-x64", region: "fra1", user_data: sha1(secretData) },
      expressions: { name: constant("web"), image: constant("x"), user_data: references("var.data") },
    }),
    {
      type: "digitalocean_database_logsink_rsyslog",
      name: "sink",
      values: { cluster_id: "c", name: "sink", server: "logs", port: 1, tls: false, client_key: marker },
      sensitive: { client_key: true },
      expressions: { client_key: references("var.key"), tls: constant(false), name: constant("sink") },
    },
    { type: "random_password", name: marker.toLowerCase(), values: { result: marker } },
    ...siteStateRows({ sshSources: ["0.0.0.0/0"] }),
  ];
  const outputs = { data: { sensitive: true, value: secretData } };

  it("is a secret input", () => {
    const state = read(terraformPlan(rows(), outputs));
    const inputs = (address: string) => resource(state, address).inputs.secretInputs;
    assert.deepEqual(inputs("digitalocean_database_logsink_rsyslog.sink"), ["clientKey"]);
    assert.deepEqual(inputs("digitalocean_droplet.job"), ["userData"]);
    assert.equal(inputsOf(state, "digitalocean_droplet.job").userData, secretData);
    const inState = read(terraformState(rows(), outputs));
    assert.deepEqual(resource(inState, "digitalocean_database_logsink_rsyslog.sink").inputs.secretInputs, [
      "clientKey",
    ]);
  });

  it("is not a secret input if the configuration contains its text", () => {
    const literal = rows().map((row) =>
      row.name === "job"
        ? { ...row, expressions: { ...row.expressions, user_data: constant(secretData) } }
        : row,
    );
    const found = judgeState(read(terraformPlan(literal)), definitions, settings).findings;
    assert.ok(
      found.some(({ policy, resource }) =>
        `${policy.name} ${resource.name}`.includes("no-exposed-secrets digitalocean_droplet.job"),
      ),
    );
    assert.deepEqual(
      resource(read(terraformPlan(literal)), "digitalocean_droplet.job").inputs.secretInputs,
      [],
    );
  });

  it("is in no report", () => {
    for (const file of [terraformPlan(rows(), outputs), terraformState(rows(), outputs)]) {
      const judgment = judgeState(read(file), definitions, settings);
      assert.ok(judgment.findings.length > 5);
      for (const report of [
        textReport(judgment),
        jsonReport(judgment),
        sarifReport(judgment, { name: "x", version: "1.0.0" }, "a.json"),
        junitReport(judgment),
      ])
        assert.ok(!report.includes(marker));
    }
  });
});

describe("references in a Terraform plan", () => {
  const [zero, one] = [droplet({ index: 0 }), droplet({ index: 1 })];
  const linksOf = (expression: unknown, ...hosts: readonly Row[]) => {
    const expressions = { name: constant("web"), droplet_ids: expression };
    return linked(
      read(terraformPlan([...hosts, firewall({ expressions })])),
      "digitalocean_firewall.web",
      "dropletIds",
    );
  };
  const addresses = ["digitalocean_droplet.web[0]", "digitalocean_droplet.web[1]"];

  it("are to all instances, or to the instance with the index", () => {
    assert.deepEqual(linksOf(references("digitalocean_droplet.web"), zero, one), addresses);
    const first = references(
      "digitalocean_droplet.web[0].id",
      "digitalocean_droplet.web[0]",
      "digitalocean_droplet.web",
    );
    assert.deepEqual(linksOf(first, zero, one), addresses.slice(0, 1));
    const [a, b] = [droplet({ index: "a" }), droplet({ index: "b.c" })];
    const keyed = references(
      'digitalocean_droplet.web["b.c"].id',
      'digitalocean_droplet.web["b.c"]',
      "digitalocean_droplet.web",
    );
    assert.deepEqual(linksOf(keyed, a, b), ['digitalocean_droplet.web["b.c"]']);
  });

  it("through each and count.index are to the instance with the same index", () => {
    const expression = references("digitalocean_droplet.web", "count.index");
    const expressions = { name: constant("web"), droplet_ids: expression };
    const both = [firewall({ index: 0, expressions }), firewall({ index: 1, expressions })];
    const state = read(terraformPlan([zero, one, ...both]));
    assert.deepEqual(linked(state, "digitalocean_firewall.web[1]", "dropletIds"), addresses.slice(1));
    const plan = terraformPlan([droplet({ index: "a" }), droplet({ index: "b" }), firewall({ index: "b" })]);
    const blocks = plan.configuration.root_module.resources as Record<string, unknown>[];
    for (const block of blocks.filter(({ type }) => type === "digitalocean_firewall")) {
      block.for_each_expression = references("digitalocean_droplet.web");
      block.expressions = { droplet_ids: references("each.value.id", "each.value") };
    }
    assert.deepEqual(linked(read(plan), 'digitalocean_firewall.web["b"]', "dropletIds"), [
      'digitalocean_droplet.web["b"]',
    ]);
  });

  it("to data sources and local values lead nowhere, and the droplets count as uncovered", () => {
    assert.deepEqual(linksOf(references("local.ids"), zero), []);
    assert.deepEqual(
      linksOf(references("data.digitalocean_droplet.web.id", "data.digitalocean_droplet.web"), zero),
      [],
    );
  });

  it("go through variables and outputs of modules with indexes", () => {
    const hosts = ["a", "b"].map((key) => droplet({ module: `module.site["${key}"].module.hosts` }));
    const guard = ["a", "b"].map((key) => firewall({ module: `module.site["${key}"].module.guard` }));
    const block = ({ type, name, expressions }: Row) => ({
      address: `${type}.${name}`,
      mode: "managed",
      type,
      name,
      expressions,
    });
    const [host, wall] = [hosts[0]!, guard[0]!];
    const site = {
      module_calls: {
        hosts: {
          module: {
            outputs: {
              ids: { expression: references("digitalocean_droplet.web.id", "digitalocean_droplet.web") },
            },
            resources: [block(host)],
          },
        },
        guard: {
          expressions: { ids: references("module.hosts.ids", "module.hosts") },
          module: {
            resources: [block({ ...wall, expressions: { droplet_ids: references("var.ids") } })],
            variables: { ids: {} },
          },
        },
      },
    };
    const rows = [...hosts, ...guard, firewall({ name: "all" })];
    const all = block(firewall({ name: "all", expressions: { droplet_ids: references("module.site") } }));
    const rootModule = {
      resources: [all],
      module_calls: {
        site: {
          for_each_expression: constant(["a", "b"]),
          module: {
            ...site,
            outputs: { ids: { expression: references("module.hosts.ids", "module.hosts") } },
          },
        },
      },
    };
    const state = read(terraformPlan(rows, {}, rootModule));
    const inSite = (key: string, rest: string) => `module.site["${key}"].${rest}`;
    for (const key of ["a", "b"])
      assert.deepEqual(linked(state, inSite(key, "module.guard.digitalocean_firewall.web"), "dropletIds"), [
        inSite(key, "module.hosts.digitalocean_droplet.web"),
      ]);
    assert.equal(linked(state, "digitalocean_firewall.all", "dropletIds").length, 2);
    const found = judgeState(state, definitions, settings).findings;
    assert.ok(!found.some(({ policy }) => policy.name === "droplets-behind-firewall"));
    const without = read(terraformPlan(hosts, {}, rootModule));
    assert.equal(
      judgeState(without, definitions, settings).findings.filter(
        ({ policy }) => policy.name === "droplets-behind-firewall",
      ).length,
      2,
    );
  });
});

describe("a file of Terraform", () => {
  const value = `"a": "${marker}"`;
  const row = (more: string) =>
    `{"format_version": "1.0", "values": {"root_module": {"resources": [{${more}, ${value}}]}}}`;
  for (const [what, text, says] of [
    ["a plan in binary form", `PK\u0003\u0004${marker}`, /binary form/],
    ["the log of a plan", `{"@level":"info","@message":"${marker}"}\n{"@level":"info"}\n`, /log of/],
    [
      "a raw state",
      `{"version": 4, "terraform_version": "1.9.8", "lineage": "${marker}"}`,
      /terraform\.tfstate/,
    ],
    ["a state of another format", `{"format_version": "2.0", ${value}}`, /"format_version" is not 1\.x/],
    ["a state of an old format", `{"format_version": "0.2", ${value}}`, /"format_version" is not 1\.x/],
    ["a state without a format", `{"terraform_version": "1.9.8", ${value}}`, /"format_version" is not 1\.x/],
    [
      "a plan without planned values",
      `{"format_version": "1.2", "configuration": {${value}}}`,
      /without "planned_values"/,
    ],
    [
      "a plan that failed",
      `{"format_version": "1.2", "planned_values": {}, "errored": true, ${value}}`,
      /failed/,
    ],
    ["the output of validate", `{"format_version": "1.0", "valid": true, ${value}}`, /another command/],
    ["values that are a text", `{"format_version": "1.0", "values": "${marker}"}`, /values is not an object/],
    [
      "a list as root module",
      `{"format_version": "1.0", "values": {"root_module": ["${marker}"]}}`,
      /root_module is not/,
    ],
    [
      "a resource that is a text",
      row('"address": 1').replace(/\[\{.*\}\]/, `["${marker}"]`),
      /resources\[0\] is not an object/,
    ],
    ["a resource without address", row('"type": "t", "name": "n"'), /resources\[0\]\.address is not/],
    ["a resource without type", row('"address": "t.n", "name": "n"'), /resources\[0\]\.type is not/],
    ["a resource without name", row('"address": "t.n", "type": "t"'), /resources\[0\]\.name is not/],
    [
      "values of a resource that are a list",
      row('"address": "t.n", "type": "t", "name": "n", "values": [1]'),
      /values is not/,
    ],
  ] as const)
    it(`that is ${what}: the error names that, and no value of the file`, () => {
      assert.throws(
        () => readStateOrPlan(text),
        (error: Error) =>
          error instanceof TerraformError && says.test(error.message) && !error.message.includes(marker),
      );
    });

  it("that is not JSON has no value of it in the error", () => {
    assert.throws(
      () => readStateOrPlan(`{"format_version": ${marker}`),
      (error: Error) => error instanceof StateError && error.message === "it is not JSON",
    );
  });

  it("with types that the pack does not have: every format lists them", () => {
    const rows: readonly Row[] = [
      droplet(),
      { type: "random_password", name: "one", values: {} },
      { type: "random_password", name: "two", values: {} },
      { type: "cloudflare_record", name: "www", values: {} },
    ];
    const state = read(terraformPlan(rows));
    assert.deepEqual(state.terraform?.notJudged, [
      { type: "cloudflare_record", resources: 1 },
      { type: "random_password", resources: 2 },
    ]);
    const judgment = judgeState(state, definitions, settings);
    assert.match(textReport(judgment), /^Terraform plan \(not production\), 4 resources\.$/m);
    assert.match(
      textReport(judgment),
      /^Not checked, .*: cloudflare_record \(1\), random_password \(2\)\.$/m,
    );
    assert.deepEqual(JSON.parse(jsonReport(judgment)).terraform.notJudged, state.terraform?.notJudged);
    const log = JSON.parse(sarifReport(judgment, { name: "x", version: "1.0.0" }, "a.json")) as {
      runs: { invocations: { toolExecutionNotifications: { message: { text: string } }[] }[] }[];
    };
    const validate = sarifValidator();
    assert.ok(validate(log), JSON.stringify(validate.errors));
    assert.match(
      log.runs[0]?.invocations[0]?.toolExecutionNotifications[0]?.message.text ?? "",
      /random_password \(2\)/,
    );
    const xml = junitReport(judgment);
    assert.match(
      xml,
      /<testcase classname="not checked" name="[^"]*">\n\s*<skipped message="[^"]*random_password \(2\)/,
    );
    const head = /<testsuites name="terraform" tests="(\d+)"/.exec(xml);
    assert.equal(Number(head?.[1]), xml.split("<testcase ").length - 1);
  });

  it("that leaves out resources: every format says so", () => {
    const file = terraformPlan([droplet()]);
    const prior = (...rows: readonly Row[]) => ({ ...file, prior_state: terraformState(rows) });
    const isComplete = (plan: unknown) => read(plan).terraform?.isComplete;
    assert.equal(isComplete(file), true);
    assert.equal(isComplete(prior(droplet())), true);
    assert.equal(isComplete(prior(droplet(), firewall())), false);
    assert.equal(isComplete({ ...file, complete: false }), false);
    const deleted = terraformPlan([droplet(), firewall({ actions: ["delete"] })]);
    assert.equal(isComplete({ ...deleted, prior_state: terraformState([firewall()]) }), true);
    const [change] = file.resource_changes;
    const moved = { ...change, previous_address: "digitalocean_droplet.old" };
    const renamed = { ...prior(droplet({ name: "old" })), resource_changes: [moved] };
    assert.equal(isComplete(renamed), true);
    const judgment = judgeState(read({ ...file, complete: false }), definitions, settings);
    for (const report of [
      textReport(judgment),
      sarifReport(judgment, { name: "x", version: "1.0.0" }, "a.json"),
      junitReport(judgment),
    ])
      assert.match(report, /the resources that this plan leaves out/);
    assert.match(jsonReport(judgment), /"isComplete": false/);
  });

  it("has the line of each address, if it is pretty-printed", () => {
    const file = terraformState([droplet({ index: "a" }), firewall()]);
    const pretty = JSON.stringify(file, null, 2);
    const line = (address: string, text: string) => resource(readStateOrPlan(text), address).line;
    const expected = pretty.split("\n").findIndex((text) => text.includes('"digitalocean_firewall.web"')) + 1;
    assert.ok(expected > 5);
    assert.equal(line("digitalocean_firewall.web", pretty), expected);
    assert.ok(line('digitalocean_droplet.web["a"]', pretty) > 1);
    assert.equal(line("digitalocean_firewall.web", JSON.stringify(file)), 1);
  });
});

describe("npm run policy -- check, with a file of Terraform", function () {
  this.timeout(120_000);
  const dir = mkdtempSync(join(tmpdir(), "secured-web-terraform-"));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, "plan.json");
  const check = (args: readonly string[], input = "", variables = {}) =>
    spawnSync(process.execPath, ["scripts/run.mjs", "policy", "check", ...args], {
      cwd: root,
      encoding: "utf8",
      input,
      env: { ...process.env, ...variables },
    });
  const bad = JSON.stringify(terraformPlan(siteRows({ bucketAcl: "public-read" })), null, 2);

  it("reads it from a pipe, and ends with 3 for a mandatory violation", () => {
    const { status, stdout } = check(["-"], bad);
    assert.equal(status, 3);
    assert.match(stdout, /^Terraform plan \(not production\), 9 resources\./);
    assert.match(stdout, /private-spaces-buckets +SpacesBucket "digitalocean_spaces_bucket\.uploads"/);
  });

  it("is production only with --environment production", () => {
    const kind = (...args: string[]) =>
      check(["-", ...args], bad, { SECURED_WEB_PRODUCTION_STACKS: "*" }).stdout.split("\n")[0] ?? "";
    assert.match(kind(), /\(not production\)/);
    assert.match(kind("--environment", "production"), /\(production: /);
  });

  it("accepts the violations in a baseline, by address", () => {
    writeFileSync(file, bad);
    const baseline = join(dir, "baseline.yaml");
    const written = check([file, "--write-baseline", baseline, "--reason", "x", "--until", "2999-12-31"]);
    assert.equal(written.status, 0, written.stderr);
    assert.ok(existsSync(baseline));
    assert.equal(check([file, "--baseline", baseline]).status, 0);
  });

  for (const [what, input, args, says] of [
    [
      "a raw state",
      '{"version": 4, "lineage": "x", "terraform_version": "1"}',
      [],
      /terraform\.tfstate[\s\S]*terraform show -json/,
    ],
    ["no JSON", "{", [], /it is not JSON[\s\S]*terraform show -json/],
    [
      "a stack's configuration",
      bad,
      ["--stack-config", "x"],
      /--stack-config is for Pulumi stacks[\s\S]*--environment/,
    ],
  ] as const)
    it(`${what}: says what is wrong and what to run, and ends with 2`, () => {
      const { status, stderr, stdout } = check(["-", ...args], input);
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, says);
    });
});
