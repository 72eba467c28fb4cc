import type { Balancer, Droplet, ForwardingRule } from "../world";

/** The inputs of the configuration in addition to the load balancer itself. */
export interface ConfigContext {
  readonly backends: readonly Droplet[];
  /** PEM files by certificate id: certificate, chain and key in one. */
  readonly certificateFiles: ReadonlyMap<string, string>;
  readonly statsSocket: string;
  /** Health of the backends under the last configuration; read at a reload. */
  readonly stateFile: string;
}

/** Mozilla's "intermediate" list, without DHE: only forward secrecy and AEAD. */
const STRONG_CIPHERS = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
].join(":");

/** The name of a rule's backend, which stays the same unless the entry port or the target changes. */
export const backendName = ({ entry_port, target_protocol, target_port }: ForwardingRule): string =>
  `in_${entry_port}_to_${target_protocol}_${target_port}`;

export const serverName = (droplet: Pick<Droplet, "id">): string => `d${droplet.id}`;

/**
 * HAProxy's configuration for a load balancer. Rules that HAProxy cannot serve (udp) and rules whose certificate is
 * missing are left out.
 *
 * It reproduces these facts of DigitalOcean's load balancers (Load Balancers documentation and glossary): backends
 * are not verified, TLS is 1.2 or newer, the PROXY protocol has version 1 and the health check also uses it, the
 * check uses HTTP/1.1 and accepts 200 to 399, no healthy backend is a 503, and X-Forwarded-For, -Proto and -Port are
 * set.
 */
export function balancerConfig(balancer: Balancer, context: ConfigContext): string {
  const rules = balancer.forwarding_rules.filter((rule) => isServable(rule, context));
  return [
    globals(balancer, context),
    defaults(balancer),
    ...rules.map((rule) => frontend(balancer, rule, context)),
    ...(redirectsByItself(balancer) ? [redirect(balancer)] : []),
    ...rules.map((rule) => backend(balancer, rule, context)),
    "",
  ].join("\n\n");
}

const HTTP_PORT = 80;
const HTTPS_PORT = 443;

/** The TCP ports that a load balancer listens on. */
export const entryPorts = (balancer: Balancer): number[] => [
  ...new Set([
    ...balancer.forwarding_rules
      .filter((rule) => rule.entry_protocol !== "udp")
      .map((rule) => rule.entry_port),
    ...(redirectsByItself(balancer) ? [HTTP_PORT] : []),
  ]),
];

/**
 * Requests to port 80 are redirected to HTTPS on port 443 (API description, redirect_http_to_https), even if no rule
 * has port 80.
 */
function redirectsByItself({ forwarding_rules, redirect_http_to_https }: Balancer): boolean {
  const has = (port: number) =>
    forwarding_rules.some((rule) => rule.entry_port === port && rule.entry_protocol !== "udp");
  return redirect_http_to_https && has(HTTPS_PORT) && !has(HTTP_PORT);
}

const redirect = (balancer: Balancer): string =>
  section(`frontend on_${HTTP_PORT}`, [
    `bind ${balancer.ip}:${HTTP_PORT}`,
    ...accessRules(balancer),
    "mode http",
    REDIRECT,
  ]);

/** To port 443 (API description), regardless of the client's port. */
const REDIRECT = "http-request redirect prefix https://%[req.hdr(host),field(1,:)] code 307";

/** True if a rule can be served now. The caller reports the others to the operator. */
export function isServable(
  rule: ForwardingRule,
  { certificateFiles }: Pick<ConfigContext, "certificateFiles">,
): boolean {
  if (rule.entry_protocol === "udp" || rule.target_protocol === "udp") return false;
  return !terminatesTls(rule) || certificateFiles.has(rule.certificate_id ?? "");
}

const isTls = (protocol: string): boolean => ["https", "http2", "http3"].includes(protocol);
const terminatesTls = (rule: ForwardingRule): boolean => isTls(rule.entry_protocol) && !rule.tls_passthrough;
const isTcp = (rule: ForwardingRule): boolean =>
  rule.entry_protocol === "tcp" || rule.tls_passthrough === true;

function globals({ tls_cipher_policy }: Balancer, { statsSocket, stateFile }: ConfigContext): string {
  return section("global", [
    `stats socket ${statsSocket} mode 600 level admin expose-fd listeners`,
    `server-state-file ${stateFile}`,
    "log stdout format raw local0 notice",
    "maxconn 4000",
    "ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets",
    ...(tls_cipher_policy === "STRONG" ? [`ssl-default-bind-ciphers ${STRONG_CIPHERS}`] : []),
    "ssl-server-verify none",
    // After a reload, the old configuration stops serving by this time.
    "hard-stop-after 10m",
  ]);
}

