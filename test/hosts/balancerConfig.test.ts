import assert from "node:assert/strict";
import { balancerConfig, type ConfigContext } from "../../sandbox/hosts/balancer/config";
import type { Balancer, ForwardingRule } from "../../sandbox/hosts/world";
import { balancer, droplet } from "./testWorld";

const context: ConfigContext = {
  backends: [droplet(2), droplet(3)],
  certificateFiles: new Map([["cert", "/certs/cert.pem"]]),
  statsSocket: "/run/x.stats",
  stateFile: "/x.state",
};
const rule = (values: Partial<ForwardingRule>): ForwardingRule => ({
  entry_protocol: "https",
  entry_port: 443,
  target_protocol: "https",
  target_port: 443,
  certificate_id: "cert",
  tls_passthrough: false,
  ...values,
});
const config = (values: Partial<Balancer>) => balancerConfig(balancer(values), context);
const withRule = (values: Partial<ForwardingRule>, more: Partial<Balancer> = {}) =>
  config({ forwarding_rules: [rule(values)], ...more });

describe("a load balancer's HAProxy configuration", () => {
  /** What is set, what must be in the text, and what must not. */
  const cases: [string, string, RegExp[], RegExp[]?][] = [
    [
      "https re-encrypts to backends that it does not verify",
      withRule({}),
      [
        /bind 203\.0\.113\.2:443 ssl crt \/certs\/cert\.pem alpn http\/1\.1/,
        /server d500000002 10\.10\.0\.2:443 ssl verify none/,
      ],
      [/verify required/],
    ],
    ["http2 offers HTTP/2 and HTTP/1.1", withRule({ entry_protocol: "http2" }), [/alpn h2,http\/1\.1/]],
    ["TLS is 1.2 or newer", withRule({}), [/ssl-min-ver TLSv1\.2/]],
    [
      "STRONG means forward secrecy and AEAD alone",
      withRule({}, { tls_cipher_policy: "STRONG" }),
      [/ssl-default-bind-ciphers ECDHE-[A-Z0-9:-]+$/m],
      [/:AES128-|CBC|SHA:/],
    ],
    [
      "DEFAULT leaves the ciphers alone",
      withRule({}, { tls_cipher_policy: "DEFAULT" }),
      [],
      [/ssl-default-bind-ciphers/],
    ],
    [
      "passthrough passes bytes",
      withRule({ tls_passthrough: true, certificate_id: "" }),
      [/bind 203\.0\.113\.2:443\n/, /mode tcp/],
      [/ssl crt/, /mode http\n/],
    ],
    [
      "tcp passes bytes",
      withRule({ entry_protocol: "tcp", target_protocol: "tcp" }),
      [/mode tcp/],
      [/ssl crt/],
    ],
    [
      "the PROXY protocol is version 1, for checks as well",
      withRule({ tls_passthrough: true }, { enable_proxy_protocol: true }),
      [/ send-proxy check port .* check-send-proxy/],
      [/send-proxy-v2/],
    ],
    ["without it there is none", withRule({}), [], [/send-proxy/]],
    [
      "HTTP is redirected where it is asked for",
      withRule({ entry_protocol: "http", entry_port: 80 }, { redirect_http_to_https: true }),
      [/redirect prefix https:/],
    ],
    [
      "port 80 redirects without a rule of its own, and HTTPS is never redirected",
      withRule({}, { redirect_http_to_https: true }),
      [/frontend on_80\n {2}bind 203\.0\.113\.2:80\n {2}mode http\n {2}http-request redirect prefix https:/],
      [/frontend on_443\n( {2}.*\n)* {2}http-request redirect/, /backend in_80/],
    ],
    [
      "port 80 is closed without a rule and without a redirect",
      withRule({}),
      [],
      [/:80$/m, /redirect prefix/],
    ],
    [
      "the lists guard the redirect as well",
      withRule({}, { redirect_http_to_https: true, firewall: { allow: [], deny: ["ip:192.0.2.9"] } }),
      [/frontend on_80\n.*\n {2}tcp-request connection reject if \{ src 192\.0\.2\.9 \}/],
    ],
    [
      "the health check has its parameters",
      config({
        health_check: {
          protocol: "https",
          port: 8443,
          path: "/up",
          check_interval_seconds: 7,
          response_timeout_seconds: 3,
          unhealthy_threshold: 4,
          healthy_threshold: 5,
        },
      }),
      [
        /meth GET uri \/up ver HTTP\/1\.1/,
        /expect rstatus \^\[23\]/,
        /port 8443 inter 7s fall 4 rise 5 check-ssl/,
        /timeout check 3s/,
      ],
    ],
    [
      "sticky sessions are a cookie",
      config({ sticky_sessions: { type: "cookies", cookie_name: "SRV", cookie_ttl_seconds: 90 } }),
      [/cookie SRV insert indirect nocache maxlife 90s/, /cookie d500000003$/m],
    ],
    [
      "passed-through TLS has no cookie",
      withRule({ tls_passthrough: true }, { sticky_sessions: { type: "cookies", cookie_name: "SRV" } }),
      [],
      [/cookie/],
    ],
    [
      "connections to backends are kept",
      config({ enable_backend_keepalive: true }),
      [/http-reuse safe/],
      [/http-server-close/],
    ],
    ["or closed", config({ enable_backend_keepalive: false }), [/option http-server-close/]],
    [
      "the idle timeout is the API's",
      config({ http_idle_timeout_seconds: 77 }),
      [/timeout client 77s/, /timeout server 77s/],
    ],
    [
      "deny and allow lists are asked at the connection",
      config({ firewall: { allow: ["ip:192.0.2.1"], deny: ["cidr:192.0.2.0/25"] } }),
      [/connection reject if \{ src 192\.0\.2\.0\/25 \}/, /connection reject unless \{ src 192\.0\.2\.1 \}/],
    ],
    ["least_connections is leastconn", config({ algorithm: "least_connections" }), [/balance leastconn/]],
    [
      "a rule whose certificate is not there yet is left out",
      withRule({ certificate_id: "other" }),
      [],
      [/frontend/],
    ],
    ["UDP is left out", withRule({ entry_protocol: "udp", target_protocol: "udp" }), [], [/frontend/]],
  ];
  for (const [title, text, present, absent = []] of cases) {
    it(title, () => {
      for (const pattern of present) assert.match(text, pattern);
      for (const pattern of absent) assert.doesNotMatch(text, pattern);
    });
  }
});
