/**
 * The Datadog agent's files against what each integration documents. Only what our files may say is listed; an option
 * that is not here is a typing error until somebody has read its documentation.
 */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { z } from "zod";
import { payloadVersion } from "../../infra/userdata/files";
import { renderUserData } from "../../infra/userdata/render";
import type { HostContext } from "../../infra/userdata/types";
import { contextsOf, datadog, fakeSecrets, sumologic } from "../payload/contexts";
import { parseUserData } from "../payload/parsed";

const go = z.string().refine(
  // Go's regular expressions (RE2) have no lookaround and no back references.
  (pattern) => !/\(\?<?[=!]|\\[1-9]/.test(pattern) && compiles(pattern),
  "must be a regular expression of Go's form",
);
function compiles(pattern: string): boolean {
  try {
    // What Go writes as (?i) and (?s) before a pattern are flags here.
    new RegExp(pattern.replace(/^\(\?[is]+\)/, ""));
    return true;
  } catch {
    return false;
  }
}

/** docs.datadoghq.com/agent/logs/advanced_log_collection */
const rule = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("mask_sequences"),
    name: z.string(),
    pattern: go,
    replace_placeholder: z.string(),
  }),
  z.strictObject({ type: z.literal("multi_line"), name: z.string(), pattern: go }),
]);
const rules = z.array(rule).optional();
/** docs.datadoghq.com/agent/logs; journald: integrations-core, journald/datadog_checks/journald/data/conf.yaml.example */
const logs = z.array(
  z.discriminatedUnion("type", [
    z.strictObject({
      type: z.literal("file"),
      path: z.string().startsWith("/var/log/"),
      service: z.string(),
      source: z.string(),
      log_processing_rules: rules,
    }),
    z.strictObject({
      type: z.literal("journald"),
      path: z.string(),
      service: z.string(),
      source: z.string(),
      include_units: z.array(z.string().endsWith(".service")).min(1),
    }),
  ]),
);
const none = z.null();
const instances = <S extends z.ZodType>(schema: S) =>
  z.strictObject({ init_config: none, instances: z.array(schema).min(1), logs: logs.optional() });
const loopback = z.string().startsWith("http://127.0.0.1:");

/** By the folder below conf.d. */
const schemas: Readonly<Record<string, z.ZodType>> = {
  /** integrations-core: disk/assets/configuration/spec.yaml */
  disk: instances(z.strictObject({ use_mount: z.boolean(), file_system_exclude: z.array(z.string()) })),
  /** integrations-core: haproxy/assets/configuration/spec.yaml (the legacy, non-Prometheus form) */
  haproxy: instances(z.strictObject({ url: loopback })),
  /** A name of our own: an integration that has logs alone. */
  journal: z.strictObject({ logs }),
  /** integrations-core: mysql/assets/configuration/spec.yaml */
  mysql: instances(
    z.strictObject({
      sock: z.literal("/run/mysqld/mysqld.sock"),
      username: z.literal("dd-agent"),
      options: z.strictObject({
        replication: z.boolean(),
        replication_non_blocking_status: z.boolean(),
        extra_status_metrics: z.boolean(),
        extra_innodb_metrics: z.boolean(),
      }),
      custom_queries: z.array(
        z.strictObject({
          metric_prefix: z.literal("secured_web"),
          query: z.string().startsWith("SELECT "),
          columns: z.array(z.strictObject({ name: z.string(), type: z.enum(["tag", "gauge"]) })),
        }),
      ),
    }),
  ),
  /** integrations-core: nginx/assets/configuration/spec.yaml */
  nginx: instances(z.strictObject({ nginx_status_url: loopback })),
  /** integrations-core: process/assets/configuration/spec.yaml */
  process: instances(
    z.strictObject({
      name: z.string(),
      search_string: z.array(z.string()).length(1),
      exact_match: z.boolean(),
    }),
  ),
  /** datadog-agent: cmd/agent/dist/conf.d/systemd.d/conf.yaml.example */
  systemd: instances(z.strictObject({ unit_names: z.array(z.string().endsWith(".service")).min(2) })),
  /** integrations-core: tls/assets/configuration/spec.yaml */
  tls: instances(
    z.strictObject({
      server: z.string(),
      port: z.number().int().optional(),
      local_cert_path: z.string().startsWith("/etc/").optional(),
      start_tls: z.enum(["mysql", "postgres"]).optional(),
      server_hostname: z.string().optional(),
      tls_ca_cert: z.string().optional(),
      name: z.string(),
      days_warning: z.number(),
      days_critical: z.number(),
    }),
  ),
};

