/**
 * The content of the picture, read from the resources that the program registered. It contains only registered
 * resources.
 */
import type { ConfigurationEvidence } from "../../policy/evidence/form";
import { ofType, type Registration, type Registrations } from "../../test/mocks/registrations";

/** The protection of a hop, which sets its colour. */
export type Protection = "verified" | "encrypted" | "open";

export interface Hop {
  readonly what: string;
  readonly protection: Protection;
  readonly how: string;
}

/** A filter between two parts. */
export interface Firewall {
  readonly between: string;
  /** The ports that it allows. */
  readonly ports: string;
  /** The sources that it allows. */
  readonly source: string;
}

export interface Host {
  readonly name: string;
  readonly size: string;
  /** The services of each role; empty if the host does not have the role. */
  readonly web: readonly string[];
  /** The connections between the services of the web role. */
  readonly inside: Hop | undefined;
  readonly database: readonly string[];
  readonly agent: string | undefined;
}

/** A part that is not on the path of a request: its title and lines of text. */
export interface Note {
  readonly title: string;
  readonly lines: readonly string[];
  readonly hop?: Hop;
}

export interface Architecture {
  /** The name of the stack's load balancer and tags. */
  readonly name: string;
  readonly clients: Note;
  readonly operators: Note;
  readonly network: string;
  readonly clientHop: Hop;
  readonly clientFirewall: Firewall | undefined;
  readonly balancer: Note;
  readonly webHop: Hop;
  readonly webFirewall: Firewall | undefined;
  readonly hosts: readonly Host[];
  readonly databaseHop: Hop;
  readonly databaseFirewall: Firewall | undefined;
  readonly replicationHop: Hop;
  readonly operatorFirewall: Firewall | undefined;
  readonly operatorHop: Hop;
  readonly dns: Note | undefined;
  readonly uptime: Note | undefined;
  readonly balancerAlerts: Note | undefined;
  readonly hostAlerts: Note | undefined;
  readonly authority: Note | undefined;
  readonly agents: Note | undefined;
}

const notEncrypted = (what: string): Hop => ({ what, protection: "open", how: "not encrypted" });

/**
 * Reads the architecture of a stack.
 *
 * @throws Error if the program registered no load balancer, VPC or droplet: there is nothing to draw
 */
export function architectureOf(stack: Registrations): Architecture {
  const [balancer] = ofType(stack, "LoadBalancer");
  const [vpc] = ofType(stack, "Vpc");
  const droplets = ofType(stack, "Droplet");
  if (!balancer || !vpc || droplets.length === 0) {
    throw new Error("the program registered no load balancer, no VPC or no droplet");
  }
  const evidence: ConfigurationEvidence = Object.assign(
    {},
    ...stack.resources.map(({ inputs }) => inputs.configurationEvidence ?? {}),
  );
  const hosts = droplets
    .map((droplet) => hostOf(droplet, evidence, stack.outputs.databaseWriters))
    .sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
  const files = (path: string) =>
    Object.values(evidence).flatMap((host) => (path in host.files ? [host.files[path] as string] : []));
  const firewalls = ofType(stack, "Firewall");
  return {
    name: balancer.inputs.name,
    clients: { title: "Clients", lines: ["browsers, API clients"] },
    operators: { title: "Operators", lines: [] },
    network: `VPC ${vpc.inputs.ipRange} · ${vpc.inputs.region}`,
    ...clientSide(stack, balancer),
    webFirewall: firewall(
      firewalls,
      "load balancer → web",
      (rule) => "sourceLoadBalancerUids" in rule,
      () => "the load balancer",
    ),
    hosts,
    ...databaseSide(files),
    databaseFirewall: firewall(
      firewalls,
      "web → database",
      (rule) => "sourceTags" in rule,
      (rule) => rule.sourceTags.map((tag: string) => tag.split("-").at(-1)).join(),
    ),
    operatorFirewall: firewall(
      firewalls,
      "operators → hosts",
      (rule) => rule.portRange === "22",
      ({ sourceAddresses: [first, ...more] }) => (more.length === 0 ? first : `${more.length + 1} networks`),
    ),
    operatorHop: { what: "SSH 22", protection: "verified", how: "public keys only" },
    ...besides(stack, files("/etc/datadog-agent/datadog.yaml")),
  };
}

// The rules' fields differ from firewall to firewall; see Registration.
type Rule = Registration["inputs"];

