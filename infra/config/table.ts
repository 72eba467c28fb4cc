/**
 * Every setting of a stack: its type, default, range and one line of documentation. parse.ts reads values by this table,
 * and documentation.ts makes docs/configuration.md from it.
 */
import { byEnvironment, flag, integer, listOf, oneOf, type Setting, secretText, text } from "./kinds";
import { isCidr, isDomainName, isPem, isSubdomain, isVpcRange } from "./validators";

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

/** Settings that have no default: absent where the user gives none. */
export const optionalPaths = [
  "passthrough.certificate",
  "passthrough.privateKey",
  "datadog.apiKey",
  "datadog.appKey",
  "sumologic.url",
  "alerts.backupAgeHours",
  "replaceHost",
] as const satisfies readonly (keyof typeof table)[];
