import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import * as path from "node:path";
import * as fc from "fast-check";
import { ConfigError } from "../../infra/config/configError";
import { configurationPage } from "../../infra/config/documentation";
import type { Setting } from "../../infra/config/kinds";
import { parseConfig } from "../../infra/config/parse";
import { siteName } from "../../infra/config/siteName";
import { table } from "../../infra/config/table";
import type { Path } from "../../infra/config/types";
import { type TestCertificate, testCertificate } from "./certificates";

const minimal = { "secured-web:domain": "foobar.com" };

/** The problems that a raw configuration has. */
function problemsOf(raw: Record<string, string>, isSecret?: (key: string) => boolean): readonly string[] {
  try {
    parseConfig(raw, isSecret);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
}

const pem = (kind: string) => `-----BEGIN ${kind}-----\nAAAA\n-----END ${kind}-----\n`;

describe("configuration", () => {
  it("has defaults for all but the domain", () => {
    const config = parseConfig(minimal);
    assert.equal(config.environment, "development");
    assert.equal(config.topology, "converged");
    assert.equal(config.database.count, 3);
    assert.equal(siteName(config), "www.foobar.com");
  });

  it("has other defaults in production", () => {
    const apiKey = "0".repeat(32);
    const config = parseConfig({
      ...minimal,
      "secured-web:environment": "production",
      "secured-web:datadog": JSON.stringify({ apiKey }),
    });
    assert.equal(config.topology, "separated");
    assert.equal(config.backups.enabled, true);
    assert.equal(config.database.protect, true);
    assert.equal(config.monitoring, "datadog");
  });

  it("reads a structured setting from strings and from JSON values alike", () => {
    for (const web of ['{"count":4}', '{"count":"4"}']) {
      assert.equal(parseConfig({ ...minimal, "secured-web:web": web }).web.count, 4);
    }
  });

  it("passes over other namespaces", () => {
    assert.deepEqual(problemsOf({ ...minimal, "digitalocean:token": "x", "other:web.cuont": "1" }), []);
  });

  const wrong: [title: string, raw: Record<string, string>, problem: RegExp][] = [
    [
      "count out of range",
      { "secured-web:web": '{"count":0}' },
      /^secured-web:web\.count: expected 2 to 10, got 0$/,
    ],
    [
      "count not whole",
      { "secured-web:web": '{"count":2.5}' },
      /^secured-web:web\.count: expected 2 to 10, got 2\.5$/,
    ],
    [
      "a word that is none of those",
      { "secured-web:topology": "mesh" },
      /topology: expected converged or separated, got mesh/,
    ],
    [
      "a region without Spaces",
      { "secured-web:region": "nyc1" },
      /^secured-web:region: expected a region with Spaces \(ams3, .*nyc3, .*\), got nyc1$/,
    ],
    ["not a boolean", { "secured-web:createDomain": "yes" }, /createDomain: expected true or false, got yes/],
    ["not a domain", { "secured-web:domain": "foobar" }, /domain: expected a domain name .*, got foobar/],
    [
      "not a list",
      { "secured-web:operators": '{"networks":"10.0.0.1"}' },
      /operators\.networks: expected a list of networks/,
    ],
    [
      "a bad item",
      { "secured-web:operators": '{"networks":["10.0.0.1/33"]}' },
      /operators\.networks: .*got \["10\.0\.0\.1\/33"\]/,
    ],
    [
      "a repeated item",
      { "secured-web:alerts": '{"emails":["a@b.c","a@b.c"]}' },
      /alerts\.emails: expected a list/,
    ],
    [
      "a public VPC range",
      { "secured-web:vpc": '{"ipRange":"8.8.0.0/16"}' },
      /vpc\.ipRange: expected a private IPv4 network/,
    ],
    ["a reserved VPC range", { "secured-web:vpc": '{"ipRange":"10.244.0.0/20"}' }, /vpc\.ipRange/],
    ["a VPC range off its boundary", { "secured-web:vpc": '{"ipRange":"10.1.0.1/20"}' }, /vpc\.ipRange/],
    ["a VPC range too small", { "secured-web:vpc": '{"ipRange":"10.1.0.0/29"}' }, /vpc\.ipRange/],
    [
      "an unknown setting",
      { "secured-web:topologie": "x" },
      /topologie: unknown setting; did you mean secured-web:topology\?/,
    ],
    [
      "an unknown inner setting",
      { "secured-web:web": '{"cuont":2}' },
      /web\.cuont: unknown setting; did you mean secured-web:web\.count\?/,
    ],
    [
      "a structured setting that is a word",
      { "secured-web:web": "2" },
      /secured-web:web: expected an object with the keys count, size/,
    ],
    ["an even group", { "secured-web:database": '{"count":4}' }, /database\.count: expected 3, 5, 7 or 9/],
    ["a group of one", { "secured-web:database": '{"count":1}' }, /database\.count: expected 3, 5, 7 or 9/],
    [
      "passthrough without certificate",
      { "secured-web:tls": "passthrough" },
      /passthrough\.certificate: required for tls passthrough/,
    ],
    [
      "datadog without key",
      { "secured-web:monitoring": "datadog" },
      /datadog\.apiKey: required .*--secret secured-web:datadog\.apiKey/,
    ],
    [
      "a check that takes longer than its interval",
      { "secured-web:loadBalancer": '{"checkIntervalSeconds":3,"checkTimeoutSeconds":10}' },
      /checkTimeoutSeconds: expected at most loadBalancer\.checkIntervalSeconds \(3\), got 10/,
    ],
  ];
  for (const [title, raw, problem] of wrong) {
    it(`refuses ${title}`, () => {
      const problems = problemsOf({ ...minimal, ...raw });
      assert.ok(
        problems.some((line) => problem.test(line)),
        problems.join("\n"),
      );
    });
  }

  it("asks for the domain, with the command that sets it", () => {
    assert.match(
      problemsOf({})[0] ?? "",
      /secured-web:domain: required: expected a domain name .*pulumi config set/,
    );
  });

  it("names all problems at once", () => {
    const problems = problemsOf({
      "secured-web:web": '{"count":0,"size":"!"}',
      "secured-web:region": "mars",
      "secured-web:tls": "none",
    });
    assert.equal(problems.length, 5, problems.join("\n"));
  });

  it("allows one database host for source-replica: the policies judge it, not the configuration", () => {
    assert.deepEqual(
      problemsOf({
        ...minimal,
        "secured-web:replication": "source-replica",
        "secured-web:database": '{"count":1}',
      }),
      [],
    );
  });

  const passthrough = (pair: TestCertificate) => ({
    ...minimal,
    "secured-web:tls": "passthrough",
    "secured-web:passthrough": JSON.stringify(pair),
  });

  it("refuses a secret that is stored plain, and takes it encrypted", async () => {
    const raw = passthrough(await testCertificate(["www.foobar.com"]));
    assert.match(
      problemsOf(raw, () => false)[0] ?? "",
      /passthrough\.privateKey: expected an encrypted value, found plain text/,
    );
    assert.deepEqual(
      problemsOf(raw, (key) => key === "secured-web:passthrough"),
      [],
    );
  });

  it("takes a passthrough certificate that covers the site by a wildcard, and refuses what web hosts could not serve", async () => {
    const good = await testCertificate(["*.foobar.com"]);
    assert.deepEqual(problemsOf(passthrough(good)), []);
    const other = await testCertificate(["www.other.com"]);
    assert.match(
      problemsOf(passthrough(other)).join(),
      /certificate: expected a certificate for www\.foobar\.com, got one for DNS:www\.other/,
    );
    const expired = await testCertificate(["www.foobar.com"], -1);
    assert.match(
      problemsOf(passthrough(expired)).join(),
      /certificate: expected a certificate that is valid now/,
    );
    const mixed = problemsOf(passthrough({ ...good, privateKey: other.privateKey })).join();
    assert.match(mixed, /privateKey: expected the key of passthrough\.certificate, got another key/);
    const broken = { certificate: pem("CERTIFICATE"), privateKey: pem("PRIVATE KEY") };
    const problems = problemsOf(passthrough(broken));
    assert.equal(problems.length, 2);
    assert.ok(!problems.join().includes("AAAA"));
  });

  it("never shows a secret in an error", () => {
    const key = "MARKER-not-a-datadog-key";
    const raw = { ...minimal, "secured-web:datadog": JSON.stringify({ apiKey: key }) };
    const problems = problemsOf(raw);
    assert.equal(problems.length, 1);
    assert.ok(!problems.join().includes(key));
  });

  it("takes any integer in range and refuses any outside, for every integer setting", () => {
    const integers = Object.entries<Setting<unknown>>(table).filter(([, { type }]) => type === "integer");
    assert.ok(integers.length > 10);
    for (const [settingPath, setting] of integers) {
      const [min = 0, max = 0] = setting.allowed.split(" to ").map(Number);
      fc.assert(
        fc.property(fc.integer({ min: min - 1000, max: max + 1000 }), (value) => {
          const taken = setting.read(value);
          assert.equal(taken === value, value >= min && value <= max, `${settingPath} ${value}`);
          assert.deepEqual(setting.read(String(value)), taken);
        }),
        { numRuns: 30 },
      );
    }
  });

  it("never crashes: any raw configuration gives values or named problems", () => {
    const keys = Object.keys(table).map((key) => `secured-web:${key.split(".")[0]}`);
    const key = fc.oneof(
      fc.constantFrom(...keys),
      fc.string().map((name) => `secured-web:${name}`),
    );
    const value = fc.oneof(fc.string(), fc.json());
    fc.assert(
      fc.property(fc.dictionary(key, value), (raw) => {
        for (const problem of problemsOf(raw)) assert.match(problem, /^secured-web:.*: /s);
      }),
    );
  });

  it("is documented: docs/configuration.md is what the table gives (npm run docs makes it)", () => {
    const page = path.join(__dirname, "../../docs/configuration.md");
    assert.ok(existsSync(page));
    assert.equal(readFileSync(page, "utf8"), configurationPage());
  });

  it("documents each setting in one line", () => {
    for (const [settingPath, { doc, allowed }] of Object.entries<Setting<unknown>>(table)) {
      assert.ok(doc.length > 10 && !doc.includes("\n") && !doc.includes("|"), settingPath);
      assert.ok(allowed.length > 0 && !allowed.includes("|"), settingPath);
    }
  });

  it("has defaults that its own kinds accept", () => {
    for (const [settingPath, setting] of Object.entries<Setting<unknown>>(table) as [
      Path,
      Setting<unknown>,
    ][]) {
      for (const environment of ["development", "production"] as const) {
        const value = setting.defaultFor(environment);
        if (value !== undefined) assert.deepEqual(setting.read(value), value, settingPath);
      }
    }
  });
});