/** The firewall with a rule of one kind, and what that kind of rule allows. */
function firewall(
  all: readonly Registration[],
  between: string,
  isKind: (rule: Rule) => boolean,
  source: (rule: Rule) => string,
): Firewall | undefined {
  const rules = all.flatMap(({ inputs }) => inputs.inboundRules as Rule[]).filter(isKind);
  if (rules.length === 0) return undefined;
  const ports = [...new Set(rules.map(({ portRange }) => portRange))].join(", ");
  const sources = [...new Set(rules.map(source))].join(" and ");
  return { between, ports: `${ports} only`, source: `from ${sources}` };
}

function clientSide(stack: Registrations, { inputs }: Registration) {
  const [rule] = inputs.forwardingRules;
  const [certificate] = ofType(stack, "Certificate");
  const letsEncrypt = certificate?.inputs.type === "lets_encrypt";
  const version = inputs.tlsCipherPolicy === "STRONG" ? "TLS 1.2+" : "TLS";
  const isTls = rule.entryProtocol === "https";
  const clientWhat = `${rule.entryProtocol.toUpperCase()} ${rule.entryPort}`;
  const targetWhat = `${rule.targetProtocol.toUpperCase()} ${rule.targetPort}`;
  const clientHop: Hop = !isTls
    ? notEncrypted(clientWhat)
    : rule.tlsPassthrough
      ? { what: clientWhat, protection: "verified", how: "TLS 1.2+, to the web host" }
      : {
          what: clientWhat,
          protection: "verified",
          how: `${version}${letsEncrypt ? ", Let's Encrypt" : ""}`,
        };
  const webHop: Hop = rule.tlsPassthrough
    ? { what: `${targetWhat} with PROXY protocol`, protection: "verified", how: "the client's own TLS" }
    : rule.targetProtocol === "https"
      ? { what: targetWhat, protection: "encrypted", how: "encrypted, not authenticated" }
      : notEncrypted(targetWhat);
  const networks = [...(inputs.firewall?.allows ?? []), ...(inputs.firewall?.denies ?? [])].length;
  const redirect = inputs.redirectHttpToHttps ? ", 80 redirects" : "";
  return {
    clientHop,
    clientFirewall: inputs.firewall && {
      between: "clients → load balancer",
      ports: `${rule.entryPort}${redirect}`,
      source: networks === 0 ? "from any client" : `${networks} networks listed`,
    },
    balancer: {
      title: "Load balancer",
      lines: [
        certificate
          ? `${letsEncrypt ? "Let's Encrypt" : "Certificate"}: ${certificate.inputs.domains.join(", ")}`
          : "TLS passthrough: no certificate here",
        `checks ${inputs.healthcheck.protocol.toUpperCase()} ${inputs.healthcheck.path} · nodes: ${inputs.sizeUnit}`,
      ],
    },
    webHop,
  };
}

function databaseSide(files: (path: string) => readonly string[]) {
  const servers = files("/etc/mysql/secured-web.cnf");
  const every = (pattern: RegExp) => servers.length > 0 && servers.every((text) => pattern.test(text));
  const version = every(/^tls_version = TLSv1\.3$/m) ? "TLS 1.3" : "TLS";
  // The application verifies the server's name against the internal CA (app/database.ts); there is no switch for it.
  const databaseHop: Hop = every(/^require_secure_transport = ON$/m)
    ? { what: "MySQL 3306", protection: "verified", how: `${version}, identity verified` }
    : notEncrypted("MySQL 3306");
  const group = every(/^group_replication_group_name/m);
  const what = group ? "Group Replication 3306" : "Replication 3306";
  // In source-replica the replica's statement (SOURCE_SSL_VERIFY_SERVER_CERT) is a secret file, not evidence.
  const replicationHop: Hop = every(/^group_replication_ssl_mode = VERIFY_IDENTITY$/m)
    ? { what, protection: "verified", how: `${version}, identity verified` }
    : !group && every(/^require_secure_transport = ON$/m)
      ? { what, protection: "encrypted", how: "TLS" }
      : notEncrypted(what);
  return { databaseHop, replicationHop };
}

