/** The architecture as a graph in DOT: what the program registered, and the hops that its rules open. */
import { ofType, type Registration, type Registrations } from "../../test/mocks/registrations";

const font = 'fontname="Helvetica,Arial,sans-serif"';
const colour = {
  line: "#475569",
  encrypted: "#15803d",
  host: "#eff6ff",
  data: "#fefce8",
  edge: "#f0fdf4",
  quiet: "#94a3b8",
};

/** Text within an HTML label. */
function htmlText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A box with a bold title and small lines below it. */
function box(id: string, title: string, lines: readonly string[], fill: string): string {
  const rows = lines.map(
    (line) =>
      `<tr><td align="left"><font point-size="10" color="${colour.line}">${htmlText(line)}</font></td></tr>`,
  );
  const table = `<table border="0" cellborder="0" cellspacing="2"><tr><td align="left"><b>${htmlText(title)}</b></td></tr>${rows.join("")}</table>`;
  return `"${id}" [label=<${table}>, fillcolor="${fill}"];`;
}

function cluster(id: string, title: string, lines: readonly string[], style = ""): string {
  return [
    `subgraph "cluster_${id}" {`,
    `label=<<b>${htmlText(title)}</b>>; labeljust=l; ${style}`,
    ...lines,
    "}",
  ].join("\n");
}

/** An arrow that carries traffic: what it is, and what protects it. */
function hop(from: string, to: string, what: string, protection: string, more = ""): string {
  const label = `<<font point-size="10">${htmlText(what)}<br/><font color="${colour.encrypted}">${htmlText(protection)}</font></font>>`;
  return `"${from}" -> "${to}" [label=${label}, color="${colour.encrypted}", penwidth=1.6${more}];`;
}

const services: Record<"web" | "database", readonly string[]> = {
  web: ["nginx → app (unix socket)", "HAProxy → an ONLINE member"],
  database: ["MySQL, takes writes", "group supervisor"],
};

function dropletBox(droplet: Registration, writers: readonly string[]): string {
  const roles = (["web", "database"] as const).filter((role) =>
    droplet.inputs.tags.some((tag: string) => tag.endsWith(`-${role}`)),
  );
  const isWriter = writers.some((name) => name.startsWith(`${droplet.name}.`));
  const lines = roles.flatMap((role) =>
    role === "database" && !isWriter ? ["MySQL, read-only replica"] : services[role],
  );
  return box(droplet.name, droplet.inputs.name, [...lines, droplet.inputs.size], colour.host);
}

/**
 * The graph of a stack.
 *
 * @throws Error where the registrations lack what a picture needs
 */