/** datadog-agent: pkg/config/config_template.yaml */
const agent = z.strictObject({
  site: z.string(),
  hostname: z.string(),
  env: z.enum(["development", "production"]),
  tags: z.array(z.string().regex(/^(stack|service|version|role):./)),
  cloud_provider_metadata: z.array(z.string()).max(0),
  log_level: z.enum(["warn", "info"]),
  process_config: z.strictObject({ process_collection: z.strictObject({ enabled: z.literal(true) }) }),
  apm_config: z.strictObject({ enabled: z.literal(false) }),
  use_dogstatsd: z.literal(true),
  dogstatsd_port: z.literal(0),
  dogstatsd_socket: z.literal(""),
  dogstatsd_stream_socket: z.string().startsWith("/run/datadog/"),
  histogram_percentiles: z.array(z.string().regex(/^0\.\d+$/)),
  logs_enabled: z.literal(true),
  logs_config: z.strictObject({ processing_rules: z.array(rule) }),
});

type Files = ReadonlyMap<string, { text: string; mode: number }>;

function filesOf(context: HostContext): Files {
  const { files } = parseUserData(renderUserData(context, fakeSecrets(context.host)));
  return new Map(files.map(({ path, text, mode }) => [path, { text, mode }]));
}

/** What is wrong with the agent's files of a host. */
function problems(files: Files): string[] {
  const found: string[] = [];
  for (const [path, { text }] of files) {
    const folder = /^\/etc\/datadog-agent\/conf\.d\/([\w-]+)\.d\/[\w-]+\.yaml$/.exec(path)?.[1];
    const schema =
      path === "/etc/datadog-agent/datadog.yaml" ? agent : folder === undefined ? undefined : schemas[folder];
    if (schema === undefined) {
      if (path.startsWith("/etc/datadog-agent/")) found.push(`${path}: no such file of the agent is known`);
      continue;
    }
    const { error } = schema.safeParse(parse(text));
    for (const { path: where, message } of error?.issues ?? [])
      found.push(`${path}: ${where.join(".")}: ${message}`);
  }
  return found;
}

const variants = (["converged", "separated"] as const).flatMap((topology) =>
  (["group", "source-replica"] as const).flatMap((replication) =>
    contextsOf({ topology, settings: { replication, monitoring: datadog } }),
  ),
);

describe("monitoring: the agent's files", () => {
  it("have the form that each integration documents", () => {
    for (const context of variants) assert.deepEqual(problems(filesOf(context)), [], context.host.name);
  });

  for (const [what, path, fault] of [
    [
      "an option that does not exist",
      "nginx.d/conf.yaml",
      (text: string) => text.replace("nginx_status_url", "status_url"),
    ],
    ["a check that does not exist", "nginx.d/conf.yaml", undefined],
    [
      "a value of another type",
      "tls.d/web.yaml",
      (text: string) => text.replace("days_warning: 30", "days_warning: soon"),
    ],
    [
      "a pattern that Go does not know",
      "mysql.d/conf.yaml",
      (text: string) => text.replace('"# Time: "', '"(?=# Time)"'),
    ],
  ] as const) {
    it(`the check refuses ${what}`, () => {
      const files = new Map(filesOf(variants[0] as HostContext));
      const whole = `/etc/datadog-agent/conf.d/${path}`;
      const { text, mode } = files.get(whole) ?? { text: "", mode: 0 };
      if (fault) files.set(whole, { text: fault(text), mode });
      else files.set("/etc/datadog-agent/conf.d/ngnix.d/conf.yaml", { text, mode });
      assert.notDeepEqual(problems(files), []);
    });
  }

  it("name the units, processes and journals of the host's roles, and the tags of every figure", () => {
    for (const context of variants) {
      const files = filesOf(context);
      const text = (path: string) => files.get(`/etc/datadog-agent/${path}`)?.text ?? "";
      const isWeb = context.host.roles.includes("web");
      assert.equal(text("conf.d/systemd.d/conf.yaml").includes("nginx.service"), isWeb);
      assert.equal(
        text("conf.d/process.d/conf.yaml").includes("mysqld"),
        context.host.roles.includes("database"),
      );
      const { tags } = parse(text("datadog.yaml")) as { tags: string[] };
      for (const key of ["stack", "service", "version", "role"])
        assert.ok(tags.some((tag) => tag.startsWith(`${key}:`)));
    }
  });

  it("hold the key in one file, root's alone, and in no other", () => {
    for (const monitoring of [datadog, sumologic]) {
      for (const context of contextsOf({ topology: "converged", settings: { monitoring } })) {
        const files = filesOf(context);
        const secrets = [...files].filter(([, { text }]) => /SECRETapikey|http\/SECRET/.test(text));
        assert.equal(secrets.length, 1);
        const [path, { mode }] = secrets[0] as [string, { text: string; mode: number }];
        assert.match(path, /^\/etc\/secured-web\/secrets\/(datadog|sumologic)\.env$/);
        assert.equal(mode, 0o600);
        const drop = [...files].filter(([, { text }]) => text.includes(`EnvironmentFile=${path}`));
        assert.equal(drop.length, 1, "the unit reads it");
      }
    }
  });

  it("tell one version on all hosts of the same roles: what the repository brings there", () => {
    const versions = new Map<string, Set<string>>();
    for (const context of variants) {
      const text = filesOf(context).get("/etc/datadog-agent/datadog.yaml")?.text ?? "";
      const version = /version:([0-9a-f]{12})$/m.exec(text)?.[1] ?? assert.fail(text);
      assert.equal(version, payloadVersion(context));
      const { roles: names } = context.host;
      const roles = [...names, ...(names.includes("database") ? [context.settings.replication] : [])].join();
      versions.set(roles, (versions.get(roles) ?? new Set()).add(version));
    }
    const found = [...versions.values()].flatMap((of) => [...of]);
    assert.equal(found.length, versions.size, "one version for hosts of the same roles");
    assert.equal(new Set(found).size, versions.size, "hosts of other roles have another");
  });
});

