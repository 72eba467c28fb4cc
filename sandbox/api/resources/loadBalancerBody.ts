import { isIP } from "node:net";
import { z } from "zod";
import { unprocessable } from "../core/errors";
import { numericId, optional, parseBody, uuid, withDefault } from "../core/validation";
import { forwardingRule } from "./forwardingRules";
import type { HealthCheck, LoadBalancerSettings, StickySessions } from "./loadBalancerRecord";

const SIZES = { "lb-small": 1, "lb-medium": 3, "lb-large": 6 } as const;

const between = (min: number, max: number) =>
  z.number().int().min(min, `must be ${min} to ${max}`).max(max, `must be ${min} to ${max}`);

// Go clients send zero for a missing value.
const orZero = <S extends z.ZodType>(schema: S, value: z.output<S>) =>
  z
    .union([z.literal(0), z.literal(""), z.null(), schema])
    .optional()
    .transform((given) => (given ? (given as z.output<S>) : value));

const healthCheck = z.object({
  protocol: withDefault(z.enum(["http", "https", "tcp"]), "http"),
  port: orZero(between(1, 65_535), 80),
  path: withDefault(z.string().regex(/^(\/\S*)?$/, "must begin with a slash"), ""),
  check_interval_seconds: orZero(between(3, 300), 10),
  response_timeout_seconds: orZero(between(3, 300), 5),
  // As in DigitalOcean's answers; its description has the two swapped.
  healthy_threshold: orZero(between(2, 10), 5),
  unhealthy_threshold: orZero(between(2, 10), 3),
});

const stickySessions = z.object({
  type: withDefault(z.enum(["cookies", "none", ""]), "none"),
  cookie_name: withDefault(z.string(), ""),
  cookie_ttl_seconds: withDefault(z.number().int().min(0), 0),
});

/** `ip:1.2.3.4` or `cidr:1.2.0.0/16`. */
const source = z.string().refine(
  (text) => {
    const [, kind, ip = "", prefix] = /^(ip|cidr):([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
    const bits = { 0: -1, 4: 32, 6: 128 }[isIP(ip)] ?? -1;
    if (kind === "ip") return bits > 0 && prefix === undefined;
    return kind === "cidr" && prefix !== undefined && Number(prefix) <= bits;
  },
  { error: "must be in the form ip:1.2.3.4 or cidr:1.2.0.0/16" },
);
const sources = withDefault(z.array(source), []);

const name = z
  .string()
  .regex(/^[a-zA-Z0-9][a-zA-Z0-9.-]{0,254}$/, "may only contain letters, digits, periods and dashes");
const flag = withDefault(z.boolean(), false);
const upper = <const V extends string>(values: readonly [V, ...V[]]) =>
  z
    .string()
    .transform((given) => given.toUpperCase())
    .pipe(z.enum([...values, ""]))
    .nullish()
    .transform((given): V => (given ? (given as V) : values[0]));

const body = z.object({
  name,
  region: optional(z.string()),
  size: optional(z.enum(["lb-small", "lb-medium", "lb-large", ""])),
  size_unit: optional(z.union([z.literal(0), between(1, 100)])),
  algorithm: withDefault(z.enum(["round_robin", "least_connections", ""]), "round_robin"),
  forwarding_rules: withDefault(z.array(forwardingRule), []),
  health_check: healthCheck.nullish(),
  sticky_sessions: stickySessions.nullish(),
  redirect_http_to_https: flag,
  enable_proxy_protocol: flag,
  enable_backend_keepalive: flag,
  http_idle_timeout_seconds: orZero(between(30, 600), 60),
  disable_lets_encrypt_dns_records: flag,
  firewall: z.object({ allow: sources, deny: sources }).nullish(),
  tls_cipher_policy: upper(["DEFAULT", "STRONG"]),
  tag: withDefault(
    z.union([z.string().regex(/^[\w:-]{1,255}$/, "is not a valid tag name"), z.literal("")]),
    "",
  ),
  droplet_ids: withDefault(z.array(numericId), []),
  project_id: optional(z.string()),
  vpc_uuid: optional(z.union([uuid, z.literal("")])),
  type: optional(upper(["REGIONAL", "REGIONAL_NETWORK", "GLOBAL"])),
  network: optional(upper(["EXTERNAL", "INTERNAL"])),
  network_stack: optional(upper(["IPV4", "DUALSTACK"])),
});
type Given = z.output<typeof body>;

/** A body, validated on its own: `settings` can always change, the rest only at creation. */
export interface LoadBalancerBody {
  readonly settings: LoadBalancerSettings;
  readonly place: Pick<Given, "region" | "vpc_uuid" | "project_id" | "type" | "network" | "network_stack">;
}

/** Reads the body of a POST or PUT. Throws 422 for the first field that is invalid on its own. */
export function readLoadBalancerBody(given: unknown): LoadBalancerBody {
  const parsed = parseBody(body, given);
  const { region, vpc_uuid, project_id, type, network, network_stack } = parsed;
  if (type === "GLOBAL") throw unprocessable("type: this sandbox has no global load balancers");
  if (parsed.tag !== "" && parsed.droplet_ids.length > 0) {
    throw unprocessable("provide either a tag or droplet_ids, not both");
  }
  const settings: LoadBalancerSettings = {
    name: parsed.name,
    size_unit: sizeUnit(parsed),
    algorithm: parsed.algorithm || "round_robin",
    forwarding_rules: parsed.forwarding_rules,
    health_check: readHealthCheck(parsed),
    sticky_sessions: readStickySessions(parsed),
    redirect_http_to_https: parsed.redirect_http_to_https,
    enable_proxy_protocol: parsed.enable_proxy_protocol,
    enable_backend_keepalive: parsed.enable_backend_keepalive,
    http_idle_timeout_seconds: parsed.http_idle_timeout_seconds,
    disable_lets_encrypt_dns_records: parsed.disable_lets_encrypt_dns_records,
    firewall: { allow: parsed.firewall?.allow ?? [], deny: parsed.firewall?.deny ?? [] },
    tls_cipher_policy: parsed.tls_cipher_policy,
    tag: parsed.tag,
    droplet_ids: [...new Set(parsed.droplet_ids)],
  };
  return { settings, place: { region, vpc_uuid, project_id, type, network, network_stack } };
}

/** The size's old name, if the number of nodes has one. */
export const sizeSlug = (units: number): string | undefined =>
  Object.entries(SIZES).find(([, nodes]) => nodes === units)?.[0];

/** A client that sends back what it has read sends both. The number counts, because it is not deprecated. */
const sizeUnit = ({ size, size_unit }: Given): number => size_unit || SIZES[size || "lb-small"];

function readHealthCheck({ health_check }: Given): HealthCheck {
  const { path, protocol, ...rest } = healthCheck.parse(health_check ?? {});
  if (protocol !== "tcp") return { protocol, ...rest, path: path || "/" };
  if (path !== "") throw unprocessable("health_check.path: cannot be given for a check by tcp");
  return { protocol, ...rest };
}

function readStickySessions({ sticky_sessions }: Given): StickySessions {
  const { type, cookie_name, cookie_ttl_seconds } = stickySessions.parse(sticky_sessions ?? {});
  if (type !== "cookies") return { type: "none" };
  if (!/^[\w-]{2,40}$/.test(cookie_name)) {
    throw unprocessable(
      "sticky_sessions.cookie_name: must be 2 to 40 letters, digits, dashes and underscores",
    );
  }
  if (cookie_ttl_seconds < 1) throw unprocessable("sticky_sessions.cookie_ttl_seconds: must be at least 1");
  return { type, cookie_name, cookie_ttl_seconds };
}