function hostOf(droplet: Registration, evidence: ConfigurationEvidence, writers: readonly string[]): Host {
  const files = evidence[droplet.inputs.name]?.files ?? {};
  const web = [
    ...("/etc/nginx/nginx.conf" in files ? ["nginx"] : []),
    ...("/etc/secured-web/app.env" in files ? ["app"] : []),
    ...("/etc/haproxy/haproxy.cfg" in files ? ["HAProxy"] : []),
  ];
  const inSockets =
    /^\s*server unix:/m.test(files["/etc/nginx/nginx.conf"] ?? "") &&
    /^\s*bind unix@/m.test(files["/etc/haproxy/haproxy.cfg"] ?? "");
  const writes = writers.some((name) => droplet.inputs.name.endsWith(`-${name.split(".")[0]}`));
  return {
    name: droplet.inputs.name,
    size: droplet.inputs.size,
    web: web.length > 0 ? [web.join(" → ")] : [],
    inside: inSockets ? { what: "", protection: "verified", how: "unix sockets" } : undefined,
    database:
      "/etc/mysql/secured-web.cnf" in files
        ? [
            writes ? "MySQL: accepts writes" : "MySQL: read-only replica",
            ...("/etc/secured-web/group.conf" in files ? ["group supervisor"] : []),
          ]
        : [],
    agent: "/etc/datadog-agent/datadog.yaml" in files ? "Datadog agent" : undefined,
  };
}

/** The parts that are not on the path of a request. */
function besides(stack: Registrations, agents: readonly string[]) {
  const [check] = ofType(stack, "UptimeCheck");
  const certificates = ofType(stack, "LocallySignedCert").length;
  return {
    dns: zone(stack),
    uptime: check && {
      title: "Uptime alerts",
      lines: [
        kinds(ofType(stack, "UptimeAlert").map(({ inputs }) => inputs.type)),
        `from ${check.inputs.regions.join(", ")}`,
      ],
    },
    balancerAlerts: alerts(stack, "lbaas", "Load balancer alerts"),
    hostAlerts: alerts(stack, "droplet", "Host alerts"),
    authority: present(certificates, {
      title: "Internal CA",
      lines: [`${certificates} certificates, one for each service of a host`],
    }),
    agents: datadog(stack, agents),
  };
}

function present(count: number, note: Note): Note | undefined {
  return count > 0 ? note : undefined;
}

function zone(stack: Registrations): Note | undefined {
  const records = ofType(stack, "DnsRecord").map(({ inputs }) => inputs);
  const site = records.find(({ type, name }) => type === "A" && !name.includes(".internal"));
  const authorization = records.find(({ type }) => type === "CAA");
  return (
    site && {
      title: "DNS",
      lines: [
        `zone ${site.domain}`,
        `${site.name} → load balancer`,
        ...(authorization ? [`CAA: ${authorization.value.replace(/\.$/, "")} only`] : []),
      ],
    }
  );
}

function alerts(stack: Registrations, of: "droplet" | "lbaas", title: string): Note | undefined {
  const types = ofType(stack, "MonitorAlert").map(({ inputs }) => inputs.type.split("/"));
  const own = types.filter(([, , kind]) => kind === of).map(([, , , what]) => what);
  return present(own.length, { title, lines: [kinds(own)] });
}

function datadog(stack: Registrations, agents: readonly string[]): Note | undefined {
  const count = (type: string) => ofType(stack, type).length;
  const parts = [
    [count("Monitor"), "monitors"],
    [count("ServiceLevelObjective"), "objectives"],
    [count("DashboardJson"), "dashboard"],
  ] as const;
  const verified = agents.every((file) => !/^\s*skip_ssl_validation: true/m.test(file));
  return present(agents.length, {
    title: "Datadog",
    lines: [...parts.flatMap(([number, what]) => (number > 0 ? [`${number} ${what}`] : []))],
    hop: verified
      ? { what: "metrics and logs", protection: "verified", how: "HTTPS, identity verified" }
      : { what: "metrics and logs", protection: "encrypted", how: "HTTPS, not verified" },
  });
}

/** Short names of DigitalOcean's kinds of alerts. */
const alertNames: Readonly<Record<string, string>> = {
  cpu: "CPU",
  memory_utilization_percent: "memory",
  disk_utilization_percent: "disk",
  load_5: "load",
  connection_utilization_percent: "connections",
  avg_cpu_utilization_percent: "CPU",
  droplet_health: "backends",
  increase_in_http_error_rate_count_5xx: "5xx",
  ssl_expiry: "certificate",
};

/** The kinds by their short names, in the order of the table above. */
function kinds(types: readonly string[]): string {
  const known = Object.keys(alertNames);
  return [...types]
    .sort((one, other) => known.indexOf(one) - known.indexOf(other))
    .map((type) => alertNames[type] ?? type)
    .join(", ");
}
