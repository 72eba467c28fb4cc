/**
 * The settings of a stack: one table, from which values are parsed, errors are named and docs/configuration.md is
 * generated. Pure: it takes the raw values and throws one ConfigError with everything that is wrong.
 */
import { isCidr, isDomainName, isPem, isSubdomain, isVpcRange } from "./forms";
import {
  byEnvironment,
  type Environment,
  flag,
  integer,
  listOf,
  NotAllowed,
  oneOf,
  parseJson,
  type Setting,
  secretText,
  text,
} from "./settings";
import { judgeCertificate } from "./siteCertificate";

/** The Pulumi project's name: the namespace of every setting. */
export const projectName = "secured-web";

const slug = (value: string) => /^[a-z0-9][a-z0-9.-]{0,62}$/.test(value);
const emailAddress = (value: string) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value) && value.length <= 254;
const weight = (value: number, role: string) =>
  integer(1, 10000, { default: value, doc: `CPU and I/O weight of the slice of ${role}` });
const memory = (value: number, role: string) =>
  integer(5, 95, {
    default: value,
    doc: `Memory limit of the slice of ${role}, in percent of the host's memory`,
  });

/** Every setting, by its path below the namespace `secured-web`. A path with a dot is a key of a structured setting. */
export const table = {
  environment: oneOf(["development", "production"], {
    default: "development",
    doc: "Decides the defaults below and the strictness of the policies",
  }),
  topology: oneOf(["converged", "separated"], {
    default: byEnvironment("converged", "separated"),
    doc: "converged: every host is web and database; separated: web hosts and database hosts",
  }),
  replication: oneOf(["group", "source-replica"], {
    default: "group",
    doc: "group: every database host takes writes; source-replica: one does (the policies refuse it in production)",
  }),
  tls: oneOf(["reencrypt", "passthrough"], {
    default: "reencrypt",
    doc: "reencrypt: the load balancer ends TLS and opens its own to nginx, unauthenticated; passthrough: the client's TLS session ends on the web host",
  }),
  domain: text("a domain name such as foobar.com", isDomainName, {
    doc: "The zone that holds the site's name and the hosts' internal names",
  }),
  subdomain: text("one DNS label, or @ for the domain itself", isSubdomain, {
    default: "www",
    doc: "The site's name below the domain",
  }),
  createDomain: flag({
    default: true,
    doc: "true: the stack creates the zone; false: the zone exists in the account already",
  }),
  region: text("a region's slug such as nyc3", (value) => /^[a-z]{3}\d$/.test(value), {
    default: "nyc3",
    doc: "DigitalOcean region of everything",
  }),
  image: text("an image's slug such as ubuntu-26-04-x64", slug, {
    default: "ubuntu-26-04-x64",
    doc: "Droplet image; the payload is made for Ubuntu 26.04",
  }),
  "vpc.ipRange": text("a private IPv4 network of /16 to /28 that DigitalOcean does not reserve", isVpcRange, {
    default: byEnvironment("10.110.0.0/20", "10.120.0.0/20"),
    doc: "Address range of the VPC",
  }),
  "web.count": integer(2, 10, { default: 2, doc: "Web hosts in the separated topology" }),
  "web.size": text("a size's slug such as s-1vcpu-2gb", slug, {
    default: byEnvironment("s-1vcpu-1gb", "s-2vcpu-4gb"),
    doc: "Size of a web host in the separated topology",
  }),
  "database.count": integer(1, 9, {
    default: 3,
    doc: "Database hosts (converged: all hosts). A group takes 3, 5, 7 or 9",
  }),
  "database.size": text("a size's slug such as s-2vcpu-4gb", slug, {
    default: byEnvironment("s-2vcpu-2gb", "s-4vcpu-8gb"),
    doc: "Size of a database host (converged: of every host)",
  }),
  "database.bufferPoolMib": integer(128, 524288, {
    default: byEnvironment(512, 4096),
    doc: "InnoDB buffer pool in MiB; leave room for the other roles",
  }),
  "database.maxConnections": integer(20, 10000, { default: 200, doc: "MySQL's max_connections" }),
  "database.protect": flag({
    default: byEnvironment(false, true),
    doc: "Refuse to delete a database host or the zone",
  }),
  "backups.enabled": flag({
    default: byEnvironment(false, true),
    doc: "DigitalOcean's backups of database hosts",
  }),
  "backups.plan": oneOf(["daily", "weekly"], { default: "daily", doc: "How often a backup is taken" }),
  "backups.hour": text(
    "one of 0, 4, 8, 12, 16, 20",
    (value) => ["0", "4", "8", "12", "16", "20"].includes(value),
    {
      default: "4",
      doc: "Hour (UTC) in which the four-hour backup window begins",
    },
  ),
  "app.connectionLimit": integer(1, 500, {
    default: 10,
    doc: "MySQL connections that the application of one web host keeps at most",
  }),
  "slices.web": weight(200, "nginx"),
  "slices.app": weight(200, "the application"),
  "slices.database": weight(800, "MySQL"),
  "slices.monitoring": weight(50, "the monitoring agent"),
  "slices.webMemoryPercent": memory(20, "nginx"),
  "slices.appMemoryPercent": memory(25, "the application"),
  "slices.databaseMemoryPercent": memory(70, "MySQL"),
  "slices.monitoringMemoryPercent": memory(20, "the monitoring agent"),
  "loadBalancer.sizeUnit": integer(1, 100, {
    default: byEnvironment(1, 2),
    doc: "Nodes of the load balancer; two or more survive the loss of one",
  }),
  "loadBalancer.idleTimeoutSeconds": integer(30, 600, {
    default: 60,
    doc: "Idle timeout of HTTP connections",
  }),
  "loadBalancer.checkIntervalSeconds": integer(3, 300, {
    default: 5,
    doc: "Time between two health checks of a host",
  }),
  "loadBalancer.checkTimeoutSeconds": integer(3, 300, {
    default: 3,
    doc: "Time that a health check may take",
  }),
  "loadBalancer.healthyThreshold": integer(2, 10, { default: 2, doc: "Good checks until a host serves" }),
  "loadBalancer.unhealthyThreshold": integer(2, 10, {
    default: 2,
    doc: "Failed checks until a host stops serving",
  }),
  "loadBalancer.allow": listOf("networks (CIDR)", isCidr, {
    default: [],
    doc: "Client networks that may connect; empty = all",
  }),
  "loadBalancer.deny": listOf("networks (CIDR)", isCidr, {
    default: [],
    doc: "Client networks that may not connect",
  }),
  "hsts.maxAgeSeconds": integer(0, 63072000, {
    default: byEnvironment(300, 31536000),
    doc: "How long a browser refuses plain HTTP for the site (Strict-Transport-Security)",
  }),
  "passthrough.certificate": text("a PEM certificate, with its chain behind it", isPem("CERTIFICATE"), {
    doc: "The site's certificate on the web hosts; needed for tls passthrough",
  }),
  "passthrough.privateKey": secretText(
    "a PEM private key",
    isPem("PRIVATE KEY"),
    "The key of passthrough.certificate; needed for tls passthrough",
  ),
  "certificates.validityDays": integer(365, 3650, {
    default: 1825,
    doc: "Validity of a host's internal certificates; renewed by replacing the host in the last 90 days",
  }),
  "operators.networks": listOf("networks (CIDR)", isCidr, {
    default: [],
    doc: "Networks that may reach SSH; empty = closed",
  }),
  "operators.sshKeys": listOf(
    "ids or fingerprints of SSH keys of the account",
    (value) => /^\d+$|^([0-9a-f]{2}:){15}[0-9a-f]{2}$/.test(value),
    { default: [], doc: "SSH keys that a new droplet accepts" },
  ),
  monitoring: oneOf(["none", "datadog", "sumologic"], {
    default: byEnvironment("none", "datadog"),
    doc: "The agent on every host; DigitalOcean's own alerts and uptime checks stand without it",
  }),
  "datadog.apiKey": secretText(
    "a Datadog API key (32 hexadecimal digits)",
    (value) => /^[0-9a-f]{32}$/.test(value),
    "Datadog API key; needed for monitoring datadog",
  ),
  "datadog.appKey": secretText(
    "a Datadog application key (40 hexadecimal digits, or a newer one that begins with ddapp_)",
    (value) => /^([0-9a-f]{40}|ddapp_[A-Za-z0-9]{34,})$/.test(value),
    "Datadog application key; with it the stack makes monitors, objectives and the dashboard at Datadog",
  ),
  "datadog.site": oneOf(
    [
      "datadoghq.com",
      "us3.datadoghq.com",
      "us5.datadoghq.com",
      "datadoghq.eu",
      "ap1.datadoghq.com",
      "ap2.datadoghq.com",
    ],
    { default: "datadoghq.com", doc: "Datadog site that receives metrics and logs" },
  ),
  "sumologic.url": secretText(
    "the https address of a Sumo Logic HTTP source",
    (value) => /^https:\/\/[\x21-\x7e]+$/.test(value) && !/[$"'\\]/.test(value) && value.length <= 512,
    "Address of Sumo Logic's HTTP source for metrics; needed for monitoring sumologic",
  ),
  "alerts.emails": listOf("email addresses that DigitalOcean has verified", emailAddress, {
    default: [],
    doc: "Who is told of alerts; empty = the account's own address (DigitalOcean), nobody by mail (Datadog)",
  }),
  "alerts.cpuPercent": integer(10, 100, {
    default: 80,
    doc: "CPU use of a host that alerts, over 5 minutes",
  }),
  "alerts.memoryPercent": integer(10, 100, {
    default: 90,
    doc: "Memory use of a host that alerts, over 5 minutes",
  }),
  "alerts.diskPercent": integer(10, 100, {
    default: 80,
    doc: "Disk use of a host that alerts, over 5 minutes",
  }),
  "alerts.load5": integer(1, 100, { default: 4, doc: "Five-minute load average of a host that alerts" }),
  "alerts.loadBalancerPercent": integer(10, 100, {
    default: 80,
    doc: "Use of the load balancer's connections or CPU that alerts",
  }),
  "alerts.qpsDropPercent": integer(10, 99, {
    default: 70,
    doc: "Fall of the web or database queries per second against the hour before that alerts (Datadog)",
  }),
  "alerts.qpsSurgePercent": integer(10, 100000, {
    default: 300,
    doc: "Rise of the web queries per second against the hour before that alerts (Datadog)",
  }),
  "alerts.errorPercent": integer(1, 100, {
    default: 5,
    doc: "Share of 5xx answers that alerts, over 5 minutes (Datadog)",
  }),
  "alerts.latencyP95Ms": integer(10, 60000, {
    default: 1000,
    doc: "95th percentile of a web host's answer times that alerts, over 5 minutes (Datadog)",
  }),
  "alerts.replicationQueue": integer(1, 1000000, {
    default: 1000,
    doc: "Transactions that a member has still to apply that alert, over 5 minutes (Datadog)",
  }),
  "alerts.conflicts": integer(1, 1000000, {
    default: 50,
    doc: "Certification conflicts of a member in 5 minutes that alert (Datadog)",
  }),
  "alerts.backupAgeHours": integer(2, 1000, {
    doc: "Age of a database host's newest backup that alerts; figures are sent by `npm run status -- STACK --send-backup-ages` (Datadog)",
  }),
  "alerts.connectionsPercent": integer(10, 100, {
    default: 80,
    doc: "Share of a member's max_connections in use that alerts (Datadog)",
  }),
  "alerts.stealPercent": integer(1, 100, {
    default: 10,
    doc: "CPU time that the hypervisor gives to others that alerts, over 10 minutes (Datadog)",
  }),
  "slo.availabilityPercent": oneOf(["99", "99.5", "99.9", "99.95"], {
    default: byEnvironment("99", "99.9"),
    doc: "Share of requests to be answered without a 5xx, over 30 days (Datadog)",
  }),
  "slo.latencyPercent": oneOf(["90", "95", "99", "99.5"], {
    default: byEnvironment("90", "99"),
    doc: "Share of requests to be answered within half a second, over 30 days (Datadog)",
  }),
  "uptime.latencyMs": integer(50, 10000, { default: 1000, doc: "Response time of the site that alerts" }),
  "uptime.certificateDays": integer(1, 60, {
    default: 14,
    doc: "Days before the certificate's expiry that the uptime check alerts",
  }),
  replaceHost: text("a host's name such as db-1", (value) => /^(node|web|db)-\d+$/.test(value), {
    doc: "Set by `npm run replace` for one run: lets a plain update replace this database host",
  }),
} as const satisfies Record<string, Setting<unknown>>;

type Table = typeof table;
export type Path = keyof Table;
type ValueOf<S> = S extends Setting<infer T> ? T : never;

/** Settings that have no default: absent where the user gives none. */
type Optional =
  | "passthrough.certificate"
  | "passthrough.privateKey"
  | "datadog.apiKey"
  | "datadog.appKey"
  | "sumologic.url"
  | "alerts.backupAgeHours"
  | "replaceHost";

/** The values of a stack by path. */
export type Config = { readonly [P in Exclude<Path, Optional>]: ValueOf<Table[P]> } & {
  readonly [P in Optional]?: ValueOf<Table[P]>;
};

const optionalPaths: readonly string[] = [
  "passthrough.certificate",
  "passthrough.privateKey",
  "datadog.apiKey",
  "datadog.appKey",
  "sumologic.url",
  "alerts.backupAgeHours",
  "replaceHost",
] satisfies readonly Optional[];

/** Everything that is wrong with a stack's settings, one line each. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    const count = problems.length === 1 ? "1 setting is wrong" : `${problems.length} settings are wrong`;
    super(
      `${count} (docs/configuration.md lists them all):\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
    this.name = "ConfigError";
  }
}

/** Raw settings by full key ("secured-web:web"), as the engine gives them: plain text, or JSON for structured ones. */
export type RawConfig = Readonly<Record<string, string>>;

/** Whether a raw key is stored encrypted. */
export type IsSecret = (key: string) => boolean;

/**
 * The values of a stack's settings.
 *
 * @param raw all configuration of the stack; keys of other namespaces are passed over
 * @param isSecret tells whether a key is stored encrypted (plain secrets are refused)
 * @throws ConfigError with every problem at once
 */
export function parseConfig(raw: RawConfig, isSecret: IsSecret = () => true): Config {
  const { given, problems } = flatten(raw);
  const values: Record<string, unknown> = {};
  const environment: Environment = given.get("environment") === "production" ? "production" : "development";
  for (const [path, setting] of Object.entries<Setting<unknown>>(table)) {
    const rawValue = given.get(path);
    if (rawValue === undefined) {
      const value = setting.defaultFor(environment);
      if (value !== undefined) values[path] = value;
      else if (!optionalPaths.includes(path)) problems.push(missing(path, setting));
      continue;
    }
    const key = `${projectName}:${path.split(".")[0]}`;
    const value = setting.read(rawValue);
    if (value instanceof NotAllowed) problems.push(notAllowed(path, setting, rawValue));
    else if (setting.secret && !isSecret(key)) problems.push(notEncrypted(path));
    else values[path] = value;
  }
  const config = values as unknown as Config;
  if (problems.length === 0) problems.push(...contradictions(config));
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

/** Raw values by path, and what is wrong with the keys themselves. */
function flatten(raw: RawConfig): { given: Map<string, unknown>; problems: string[] } {
  const given = new Map<string, unknown>();
  const problems: string[] = [];
  const paths = Object.keys(table);
  for (const [key, rawValue] of Object.entries(raw)) {
    if (!key.startsWith(`${projectName}:`)) continue;
    const top = key.slice(projectName.length + 1);
    if (paths.includes(top)) {
      given.set(top, rawValue);
    } else if (paths.some((path) => path.startsWith(`${top}.`))) {
      const object = parseJson(rawValue);
      if (typeof object !== "object" || object === null || Array.isArray(object)) {
        const keys = paths
          .filter((path) => path.startsWith(`${top}.`))
          .map((path) => path.slice(top.length + 1));
        problems.push(`${key}: must be an object with the keys ${keys.join(", ")}`);
        continue;
      }
      for (const [inner, value] of Object.entries(object)) {
        if (paths.includes(`${top}.${inner}`)) given.set(`${top}.${inner}`, value);
        else problems.push(unknownSetting(`${top}.${inner}`));
      }
    } else {
      problems.push(unknownSetting(top));
    }
  }
  return { given, problems };
}

function unknownSetting(path: string): string {
  const nearest = Object.keys(table)
    .map((known) => ({ known, distance: editDistance(path, known) }))
    .sort((a, b) => a.distance - b.distance)[0];
  const hint = nearest && nearest.distance <= 4 ? `; did you mean ${projectName}:${nearest.known}?` : "";
  return `${projectName}:${path}: no such setting${hint}`;
}

function missing(path: string, setting: Setting<unknown>): string {
  return `${projectName}:${path}: must be set to ${setting.allowed}: pulumi config set --path ${projectName}:${path} VALUE`;
}

function notAllowed(path: string, setting: Setting<unknown>, rawValue: unknown): string {
  const got = setting.secret
    ? "something else"
    : shorten(typeof rawValue === "string" ? rawValue : JSON.stringify(rawValue));
  return `${projectName}:${path}: must be ${setting.allowed}, got ${got}`;
}

function notEncrypted(path: string): string {
  return `${projectName}:${path}: must be stored encrypted: pulumi config set --path --secret ${projectName}:${path}`;
}

function shorten(value: string): string {
  return value.length > 80 ? `${value.slice(0, 77)}...` : value;
}

/** Settings that are right one by one and wrong together. */
function contradictions(config: Config): string[] {
  const problems: string[] = [];
  const need = (path: Path, reason: string) => {
    problems.push(`${projectName}:${path}: must be set ${reason}: ${setCommand(path)}`);
  };
  const count = config["database.count"];
  if (config.replication === "group" && (count < 3 || count % 2 === 0)) {
    problems.push(
      `${projectName}:database.count: must be 3, 5, 7 or 9 for replication group (an even number adds a host and no fault that the group survives), got ${count}`,
    );
  }
  if (config.tls === "passthrough") {
    if (config["passthrough.certificate"] === undefined)
      need("passthrough.certificate", "for tls passthrough");
    if (config["passthrough.privateKey"] === undefined) need("passthrough.privateKey", "for tls passthrough");
    problems.push(...passthroughProblems(config));
  }
  if (config.monitoring === "datadog" && config["datadog.apiKey"] === undefined) {
    need("datadog.apiKey", "for monitoring datadog (or set monitoring to none)");
  }
  if (config.monitoring === "sumologic" && config["sumologic.url"] === undefined) {
    need("sumologic.url", "for monitoring sumologic (or set monitoring to none)");
  }
  if (config["datadog.appKey"] !== undefined && config["datadog.apiKey"] === undefined) {
    need("datadog.apiKey", "beside datadog.appKey: both open Datadog's API");
  }
  if (config["alerts.backupAgeHours"] !== undefined && !config["backups.enabled"]) {
    problems.push(
      `${projectName}:alerts.backupAgeHours: needs backups: ${setCommand("backups.enabled")} true, or leave it out`,
    );
  }
  if (config["loadBalancer.checkTimeoutSeconds"] > config["loadBalancer.checkIntervalSeconds"]) {
    problems.push(
      `${projectName}:loadBalancer.checkTimeoutSeconds: must be at most loadBalancer.checkIntervalSeconds (${config["loadBalancer.checkIntervalSeconds"]}), got ${config["loadBalancer.checkTimeoutSeconds"]}`,
    );
  }
  return problems;
}

/** What is wrong with the certificate that web hosts would serve; nothing where it is not given at all. */
function passthroughProblems(config: Config): string[] {
  const certificate = config["passthrough.certificate"];
  const privateKey = config["passthrough.privateKey"];
  if (certificate === undefined || privateKey === undefined) return [];
  const problems = judgeCertificate(certificate, privateKey, siteName(config), new Date());
  return [
    ...problems.certificate.map((problem) => `${projectName}:passthrough.certificate: ${problem}`),
    ...problems.privateKey.map((problem) => `${projectName}:passthrough.privateKey: ${problem}`),
  ];
}

function setCommand(path: Path): string {
  const secret = (table[path] as Setting<unknown>).secret ? "--secret " : "";
  return `pulumi config set --path ${secret}${projectName}:${path}`;
}

/** Levenshtein distance, to suggest the setting that was meant. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replace = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replace, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** The site's public name. */
export function siteName(config: Config): string {
  return config.subdomain === "@" ? config.domain : `${config.subdomain}.${config.domain}`;
}

/** docs/configuration.md: a table made from the settings' own table. */
export function configurationPage(): string {
  const rows = Object.entries<Setting<unknown>>(table).map(([path, setting]) => {
    const development = describe(setting.defaultFor("development"));
    const production = describe(setting.defaultFor("production"));
    const given = development === production ? development : `${development}; production: ${production}`;
    return `| \`${path}\` | ${setting.type} | ${given} | ${setting.allowed} | ${setting.doc} |`;
  });
  return [
    "# Configuration",
    "",
    `Every setting of a stack, in the namespace \`${projectName}\`. A path with a dot is a key of a structured setting:`,
    `\`pulumi config set --path ${projectName}:web.count 3\`. Secrets are set with \`--secret\`.`,
    "This page is generated from the table in infra/config.ts by `npm run docs`.",
    "",
    "| setting | type | default | allowed | what it is |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function describe(value: unknown): string {
  if (value === undefined) return "none";
  return Array.isArray(value) && value.length === 0 ? "empty" : `\`${String(value)}\``;
}