function defaults({ http_idle_timeout_seconds }: Balancer): string {
  return section("defaults", [
    "log global",
    "option dontlognull",
    "timeout connect 5s",
    `timeout client ${http_idle_timeout_seconds}s`,
    `timeout server ${http_idle_timeout_seconds}s`,
    `timeout http-keep-alive ${http_idle_timeout_seconds}s`,
    "timeout http-request 30s",
    "timeout queue 30s",
    // A reload lets a client's idle connection live until its next answer. Closed at once, it could lose a request that
    // was sent already.
    "option idle-close-on-response",
    // A backend that has just stopped does not fail a request: the next one is tried.
    "option redispatch 1",
    "retries 2",
    "load-server-state-from-file global",
  ]);
}

function frontend(balancer: Balancer, rule: ForwardingRule, context: ConfigContext): string {
  const tls = terminatesTls(rule)
    ? ` ssl crt ${context.certificateFiles.get(rule.certificate_id ?? "")} ${alpn(rule)}`
    : "";
  const lines = [`bind ${balancer.ip}:${rule.entry_port}${tls}`, ...accessRules(balancer)];
  if (isTcp(rule)) lines.push("mode tcp", "option tcplog");
  else lines.push("mode http", ...forwardedHeaders(rule));
  if (rule.entry_protocol === "http" && balancer.redirect_http_to_https) {
    lines.push(REDIRECT);
  }
  lines.push(`default_backend ${backendName(rule)}`);
  return section(`frontend on_${rule.entry_port}`, lines);
}

const alpn = ({ entry_protocol }: ForwardingRule): string =>
  entry_protocol === "https" ? "alpn http/1.1" : "alpn h2,http/1.1";

function accessRules({ firewall: { allow, deny } }: Balancer): string[] {
  const addresses = (list: readonly string[]) =>
    list.map((item) => item.replace(/^(ip|cidr):/, "")).join(" ");
  return [
    ...(deny.length > 0 ? [`tcp-request connection reject if { src ${addresses(deny)} }`] : []),
    ...(allow.length > 0 ? [`tcp-request connection reject unless { src ${addresses(allow)} }`] : []),
  ];
}

function forwardedHeaders(rule: ForwardingRule): string[] {
  const scheme = terminatesTls(rule) ? "https" : "http";
  return [
    "option forwardfor",
    `http-request set-header X-Forwarded-Proto ${scheme}`,
    `http-request set-header X-Forwarded-Port ${rule.entry_port}`,
  ];
}

function backend(balancer: Balancer, rule: ForwardingRule, { backends }: ConfigContext): string {
  const sticky = !isTcp(rule) && balancer.sticky_sessions.type === "cookies";
  const lines = [
    `mode ${isTcp(rule) ? "tcp" : "http"}`,
    `balance ${balancer.algorithm === "least_connections" ? "leastconn" : "roundrobin"}`,
    ...(isTcp(rule)
      ? []
      : [balancer.enable_backend_keepalive ? "http-reuse safe" : "option http-server-close"]),
    ...(sticky ? [stickyCookie(balancer)] : []),
    ...healthCheck(balancer),
    ...backends.map((droplet) => serverLine(balancer, rule, droplet, sticky)),
  ];
  return section(`backend ${backendName(rule)}`, lines);
}

function stickyCookie({ sticky_sessions: { cookie_name, cookie_ttl_seconds } }: Balancer): string {
  return `cookie ${cookie_name ?? "DO-LB"} insert indirect nocache maxlife ${cookie_ttl_seconds ?? 300}s`;
}

function healthCheck({ health_check: check, ip }: Balancer): string[] {
  const timeout = `timeout check ${check.response_timeout_seconds}s`;
  if (check.protocol === "tcp") return ["option tcp-check", timeout];
  return [
    "option httpchk",
    `http-check send meth GET uri ${check.path ?? "/"} ver HTTP/1.1 hdr Host ${ip} hdr Connection close`,
    "http-check expect rstatus ^[23]",
    timeout,
  ];
}

function serverLine(balancer: Balancer, rule: ForwardingRule, droplet: Droplet, sticky: boolean): string {
  const { health_check: check } = balancer;
  const toTls = !isTcp(rule) && isTls(rule.target_protocol);
  return [
    `server ${serverName(droplet)} ${droplet.private?.ip_address ?? droplet.public?.ip_address}:${rule.target_port}`,
    ...(toTls
      ? [`ssl verify none ${rule.target_protocol === "https" ? "alpn http/1.1" : "alpn h2,http/1.1"}`]
      : []),
    ...(balancer.enable_proxy_protocol ? ["send-proxy"] : []),
    `check port ${check.port} inter ${check.check_interval_seconds}s`,
    `fall ${check.unhealthy_threshold} rise ${check.healthy_threshold}`,
    ...(check.protocol === "https" ? ["check-ssl check-alpn http/1.1"] : ["no-check-ssl"]),
    ...(balancer.enable_proxy_protocol ? ["check-send-proxy"] : []),
    ...(sticky ? [`cookie ${serverName(droplet)}`] : []),
  ].join(" ");
}

const section = (title: string, lines: readonly string[]): string =>
  [title, ...lines.map((line) => `  ${line}`)].join("\n");
