/**
 * All settings of a stack: type, default, range and one line of documentation. parse.ts reads values with this table,
 * and documentation.ts generates docs/configuration.md from it.
 *
 * Over 300 lines because it is one table with an entry for each setting.
 */
import { byEnvironment, flag, integer, listOf, oneOf, type Setting, secretText, text } from "./kinds";
import { operatorUsers } from "./operatorUsers";
import { isRevoked } from "./revoked";
import { isCidr, isDomainName, isPem, isSubdomain, isVpcRange } from "./validators";

/** DigitalOcean's documentation, "Spaces Availability" (March 2026): regions with Standard Storage. */
export const spacesRegions: readonly string[] = [
  "ams3",
  "atl1",
  "blr1",
  "fra1",
  "lon1",
  "nyc3",
  "sfo2",
  "sfo3",
  "sgp1",
  "syd1",
  "tor1",
];

/** The Pulumi project's name, which is the namespace of all settings. */
export const projectName = "secured-web";

const slug = (value: string) => /^[a-z0-9][a-z0-9.-]{0,62}$/.test(value);
const emailAddress = (value: string) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value) && value.length <= 254;
const weight = (value: number, role: string) =>
  integer(1, 10000, { default: value, doc: `CPU and I/O weight of the systemd slice for ${role}` });
const memory = (value: number, role: string) =>
  integer(5, 95, {
    default: value,
    doc: `Memory limit of the systemd slice for ${role}, in percent of the host's memory`,
  });