describe("monitoring: what is taken out of logs", () => {
  const files = filesOf(variants[0] as HostContext);
  const conf = (path: string) => parse(files.get(`/etc/datadog-agent/${path}`)?.text ?? "");
  type Rule = z.infer<typeof rule>;
  const global = conf("datadog.yaml").logs_config.processing_rules as Rule[];
  const own = (path: string, log: string) =>
    (conf(path).logs as { path: string; log_processing_rules?: Rule[] }[]).find(
      (source) => source.path === log,
    )?.log_processing_rules ?? [];

  function scrub(line: string, source: Rule[] = []): string {
    return [...source, ...global].reduce((text, one) => {
      if (one.type !== "mask_sequences") return text;
      const [, flags = "", pattern = ""] = /^(?:\(\?([is]+)\))?([\s\S]*)$/.exec(one.pattern) ?? [];
      // Go writes a group as ${1}, JavaScript as $1.
      const replacement = one.replace_placeholder.replace(/\$\{(\d)\}/g, "$$$1");
      return text.replace(new RegExp(pattern, `g${flags}`), replacement);
    }, line);
  }

  for (const [what, line, gone] of [
    ["IPv4 addresses", '{"client":"203.0.113.7","status":200}', "203.0.113.7"],
    ["IPv6 addresses", "client: 2001:db8::7, server: www", "2001:db8::7"],
    ["whole IPv6 addresses", "from 2001:db8:1:2:3:4:5:6 port 1", "2001:db8:1:2:3:4:5:6"],
    ["email addresses", "note of jane.doe@example.com", "jane.doe@example.com"],
    ["passwords", 'connect with password="hunter2hunter2"', "hunter2hunter2"],
    ["passwords in SQL", "ALTER USER app IDENTIFIED BY 'hunter2hunter2'", "hunter2hunter2"],
    ["tokens in headers", "Authorization: Bearer eyJabc.def", "eyJabc.def"],
    ["API keys", "DD_API_KEY=0123456789abcdef", "0123456789abcdef"],
    ["private keys", "-----BEGIN EC PRIVATE KEY----- MHcCAQEEI -----END EC PRIVATE KEY-----", "MHcCAQEEI"],
  ] as const) {
    it(what, () => {
      assert.ok(!scrub(line).includes(gone), scrub(line));
      assert.ok(line.includes(gone));
    });
  }

  it("a slow statement's texts, and nginx's query strings", () => {
    const slow = own("conf.d/mysql.d/conf.yaml", "/var/log/mysql/slow.log");
    const statement = `INSERT INTO notes (text) VALUES ('it''s my \\'diary\\' today', "and more")`;
    assert.equal(scrub(statement, slow), "INSERT INTO notes (text) VALUES (?, ?)");
    const nginx = own("conf.d/nginx.d/conf.yaml", "/var/log/nginx/error.log");
    assert.equal(scrub('request: "GET /a?name=jane HTTP/1.1"', nginx), 'request: "GET /a? HTTP/1.1"');
  });

  it("and leaves what somebody needs who is woken up", () => {
    const line =
      '{"time":"2026-11-21T14:30:00+00:00","method":"GET","path":"/api/notes","status":503,"seconds":0.004}';
    assert.equal(scrub(line), line);
  });
});
