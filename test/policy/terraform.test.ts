/** Terraform plans and states are judged like the equivalent Pulumi programs. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readCorpus } from "../../policy/check/corpus";
import { type Judgment, judgeState } from "../../policy/check/judge";
import { type ProgramResources, previewOf } from "../../policy/check/program";
import { readPolicySettings } from "../../policy/check/settings";
import { readState, type State } from "../../policy/check/state";
import { readStateOrPlan } from "../../policy/check/terraform";
import { inputName, mappedType, parseShape } from "../../policy/check/terraform-values";
import type { Fixture, FixtureResource } from "../../policy/frame/fixture";
import { definitions } from "../../policy/registry";
import { exportedState } from "./exportedState";
import { planOf } from "./programAsTerraform";
import { shapesFile } from "./providerShapes";
import { type Row, terraformPlan, terraformState } from "./terraformJson";
import {
  idOf,
  type SiteErrors,
  siteAddresses,
  siteProgram,
  siteRows,
  siteStateRows,
  webUserData,
} from "./terraformSite";

const environments = ["development", "production"] as const;
type Environment = (typeof environments)[number];

const read = (file: unknown) => readStateOrPlan(JSON.stringify(file));
const userDataOutput = { user_data: { sensitive: true, type: "string", value: webUserData } };
const sitePlan = (errors: SiteErrors = {}) => terraformPlan(siteRows(errors), userDataOutput);

function judged(state: State, environment: Environment, settings = {}): Judgment {
  return judgeState(
    state,
    definitions,
    { stack: "-", config: new Map([["secured-web:environment", environment]]), productionStacks: [] },
    readPolicySettings(JSON.stringify(settings), definitions),
  );
}

/** Every violation, with the resources' names of the program instead of Terraform's addresses. */
function violations(judgment: Judgment, addresses: Readonly<Record<string, string>> = {}): readonly string[] {
  const names = new Map(Object.entries(addresses).map(([name, address]) => [address, name]));
  return judgment.findings
    .map(({ level, policy, resource, message }) => {
      const name = names.get(resource.name) ?? resource.name;
      return `${level} ${policy.name} ${name}: ${message.replaceAll(resource.name, name)}`;
    })
    .sort();
}

/** The program's state after an update, as Pulumi exports it. */
function pulumiExport(program: ProgramResources): State {
  const resources = Object.entries(program).map(([name, { type, properties = {} }]) => {
    const references: Record<string, string[]> = {};
    const resolved = Object.entries(properties).map(([property, value]) => {
      const text = JSON.stringify(value).replace(
        /\$\{(\w+)\.(\w+)\}/g,
        (_, other: string, output: string) => {
          references[property] = [...(references[property] ?? []), other];
          return output === "id"
            ? idOf(siteAddresses[other] ?? "")
            : String(program[other]?.properties?.[output]);
        },
      );
      return [property, JSON.parse(text)];
    });
    const token = /:index\//.test(type) ? type : previewOf({ one: { type } }, "a", "b").resources[0]?.type;
    const resource: FixtureResource = {
      type: token ?? type,
      properties: Object.fromEntries(resolved),
      references,
      outputs: { id: idOf(siteAddresses[name] ?? "") },
    };
    return [name, resource] as const;
  });
  const fixture: Fixture = { title: "site", resources: Object.fromEntries(resources) };
  return readState(JSON.stringify(exportedState(fixture, (text) => text)).replaceAll('-id"', '"'));
}

const siteErrors: Readonly<Record<string, SiteErrors>> = {
  "without errors": {},
  "whose load balancer sends plain HTTP": { targetProtocol: "http" },
  "whose SSH is open to the internet": { sshSources: ["0.0.0.0/0"] },
  "with a public bucket": { bucketAcl: "public-read" },
  "without a database firewall": { withoutDatabaseFirewall: true },
};