/** All settings, by their path in the namespace `secured-web`. A path with a dot is a key of a structured setting. */
export const table = {
  environment: oneOf(["development", "production"], {
    default: "development",
    doc: "Determines the defaults below, and how strict the policies are",
  }),
  topology: oneOf(["converged", "separated"], {
    default: byEnvironment("converged", "separated"),
    doc: "converged: every host is a web and database host; separated: separate web hosts and database hosts",
  }),
  replication: oneOf(["group", "source-replica"], {
    default: "group",
    doc: "group: every database host accepts writes; source-replica: only one does (the policies refuse it in production)",
  }),
  tls: oneOf(["reencrypt", "passthrough"], {
    default: "reencrypt",
    doc: "reencrypt: the load balancer terminates TLS and opens a new TLS connection to nginx, without verifying it; passthrough: the client's TLS session ends on the web host",
  }),
  domain: text("a domain name such as foobar.com", isDomainName, {
    doc: "Zone of the site's name and of the hosts' internal names",
  }),
  subdomain: text("one DNS label (such as www), or @ for the domain itself", isSubdomain, {
    default: "www",
    doc: "Name of the site in the domain",
  }),
  createDomain: flag({
    default: true,
    doc: "true: the stack creates the zone (and never deletes it); false: the zone already exists in the account",
  }),
  handOverZone: text("the name of the zone", isDomainName, {
    doc: "Set for one run, together with createDomain false: the name of the zone that the stack gives up (docs/operations.md)",
  }),
  region: text(
    `a region with Spaces (${spacesRegions.join(", ")})`,
    (value) => spacesRegions.includes(value),
    {
      default: "nyc3",
      doc: "DigitalOcean region of all resources. Hosts get their releases from Spaces",
    },
  ),
  image: text("an image's slug such as ubuntu-26-04-x64", slug, {
    default: "ubuntu-26-04-x64",
    doc: "Droplet image; the payload is written for Ubuntu 26.04",
  }),
  "vpc.ipRange": text(
    "a private IPv4 network from /16 to /28 that DigitalOcean does not reserve",
    isVpcRange,
    {
      default: byEnvironment("10.110.0.0/20", "10.120.0.0/20"),
      doc: "Address range of the VPC",
    },
  ),
  "web.count": integer(2, 10, { default: 2, doc: "Number of web hosts in the separated topology" }),
  "web.size": text("a size's slug such as s-1vcpu-2gb", slug, {
    default: byEnvironment("s-1vcpu-1gb", "s-2vcpu-4gb"),
    doc: "Size of a web host in the separated topology",
  }),
  "database.count": integer(1, 9, {
    default: 3,
    doc: "Number of database hosts (converged: of all hosts); a group requires 3, 5, 7 or 9",
  }),
  "database.size": text("a size's slug such as s-2vcpu-4gb", slug, {
    default: byEnvironment("s-2vcpu-2gb", "s-4vcpu-8gb"),
    doc: "Size of a database host (converged: of every host)",
  }),
  "database.bufferPoolMib": integer(128, 524288, {
    default: byEnvironment(512, 4096),
    doc: "InnoDB buffer pool (MiB). With MySQL's other memory it must fit into the database slice and leave room for what else runs on the host; the error names the largest value",
  }),
  "database.maxConnections": integer(20, 10000, {
    default: 200,
    doc: "MySQL's max_connections. One member must be able to take all web hosts (separated: twice web.count, because a replacement creates the new ones first): hosts x (app.connectionLimit + 2) + database.count x 2 + 10",
  }),
  "database.routing": oneOf(["spread", "preferred"], {
    default: "spread",
    doc: "spread: the applications use all members of the group; preferred: all of them use the first member that is healthy, so that transactions do not conflict with those of another member",
  }),
  "database.storage": oneOf(["local", "volume"], {
    default: "local",
    doc: "volume: the data of each database host is on a separate DigitalOcean volume, which a replacement of the droplet keeps; local: on the droplet's disk. A change replaces the database hosts one by one",
  }),
  "database.volumeGib": integer(1, 16384, {
    default: 100,
    doc: "Size of each volume (GiB) with database.storage=volume. It can grow while the database runs, and not shrink",
  }),
  "database.protect": flag({
    default: byEnvironment(false, true),
    doc: "Protect the database hosts against deletion",
  }),
  "backups.enabled": flag({
    default: byEnvironment(false, true),
    doc: "Enable DigitalOcean's backups of database hosts",
  }),
  "backups.plan": oneOf(["daily", "weekly"], {
    default: "daily",
    doc: "How often DigitalOcean makes a backup",
  }),
  "backups.hour": text(
    "one of 0, 4, 8, 12, 16, 20",
    (value) => ["0", "4", "8", "12", "16", "20"].includes(value),
    {
      default: "4",
      doc: "Start of the four-hour backup window (hour, UTC)",
    },
  ),
  "app.connectionLimit": integer(1, 500, {
    default: 10,
    doc: "Maximum number of MySQL connections of the application on one web host",
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
    doc: "Number of load balancer nodes; with two or more, the load balancer survives the loss of one",
  }),
  "loadBalancer.idleTimeoutSeconds": integer(30, 600, {
    default: 60,
    doc: "Idle timeout of HTTP connections (seconds)",
  }),
  "loadBalancer.checkIntervalSeconds": integer(3, 300, {
    default: 5,
    doc: "Interval between health checks of a host (seconds)",
  }),
  "loadBalancer.checkTimeoutSeconds": integer(3, 300, {
    default: 3,
    doc: "Timeout of a health check (seconds)",
  }),
  "loadBalancer.healthyThreshold": integer(2, 10, {
    default: 2,
    doc: "Successful checks after which a host receives requests",
  }),
  "loadBalancer.unhealthyThreshold": integer(2, 10, {
    default: 2,
    doc: "Failed checks after which a host receives no requests",
  }),
  "loadBalancer.allow": listOf("networks (CIDR)", isCidr, {
    default: [],
    doc: "Client networks that can connect; empty = all",
  }),
  "loadBalancer.deny": listOf("networks (CIDR)", isCidr, {
    default: [],
    doc: "Client networks that cannot connect",
  }),
  "hsts.maxAgeSeconds": integer(0, 63072000, {
    default: byEnvironment(300, 31536000),
    doc: "How long browsers refuse plain HTTP for the site (Strict-Transport-Security)",
  }),
  "passthrough.certificate": text("a PEM certificate followed by its chain", isPem("CERTIFICATE"), {
    doc: "The site's certificate on the web hosts; required for tls passthrough",
  }),
  "passthrough.privateKey": secretText(
    "a PEM private key",
    isPem("PRIVATE KEY"),
    "The key of passthrough.certificate; required for tls passthrough",
  ),
  "certificates.validityDays": integer(365, 3650, {
    default: 1825,
    doc: "Validity of a host's internal certificates; replacing the host in the last 90 days renews them",
  }),
  "operators.networks": listOf("networks (CIDR)", isCidr, {
    default: [],
    doc: "Networks that can reach SSH; empty = closed",
  }),
  "operators.sshKeys": listOf(
    "ids or fingerprints of SSH keys in the account",
    (value) => /^\d+$|^([0-9a-f]{2}:){15}[0-9a-f]{2}$/.test(value),
    {
      default: [],
      doc: "SSH keys that a new droplet accepts for root, until operators.users is set. Without any, DigitalOcean mails a root password, which only opens the console",
    },
  ),
  "operators.users": operatorUsers,
  monitoring: oneOf(["none", "datadog", "sumologic"], {
    default: byEnvironment("none", "datadog"),
    doc: "Monitoring agent on every host; DigitalOcean's own alerts and uptime checks exist in any case",
  }),
  "datadog.apiKey": secretText(
    "a Datadog API key (32 hexadecimal digits)",
    (value) => /^[0-9a-f]{32}$/.test(value),
    "Datadog API key; required for monitoring datadog",
  ),
  "datadog.appKey": secretText(
    "a Datadog application key (40 hexadecimal digits, or a newer one that starts with ddapp_)",
    (value) => /^([0-9a-f]{40}|ddapp_[A-Za-z0-9]{34,})$/.test(value),
    "Datadog application key; if it is set, the stack creates monitors, objectives and the dashboard at Datadog",
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
    "Address of Sumo Logic's HTTP source for metrics; required for monitoring sumologic",
  ),
  "alerts.emails": listOf("email addresses that DigitalOcean has verified", emailAddress, {
    default: [],
    doc: "Recipients of alerts; empty = the account's own address (DigitalOcean), no mail (Datadog)",
  }),
  "alerts.cpuPercent": integer(10, 100, {
    default: 80,
    doc: "Alert threshold for host CPU (%), over 5 minutes",
  }),
  "alerts.memoryPercent": integer(10, 100, {
    default: 90,
    doc: "Alert threshold for host memory (%), over 5 minutes",
  }),
  "alerts.diskPercent": integer(10, 100, {
    default: 80,
    doc: "Alert threshold for host disk (%), over 5 minutes",
  }),
  "alerts.load5": integer(1, 100, { default: 4, doc: "Alert threshold for a host's 5-minute load average" }),
  "alerts.loadBalancerPercent": integer(10, 100, {
    default: 80,
    doc: "Alert threshold for the load balancer's connections and CPU (%)",
  }),
  "alerts.qpsDropPercent": integer(10, 99, {
    default: 70,
    doc: "Alert threshold for a drop of web or database QPS within an hour (%) (Datadog)",
  }),
  "alerts.qpsSurgePercent": integer(10, 100000, {
    default: 300,
    doc: "Alert threshold for a rise of web QPS within an hour (%) (Datadog)",
  }),
  "alerts.errorPercent": integer(1, 100, {
    default: 5,
    doc: "Alert threshold for 5xx responses (%), over 5 minutes (Datadog)",
  }),
  "alerts.latencyP95Ms": integer(10, 60000, {
    default: 1000,
    doc: "Alert threshold for the 95th percentile of a web host's response times (ms), over 5 minutes (Datadog)",
  }),
  "alerts.replicationQueue": integer(1, 1000000, {
    default: 1000,
    doc: "Alert threshold for the transactions in a member's applier queue, over 5 minutes (Datadog)",
  }),
  "alerts.conflicts": integer(1, 1000000, {
    default: 50,
    doc: "Alert threshold for a member's certification conflicts within 5 minutes (Datadog)",
  }),
  "alerts.backupAgeHours": integer(2, 1000, {
    doc: "Alert threshold for the age of a database host's newest backup (hours); send the ages with `npm run status -- STACK --send-backup-ages` (Datadog)",
  }),
  "alerts.connectionsPercent": integer(10, 100, {
    default: 80,
    doc: "Alert threshold for a member's connections, in percent of max_connections (Datadog)",
  }),
  "alerts.stealPercent": integer(1, 100, {
    default: 10,
    doc: "Alert threshold for CPU steal (%), over 10 minutes (Datadog)",
  }),
  "slo.availabilityPercent": oneOf(["99", "99.5", "99.9", "99.95"], {
    default: byEnvironment("99", "99.9"),
    doc: "Objective: share of requests without a 5xx response (%), over 30 days (Datadog)",
  }),
  "slo.latencyPercent": oneOf(["90", "95", "99", "99.5"], {
    default: byEnvironment("90", "99"),
    doc: "Objective: share of requests answered within half a second (%), over 30 days (Datadog)",
  }),
  "uptime.latencyMs": integer(50, 10000, {
    default: 1000,
    doc: "Alert threshold for the site's response time, measured by the uptime check (ms)",
  }),
  "uptime.certificateDays": integer(1, 60, {
    default: 14,
    doc: "Days before the certificate expires at which alerts fire",
  }),
  "rollout.batch": integer(1, 10, {
    default: 1,
    doc: "Number of web hosts that get a release at the same time; database hosts always get it one by one",
  }),
  "rollout.timeoutSeconds": integer(30, 3600, {
    default: 1200,
    doc: "Time for a host to get well with a new release or on a new droplet (seconds); then the update fails, and the hosts behind it stay as they are",
  }),
  replaceHost: text("a host's name, such as db-1", (value) => /^(node|web|db)-\d+$/.test(value), {
    doc: "Set by `npm run replace` for one run: allows it to replace this host's droplet",
  }),
  forceHost: text("the host of replaceHost", (value) => /^(node|db)-\d+$/.test(value), {
    doc: "Set by `npm run replace -- --force HOST` for one run: replaces this database host without waiting for its group",
  }),
  "rotation.passwords": integer(0, 1_000_000, {
    doc: "Set by `npm run rotate` for each of its updates: the step of the rotation of passwords",
  }),
  "rotation.certificates": integer(0, 1_000_000, {
    doc: "Set by `npm run rotate` for each of its updates: the step of the rotation of the hosts' certificates",
  }),
  "rotation.ca": integer(0, 1_000_000, {
    doc: "Set by `npm run rotate` for each of its updates: the step of the rotation of the internal CA",
  }),
  "rotation.hostKeys": integer(0, 1_000_000, {
    doc: "Set by `npm run rotate -- STACK host` for its update: the number of rotations of the keys of replaceHost",
  }),
  "rotation.revoked": listOf("revoked certificates, SERIAL:REVOKED_AT:ENDS_AT", isRevoked, {
    doc: "Set by `npm run revoke` and `npm run rotate`: the revoked certificates of hosts",
  }),
  "rotation.former": listOf("certificates, SERIAL:REVOKED_AT:ENDS_AT", isRevoked, {
    doc: "Set by `npm run rotate`: the certificates that a rotation replaces, and revokes at its end",
  }),
} as const satisfies Record<string, Setting<unknown>>;

/** Settings without a default: absent if the user sets no value. */
export const optionalPaths = [
  "handOverZone",
  "passthrough.certificate",
  "passthrough.privateKey",
  "datadog.apiKey",
  "datadog.appKey",
  "sumologic.url",
  "alerts.backupAgeHours",
  "operators.users",
  "replaceHost",
  "forceHost",
  "rotation.passwords",
  "rotation.certificates",
  "rotation.ca",
  "rotation.hostKeys",
  "rotation.revoked",
  "rotation.former",
] as const satisfies readonly (keyof typeof table)[];