export function architectureDot(stack: Registrations): string {
  const [balancer] = ofType(stack, "LoadBalancer");
  const [vpc] = ofType(stack, "Vpc");
  if (!balancer || !vpc) throw new Error("the program registered no load balancer or no VPC");
  const droplets = ofType(stack, "Droplet");
  const tagged = (role: string) =>
    droplets.filter(({ inputs }) => inputs.tags.some((tag: string) => tag.endsWith(`-${role}`)));
  const web = tagged("web");
  const databases = tagged("database");
  const converged = web.some(({ name }) => databases.some((database) => database.name === name));
  const [rule] = balancer.inputs.forwardingRules;
  const passthrough = rule.tlsPassthrough === true;
  const port = firewallPort(stack, "database");
  const middle = <T>(items: readonly T[]): T => items[Math.floor((items.length - 1) / 2)] as T;
  const boxes = (hosts: readonly Registration[]) =>
    hosts.map((host) => dropletBox(host, stack.outputs.databaseWriters));
  const hosts = converged
    ? [
        tier(
          "hosts",
          `web and database hosts, a systemd slice for each role; MySQL ${port} between them: TLS, names verified`,
          boxes(web),
        ),
      ]
    : [
        tier("web", "web hosts", boxes(web)),
        tier("database", `database hosts; MySQL ${port} between them: TLS, names verified`, boxes(databases)),
      ];
  const webCluster = converged ? "cluster_hosts" : "cluster_web";
  const betweenMembers = databases
    .slice(1)
    .map(
      ({ name }, i) =>
        `"${databases[i]?.name}" -> "${name}" [dir=both, constraint=false, color="${colour.encrypted}", penwidth=1.6];`,
    );
  const fromWebToDatabase = converged
    ? []
    : [
        hop(
          middle(web).name,
          middle(databases).name,
          `MySQL ${port}; firewall: from web and database hosts alone`,
          "TLS, name verified",
          ', ltail="cluster_web", lhead="cluster_database"',
        ),
      ];

  return [
    "digraph architecture {",
    `graph [rankdir=TB, compound=true, nodesep=0.45, ranksep=0.75, pad=0.3, ${font}, fontsize=12, bgcolor="white"];`,
    `node [shape=box, style="rounded,filled", color="${colour.quiet}", ${font}, fontsize=12, margin="0.3,0.06"];`,
    `edge [${font}, color="${colour.quiet}", arrowsize=0.7];`,
    box("client", "client", ["browser"], "white"),
    box("load-balancer", "load balancer", balancerLines(stack, balancer), colour.edge),
    cluster(
      "vpc",
      `VPC ${vpc.inputs.ipRange} (${vpc.inputs.region})`,
      hosts,
      `style="rounded,dashed"; color="${colour.quiet}"; margin=16;`,
    ),
    box("monitoring", "monitoring", monitoringLines(stack), "white"),
    box("names", "DNS zone", nameLines(stack), colour.data),
    box("identity", "internal CA", identityLines(stack), colour.data),
    hop(
      "client",
      "load-balancer",
      `HTTPS ${rule.entryPort} (80 is redirected)`,
      passthrough ? "TLS, ends on the web host" : "TLS, Let's Encrypt",
    ),
    hop(
      "load-balancer",
      middle(web).name,
      `HTTPS ${rule.targetPort}; firewall: from the load balancer alone`,
      passthrough ? "the client's TLS, PROXY protocol" : "TLS, re-encrypted",
      `, lhead="${webCluster}"`,
    ),
    ...fromWebToDatabase,
    ...betweenMembers,
    '"names" -> "load-balancer" [style=dotted, arrowhead=none, constraint=false];',
    '{ rank=same; "client"; "load-balancer"; "names"; "identity"; "monitoring"; }',
    '"load-balancer" -> "names" -> "identity" -> "monitoring" [style=invis];',
    "}",
  ].join("\n");
}

function tier(id: string, title: string, boxes: readonly string[]): string {
  const style = `style="rounded,filled"; fillcolor="white"; color="${colour.quiet}"; fontsize=11; margin=12;`;
  return cluster(id, title, boxes, style);
}

function balancerLines(stack: Registrations, { inputs }: Registration): string[] {
  const [certificate] = ofType(stack, "Certificate");
  return [
    certificate ? `Let's Encrypt: ${certificate.inputs.domains.join(", ")}` : "TLS passthrough",
    `ciphers: ${inputs.tlsCipherPolicy}`,
    `health: ${inputs.healthcheck.protocol} ${inputs.healthcheck.path}`,
    `nodes: ${inputs.sizeUnit}`,
  ];
}

function monitoringLines(stack: Registrations): string[] {
  const kinds = ofType(stack, "MonitorAlert").map(({ inputs }) => inputs.type.split("/")[2]);
  const count = (kind: string) => kinds.filter((other) => other === kind).length;
  return [
    `uptime: ${ofType(stack, "UptimeAlert")
      .map(({ inputs }) => inputs.type)
      .join(", ")}`,
    `alerts on hosts: ${count("droplet")}`,
    `alerts on the load balancer: ${count("lbaas")}`,
  ];
}

function nameLines(stack: Registrations): string[] {
  const records = ofType(stack, "DnsRecord");
  const site = records.find(({ name }) => name === "site");
  const internal = records.filter(({ inputs }) => inputs.name?.endsWith(".internal"));
  return [
    `${site?.inputs.name} → load balancer`,
    `${internal.length} internal names`,
    "CAA: letsencrypt.org",
  ].filter((line) => !line.startsWith("CAA") || records.some(({ inputs }) => inputs.type === "CAA"));
}

function identityLines(stack: Registrations): string[] {
  const certificates = ofType(stack, "LocallySignedCert").length;
  return [`${certificates} certificates: one for each`, "host and service"];
}

function firewallPort(stack: Registrations, name: string): string {
  const firewall = ofType(stack, "Firewall").find((candidate) => candidate.name === name);
  if (!firewall) throw new Error(`the program registered no firewall ${name}`);
  return firewall.inputs.inboundRules[0].portRange;
}