describe("a Terraform plan", function () {
  this.timeout(60_000);

  for (const [what, errors] of Object.entries(siteErrors))
    for (const environment of environments)
      it(`of a site ${what}, ${environment}: has the violations of the Pulumi program`, () => {
        const program = judged(previewOf(siteProgram(errors), "dev", "site"), environment);
        const plan = judged(read(sitePlan(errors)), environment);
        assert.deepEqual(violations(plan, siteAddresses), violations(program));
        const mandatory = plan.findings.filter(({ level }) => level === "mandatory").length;
        if (environment === "development") assert.equal(mandatory > 0, what !== "without errors");
      });

  it("of every program of the corpus has the violations of the program", () => {
    let programs = 0;
    let compared = 0;
    for (const { name, settings, resources } of readCorpus(join(__dirname, "corpus"))) {
      if (Object.values(resources).some(({ type }) => !type.startsWith("digitalocean:"))) continue;
      programs += 1;
      // Terraform has no automatic names, and its plans do not contain options.
      const named = Object.entries(resources).map(([key, { type, properties = {} }]) => [
        key,
        { type, properties: isNamed(type) ? { name: key, ...properties } : properties },
      ]);
      const program = Object.fromEntries(named) as ProgramResources;
      for (const environment of environments) {
        const expected = violations(judged(previewOf(program, "dev", "x"), environment, settings));
        const seen = violations(judged(read(planOf(program)), environment, settings)).map((one) =>
          one.replace(/digitalocean_\w+\./g, ""),
        );
        assert.deepEqual(
          seen.sort(),
          expected.map((one) => one.replace(/digitalocean_\w+\./g, "")).sort(),
          `${name}, ${environment}`,
        );
        compared += expected.length;
      }
    }
    assert.ok(programs > 75 && compared > 500, `${programs} programs, ${compared} violations`);
  });

  it("that differs from the program has other violations", () => {
    const [open, closed] = [{ sshSources: ["0.0.0.0/0"] }, {}];
    const program = violations(judged(previewOf(siteProgram(closed), "dev", "site"), "production"));
    assert.notDeepEqual(violations(judged(read(sitePlan(open)), "production"), siteAddresses), program);
    const withoutTags = siteRows().map((row) =>
      row.type === "digitalocean_firewall" ? { ...row, values: { ...row.values, tags: ["other"] } } : row,
    );
    const plan = violations(judged(read(terraformPlan(withoutTags, userDataOutput)), "production"));
    assert.ok(plan.some((one) => one.includes("droplets-behind-firewall digitalocean_droplet.web[1]")));
  });

  it("does not judge resources that it deletes, and judges those that it replaces", () => {
    const actions = (...list: string[]) =>
      siteRows({ bucketAcl: "public-read" }).map((row) =>
        row.type === "digitalocean_spaces_bucket" ? { ...row, actions: list } : row,
      );
    const deleted = terraformPlan(actions("delete"), userDataOutput);
    const hasBucket = (file: unknown) =>
      read(file).resources.some(({ type }) => type.endsWith(":SpacesBucket"));
    assert.equal(hasBucket(deleted), false);
    assert.equal(hasBucket(terraformPlan(actions("delete", "create"), userDataOutput)), true);
    const listed = terraformPlan(actions("create"), userDataOutput);
    const forgotten = listed.resource_changes.map((one) => ({ ...one, change: { actions: ["forget"] } }));
    assert.equal(hasBucket({ ...listed, resource_changes: forgotten }), false);
    const destroy = { format_version: "1.2", planned_values: {}, resource_changes: deleted.resource_changes };
    assert.equal(read(destroy).resources.length, 0);
  });
});

const isNamed = (type: string) =>
  /:(?:Droplet|LoadBalancer|Firewall|Vpc|Volume|DatabaseCluster|KubernetesCluster|Certificate|Project|SpacesBucket)$/.test(
    type,
  );

