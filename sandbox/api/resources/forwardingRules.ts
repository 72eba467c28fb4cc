import { z } from "zod";
import type { Api } from "../core/api";
import { unprocessable } from "../core/errors";
import { withDefault } from "../core/validation";
import { certificateTable } from "./certificates";
import type { ForwardingRule, LoadBalancerRecord } from "./loadBalancerRecord";

const port = z.number().int().min(1, "must be 1 to 65535").max(65_535, "must be 1 to 65535");

export const forwardingRule = z.object({
  entry_protocol: z.enum(["http", "https", "http2", "http3", "tcp", "udp"]),
  entry_port: port,
  target_protocol: z.enum(["http", "https", "http2", "tcp", "udp"]),
  target_port: port,
  certificate_id: withDefault(z.string(), ""),
  tls_passthrough: withDefault(z.boolean(), false),
});

/** The load balancer's own (Load Balancers documentation, Limits). */
const RESERVED_PORTS = [50_053, 50_054, 50_055];
const HTTP = ["http", "https", "http2"];
/**
 * The allowed target protocols for each entry protocol: any HTTP for any HTTP, and the two others only for
 * themselves.
 */
const TARGETS: Readonly<Record<ForwardingRule["entry_protocol"], readonly string[]>> = {
  http: HTTP,
  https: HTTP,
  http2: HTTP,
  http3: HTTP,
  tcp: ["tcp"],
  udp: ["udp"],
};

type Checked = Pick<LoadBalancerRecord, "forwarding_rules" | "redirect_http_to_https" | "type">;

/** Throws 422, with the rule's index, for rules that a load balancer cannot combine. */
export function checkForwardingRules(api: Api, balancer: Checked): void {
  const { forwarding_rules: rules } = balancer;
  if (rules.length === 0) throw unprocessable("forwarding_rules: must have at least one rule");
  const seen = new Map<string, number>();
  for (const [index, rule] of rules.entries()) {
    const refuse = (why: string): never => {
      throw unprocessable(`forwarding_rules[${index}]${why}`);
    };
    checkPair(rule, refuse);
    checkTls(api, rule, refuse);
    if (balancer.type === "REGIONAL_NETWORK" && !["tcp", "udp"].includes(rule.entry_protocol)) {
      refuse(".entry_protocol: a load balancer of type REGIONAL_NETWORK only accepts tcp and udp");
    }
    const earlier = seen.get(listener(rule));
    if (earlier !== undefined) refuse(`.entry_port: is that of forwarding_rules[${earlier}] already`);
    seen.set(listener(rule), index);
  }
  if (balancer.redirect_http_to_https && !rules.some(({ entry_protocol }) => isTls(entry_protocol))) {
    throw unprocessable(
      "redirect_http_to_https: needs a forwarding rule whose entry_protocol is https or http2",
    );
  }
}

type Refuse = (why: string) => never;

function checkPair({ entry_protocol, entry_port, target_protocol }: ForwardingRule, refuse: Refuse): void {
  const targets = TARGETS[entry_protocol];
  if (!targets.includes(target_protocol)) {
    refuse(`.target_protocol: must be ${targets.join(", ")} for an entry of ${entry_protocol}`);
  }
  if (RESERVED_PORTS.includes(entry_port)) refuse(`.entry_port: ${entry_port} is reserved`);
}

/**
 * Either the load balancer terminates TLS and needs a certificate, or it passes TLS through and must not have one.
 */
function checkTls(api: Api, rule: ForwardingRule, refuse: Refuse): void {
  const { entry_protocol, target_protocol, certificate_id, tls_passthrough } = rule;
  const passes =
    (entry_protocol === "https" || entry_protocol === "http2") && entry_protocol === target_protocol;
  if (tls_passthrough && !passes)
    refuse(".tls_passthrough: goes from https to https, or from http2 to http2");
  if (tls_passthrough && certificate_id !== "")
    refuse(".certificate_id: cannot be given with tls_passthrough");
  if (certificate_id !== "" && !isTls(entry_protocol)) {
    refuse(`.certificate_id: an entry of ${entry_protocol} has no certificate`);
  }
  if (isTls(entry_protocol) && !tls_passthrough && certificate_id === "") {
    refuse(`: an entry of ${entry_protocol} needs a certificate_id or tls_passthrough`);
  }
  if (certificate_id !== "" && !certificateTable(api.store).has(certificate_id)) {
    refuse(`.certificate_id: there is no certificate ${certificate_id}`);
  }
}

const isTls = (protocol: string): boolean => ["https", "http2", "http3"].includes(protocol);

/** Resources that only one rule can use: HTTP/3 is UDP. */
function listener({ entry_protocol, entry_port }: ForwardingRule): string {
  const transport = entry_protocol === "udp" || entry_protocol === "http3" ? "udp" : "tcp";
  return `${transport} ${entry_port}`;
}

/** True if two rules forward the same. */
export const sameForwarding = (a: ForwardingRule, b: ForwardingRule): boolean =>
  a.entry_protocol === b.entry_protocol &&
  a.entry_port === b.entry_port &&
  a.target_protocol === b.target_protocol &&
  a.target_port === b.target_port;