describe("a Terraform state", function () {
  this.timeout(60_000);
  const siteState = (errors: SiteErrors = {}) => terraformState(siteStateRows(errors), userDataOutput);

  for (const [what, errors] of Object.entries(siteErrors))
    for (const environment of environments)
      it(`of a site ${what}, ${environment}: has the violations of the exported Pulumi state`, () => {
        const exported = judged(pulumiExport(siteProgram(errors)), environment);
        const state = judged(read(siteState(errors)), environment);
        assert.deepEqual(violations(state, siteAddresses), violations(exported));
      });

  it("has no references, so that ids and URNs link its resources", () => {
    const project: Row = {
      type: "digitalocean_project",
      name: "site",
      values: { id: "p-1", name: "site", resources: ["do:droplet:1001", "do:space:site-uploads"] },
    };
    const state = read(terraformState([...siteStateRows(), project]));
    const dependencies = (address: string) =>
      state.resources.find(({ name }) => name === address)?.outputs.propertyDependencies;
    const names = (address: string, input: string) =>
      dependencies(address)?.[input]?.map(({ urn }) => urn.split("::").at(-1));
    assert.deepEqual(names("digitalocean_droplet.web[0]", "vpcUuid"), ["digitalocean_vpc.net"]);
    assert.deepEqual(names("digitalocean_database_firewall.db", "clusterId"), [
      "digitalocean_database_cluster.db",
    ]);
    assert.deepEqual(names("digitalocean_loadbalancer.edge", "dropletIds"), [
      "digitalocean_droplet.web[0]",
      "digitalocean_droplet.web[1]",
    ]);
    assert.deepEqual(names("digitalocean_project.site", "resources"), [
      "digitalocean_droplet.web[0]",
      "digitalocean_spaces_bucket.uploads",
    ]);
  });

  it("without resources has no violations", () => {
    assert.equal(read({ format_version: "1.0" }).resources.length, 0);
    assert.equal(read({ format_version: "1.0", terraform_version: "1.9.8", values: {} }).resources.length, 0);
  });
});

describe("the inputs of Terraform's types", () => {
  it("are those of the installed Pulumi provider (else: node --import tsx test/policy/providerShapes.ts)", () => {
    const squeezed = (text: string) => text.replace(/\s+/g, " ");
    const file = readFileSync(join(__dirname, "../../policy/check/terraform-inputs.ts"), "utf8");
    assert.equal(squeezed(file), squeezed(shapesFile()));
    assert.match(file, /forwardingRules\*\{certificateId certificateName/);
  });

  it("have Pulumi's names", () => {
    const shape = (type: string) => mappedType(type)?.inputs ?? new Map();
    for (const [type, attribute, input] of [
      ["digitalocean_loadbalancer", "forwarding_rule", "forwardingRules"],
      ["digitalocean_loadbalancer", "healthcheck", "healthcheck"],
      ["digitalocean_loadbalancer", "domains", "domains"],
      ["digitalocean_firewall", "inbound_rule", "inboundRules"],
      ["digitalocean_droplet", "vpc_uuid", "vpcUuid"],
      ["digitalocean_droplet", "urn", undefined],
      ["digitalocean_database_cluster", "maintenance_window", "maintenanceWindows"],
      ["digitalocean_database_cluster", "password", undefined],
      ["digitalocean_uptime_alert", "notifications", "notifications"],
      ["digitalocean_spaces_key", "grant", "grants"],
      ["digitalocean_record", "ttl", "ttl"],
    ] as const)
      assert.equal(inputName(attribute, shape(type)), input, `${type}.${attribute}`);
    assert.equal(
      mappedType("digitalocean_reserved_ipv6")?.token,
      "digitalocean:index/reservedIpv6:ReservedIpv6",
    );
    assert.equal(mappedType("aws_instance"), undefined);
    const app = shape("digitalocean_app").get("spec")?.block ?? new Map();
    assert.equal(inputName("domain", app), "domainNames");
    assert.equal(inputName("egress", app), "egresses");
    assert.equal(inputName("allow", parseShape("allows denies")), "allows");
    assert.equal(inputName("deny", parseShape("allows denies")), "denies");
  });
});
