import type { Problem } from "../../provider/check";
import {
  boolean,
  computed,
  type Fields,
  integer,
  list,
  map,
  object,
  optional,
  optionalComputed,
  required,
  set,
  string,
} from "../../provider/fields";
import type { Operation, ResourceType } from "../../provider/resource";
import { atLeast, between, items, length, notEmpty, oneOf, oneOfAnyCase } from "../../provider/validators";
import { isMap, isUnknown, type PropertyMap, type PropertyValue } from "../../provider/values";
import { waitFor } from "../../provider/wait";
import { type Client, isStatus } from "../client";
import { lowerCase, sameIgnoringCase, tagName } from "../common";
import { amount, apiBody, flag, inner, maps, numbers, strings, text, withoutEmpty } from "../inputs";
import { type ApiCertificate, findCertificate } from "./certificate";

interface ApiRule {
  readonly entry_protocol: string;
  readonly entry_port: number;
  readonly target_protocol: string;
  readonly target_port: number;
  readonly certificate_id?: string;
  readonly tls_passthrough?: boolean;
}

interface ApiDomain {
  readonly name: string;
  readonly is_managed?: boolean;
  readonly certificate_id?: string;
  readonly verification_error_reasons?: readonly string[] | null;
  readonly ssl_validation_error_reasons?: readonly string[] | null;
}

export interface ApiLoadBalancer {
  readonly id: string;
  readonly name: string;
  readonly ip?: string;
  readonly ipv6?: string;
  readonly size?: string;
  readonly size_unit?: number;
  readonly type?: string;
  readonly algorithm?: string;
  readonly status: string;
  readonly forwarding_rules?: readonly ApiRule[] | null;
  readonly health_check?: Readonly<Record<string, string | number>> | null;
  readonly sticky_sessions?: Readonly<Record<string, string | number>> | null;
  readonly region?: { readonly slug: string } | null;
  readonly droplet_ids?: readonly number[] | null;
  readonly tag?: string;
  readonly redirect_http_to_https?: boolean;
  readonly enable_proxy_protocol?: boolean;
  readonly enable_backend_keepalive?: boolean;
  readonly disable_lets_encrypt_dns_records?: boolean;
  readonly vpc_uuid?: string;
  readonly project_id?: string;
  readonly http_idle_timeout_seconds?: number;
  readonly firewall?: {
    readonly allow?: readonly string[] | null;
    readonly deny?: readonly string[] | null;
  } | null;
  readonly domains?: readonly ApiDomain[] | null;
  readonly glb_settings?: ApiGlobalSettings | null;
  readonly target_load_balancer_ids?: readonly string[] | null;
  readonly network?: string;
  readonly network_stack?: string;
  readonly tls_cipher_policy?: string;
}

interface ApiGlobalSettings {
  readonly target_protocol?: string;
  readonly target_port?: number;
  readonly region_priorities?: Readonly<Record<string, number>> | null;
  readonly failover_threshold?: number;
  readonly cdn?: { readonly is_enabled?: boolean } | null;
}

const activeTimeoutMs = 10 * 60_000;
const port = { validate: [between(1, 65535)] };
const sizeUnits: Readonly<Record<string, number>> = { "lb-small": 1, "lb-medium": 3, "lb-large": 6 };

/** A certificate's id changes at each renewal, so the state has its name in both properties. */
export const forwardingRuleFields: Fields = {
  entryProtocol: required(string, { validate: [oneOf("http", "https", "http2", "http3", "tcp", "udp")] }),
  entryPort: required(integer, port),
  targetProtocol: required(string, { validate: [oneOf("http", "https", "http2", "tcp", "udp")] }),
  targetPort: required(integer, port),
  certificateName: optionalComputed(string, { validate: [notEmpty] }),
  certificateId: optionalComputed(string, {
    validate: [notEmpty],
    deprecated: "Use certificateName: a certificate's id changes when it is renewed.",
  }),
  tlsPassthrough: optional(boolean, { default: false }),
};

export const healthcheckFields: Fields = {
  protocol: required(string, { validate: [oneOf("http", "https", "tcp")] }),
  port: required(integer, port),
  path: optional(string, { validate: [notEmpty] }),
  checkIntervalSeconds: optional(integer, { default: 10, validate: [between(3, 300)] }),
  responseTimeoutSeconds: optional(integer, { default: 5, validate: [between(3, 300)] }),
  unhealthyThreshold: optional(integer, { default: 3, validate: [between(2, 10)] }),
  healthyThreshold: optional(integer, { default: 5, validate: [between(2, 10)] }),
};

export const stickinessFields: Fields = {
  type: optional(string, { default: "none", validate: [oneOf("cookies", "none")] }),
  cookieName: optional(string, { validate: [length(2, 40)] }),
  cookieTtlSeconds: optional(integer, { validate: [atLeast(1)] }),
};

export const sourceFields: Fields = { allows: optional(list(string)), denies: optional(list(string)) };

export const domainFields: Fields = {
  name: required(string, { validate: [notEmpty] }),
  isManaged: optional(boolean, { default: false }),
  certificateName: optionalComputed(string, { validate: [notEmpty] }),
  certificateId: optionalComputed(string),
  verificationErrorReasons: optionalComputed(list(string)),
  sslValidationErrorReasons: optionalComputed(list(string)),
};

const globalSettings = object("LoadBalancerGlbSettings", {
  targetProtocol: required(string, { validate: [oneOf("http", "https")] }),
  targetPort: required(integer, {
    validate: [(value) => (value === 80 || value === 443 ? undefined : "must be 80 or 443")],
  }),
  regionPriorities: optional(map(integer)),
  failoverThreshold: optional(integer, { validate: [between(1, 99)] }),
  cdn: optional(object("LoadBalancerGlbSettingsCdn", { isEnabled: optional(boolean, { default: false }) })),
});

export const loadBalancer: ResourceType<Client> = {
  name: "LoadBalancer",
  fields: {
    name: required(string, { autoname: true, validate: [notEmpty] }),
    region: optional(string, { replaces: true, stateOf: lowerCase }),
    size: optional(string, { validate: [oneOf(...Object.keys(sizeUnits))] }),
    sizeUnit: optionalComputed(integer, { validate: [between(1, 200)] }),
    algorithm: optional(string, {
      default: "round_robin",
      validate: [oneOf("round_robin", "least_connections")],
      deprecated: "DigitalOcean no longer offers a choice of algorithm.",
    }),
    forwardingRules: optional(set(object("LoadBalancerForwardingRule", forwardingRuleFields)), {
      conflictsWith: ["glbSettings"],
      validate: [items(1)],
    }),
    healthcheck: optionalComputed(object("LoadBalancerHealthcheck", healthcheckFields)),
    stickySessions: optionalComputed(object("LoadBalancerStickySessions", stickinessFields)),
    dropletIds: optionalComputed(set(integer), { conflictsWith: ["dropletTag"] }),
    dropletTag: optional(string, { validate: [tagName], sameAs: sameIgnoringCase }),
    redirectHttpToHttps: optional(boolean, { default: false }),
    enableProxyProtocol: optional(boolean, { default: false }),
    enableBackendKeepalive: optional(boolean, { default: false }),
    disableLetsEncryptDnsRecords: optional(boolean, { default: false }),
    vpcUuid: optionalComputed(string, { replaces: true, validate: [notEmpty] }),
    httpIdleTimeoutSeconds: optionalComputed(integer),
    projectId: optionalComputed(string),
    firewall: optionalComputed(object("LoadBalancerFirewall", sourceFields)),
    type: optionalComputed(string, {
      replaces: true,
      validate: [oneOfAnyCase("REGIONAL", "GLOBAL", "REGIONAL_NETWORK")],
      sameAs: sameIgnoringCase,
    }),
    domains: optionalComputed(set(object("LoadBalancerDomain", domainFields)), { validate: [items(1)] }),
    glbSettings: optionalComputed(globalSettings, { conflictsWith: ["forwardingRules"] }),
    targetLoadBalancerIds: optionalComputed(set(string)),
    network: optional(string, {
      replaces: true,
      validate: [oneOfAnyCase("EXTERNAL", "INTERNAL")],
      sameAs: sameIgnoringCase,
    }),
    networkStack: optional(string, {
      replaces: true,
      validate: [oneOfAnyCase("IPV4", "DUALSTACK")],
      sameAs: sameIgnoringCase,
    }),
    tlsCipherPolicy: optional(string, { validate: [oneOf("DEFAULT", "STRONG")] }),
    ip: computed(string),
    ipv6: computed(string),
    status: computed(string),
    loadBalancerUrn: computed(string),
  },

  problems(inputs) {
    return [...healthcheckProblems(inputs), ...stickinessProblems(inputs), ...regionProblems(inputs)];
  },

  async create(op, inputs) {
    const request = await body(op.client, inputs);
    const { load_balancer: made } = await op.client.post<LoadBalancerAnswer>("/v2/load_balancers", request);
    return { id: made.id };
  },

  async settle(op, id, prior) {
    const what = `load balancer ${op.name} (${id}) to become active`;
    const found = await waitFor(
      { what, timeoutMs: op.timeoutMs ?? activeTimeoutMs, signal: op.signal },
      async () => {
        const { load_balancer: current } = await op.client.get<LoadBalancerAnswer>(
          `/v2/load_balancers/${id}`,
        );
        if (current.status === "active") return current;
        if (current.status !== "new")
          throw new Error(`stopped waiting for ${what}: it is "${current.status}"`);
        return undefined;
      },
    );
    return stateOf(op, found, prior);
  },

  async read(op, id, prior) {
    const found = await op.client.find<LoadBalancerAnswer>(`/v2/load_balancers/${id}`);
    return found && { state: await stateOf(op, found.load_balancer, prior) };
  },

  async update(op, id, inputs) {
    await op.client.put(`/v2/load_balancers/${id}`, await body(op.client, inputs));
  },

  async delete({ client }, id) {
    await client.remove(`/v2/load_balancers/${id}`);
  },
};

interface LoadBalancerAnswer {
  readonly load_balancer: ApiLoadBalancer;
}

function healthcheckProblems(inputs: PropertyMap): Problem[] {
  const check = inner(inputs, "healthcheck");
  if (!isMap(check) || isUnknown(check.protocol)) return [];
  const hasPath = check.path !== undefined;
  const wantsPath = check.protocol !== "tcp";
  if (hasPath === wantsPath) return [];
  const rule = wantsPath ? "is required" : "is not allowed";
  return [
    {
      path: "healthcheck.path",
      reason: `"path" ${rule} when the health check's protocol is ${text(check, "protocol")}`,
    },
  ];
}

function stickinessProblems(inputs: PropertyMap): Problem[] {
  const sessions = inner(inputs, "stickySessions");
  if (!isMap(sessions) || isUnknown(sessions.type)) return [];
  const wants = sessions.type === "cookies";
  return ["cookieName", "cookieTtlSeconds"]
    .filter((key) => (sessions[key] !== undefined) !== wants)
    .map((key) => ({
      path: `stickySessions.${key}`,
      reason: `"${key}" ${wants ? "is required" : "is not allowed"} when type is ${text(sessions, "type")}`,
    }));
}

function regionProblems(inputs: PropertyMap): Problem[] {
  if (isUnknown(inputs.type) || isUnknown(inputs.region)) return [];
  const global = text(inputs, "type").toUpperCase() === "GLOBAL";
  if (global === (text(inputs, "region") === "")) return [];
  const reason = global
    ? '"region" must not be set when type is GLOBAL'
    : 'Missing "region": set region, or set type to GLOBAL';
  return [{ path: "region", reason }];
}

async function body(client: Client, inputs: PropertyMap): Promise<Record<string, unknown>> {
  const rules = [];
  for (const rule of maps(inputs, "forwardingRules")) rules.push(await ruleBody(client, rule));
  const domains = [];
  for (const entry of maps(inputs, "domains")) domains.push(await domainBody(client, entry));
  const tag = text(inputs, "dropletTag");
  const sizeUnit = amount(inputs, "sizeUnit");
  const [check, sessions] = [inner(inputs, "healthcheck"), inner(inputs, "stickySessions")];
  return {
    ...apiBody(
      inputs,
      "name",
      "algorithm",
      "region",
      "type",
      "vpcUuid",
      "projectId",
      "targetLoadBalancerIds",
    ),
    ...apiBody(inputs, "redirectHttpToHttps", "enableProxyProtocol", "enableBackendKeepalive"),
    ...apiBody(inputs, "httpIdleTimeoutSeconds", "network", "networkStack", "tlsCipherPolicy"),
    ...withoutEmpty({
      size_unit: sizeUnit,
      size: sizeUnit === 0 ? text(inputs, "size") : "",
      forwarding_rules: rules,
      health_check: check && apiBody(check, ...Object.keys(healthcheckFields)),
      sticky_sessions: sessions && apiBody(sessions, ...Object.keys(stickinessFields)),
      droplet_ids: tag === "" ? numbers(inputs, "dropletIds") : [],
      tag,
      firewall: firewallBody(inner(inputs, "firewall")),
      domains,
      glb_settings: globalBody(inner(inputs, "glbSettings")),
    }),
    disable_lets_encrypt_dns_records: flag(inputs, "disableLetsEncryptDnsRecords"),
  };
}

async function ruleBody(client: Client, rule: PropertyMap): Promise<Record<string, unknown>> {
  return {
    ...apiBody(rule, "entryProtocol", "entryPort", "targetProtocol", "targetPort", "tlsPassthrough"),
    ...withoutEmpty({ certificate_id: await certificateId(client, rule) }),
  };
}

/** Programs name a certificate by name. A certificateId may also hold a name, because the state keeps the name there. */
async function certificateId(client: Client, rule: PropertyMap): Promise<string> {
  const name = text(rule, "certificateName");
  if (name !== "") return (await findCertificate(client, name)).id;
  const id = text(rule, "certificateId");
  if (id === "") return "";
  const named = await findCertificate(client, id).catch(() => undefined);
  return named?.id ?? id;
}

async function domainBody(client: Client, entry: PropertyMap): Promise<Record<string, unknown>> {
  return {
    name: text(entry, "name"),
    is_managed: flag(entry, "isManaged"),
    ...withoutEmpty({ certificate_id: await certificateId(client, entry) }),
  };
}

function firewallBody(rules: PropertyMap | undefined): Record<string, unknown> | undefined {
  return rules && { allow: strings(rules, "allows"), deny: strings(rules, "denies") };
}

function globalBody(settings: PropertyMap | undefined): Record<string, unknown> | undefined {
  if (settings === undefined) return undefined;
  const cdn = inner(settings, "cdn");
  return {
    ...apiBody(settings, "targetProtocol", "targetPort", "failoverThreshold"),
    ...(settings.regionPriorities === undefined ? {} : { region_priorities: settings.regionPriorities }),
    ...(cdn === undefined ? {} : { cdn: { is_enabled: flag(cdn, "isEnabled") } }),
  };
}

async function stateOf(
  op: Operation<Client>,
  found: ApiLoadBalancer,
  prior: PropertyMap,
): Promise<PropertyMap> {
  const names = new Map<string, string>();
  const state: PropertyMap = {
    name: found.name,
    loadBalancerUrn: `do:loadbalancer:${found.id}`,
    ip: found.ip ?? "",
    ipv6: found.ipv6 ?? "",
    status: found.status,
    algorithm: found.algorithm ?? "round_robin",
    redirectHttpToHttps: found.redirect_http_to_https ?? false,
    enableProxyProtocol: found.enable_proxy_protocol ?? false,
    enableBackendKeepalive: found.enable_backend_keepalive ?? false,
    disableLetsEncryptDnsRecords: found.disable_lets_encrypt_dns_records ?? false,
    dropletTag: found.tag ?? "",
    dropletIds: [...(found.droplet_ids ?? [])],
    vpcUuid: found.vpc_uuid ?? "",
    httpIdleTimeoutSeconds: found.http_idle_timeout_seconds ?? 0,
    projectId: found.project_id ?? "",
    type: found.type ?? "REGIONAL",
    targetLoadBalancerIds: [...(found.target_load_balancer_ids ?? [])],
    forwardingRules: await rulesState(op.client, found.forwarding_rules ?? [], names),
    domains: await domainsState(op.client, found.domains ?? [], names),
    sizeUnit: found.size_unit ?? 0,
  };
  if (found.region) state.region = found.region.slug;
  if (found.health_check) state.healthcheck = healthcheckState(found.health_check);
  if (found.sticky_sessions) state.stickySessions = stickinessState(found.sticky_sessions);
  if (found.firewall)
    state.firewall = { allows: [...(found.firewall.allow ?? [])], denies: [...(found.firewall.deny ?? [])] };
  if (found.glb_settings?.target_protocol) state.glbSettings = globalState(found.glb_settings);
  // The API may leave these out; then the program's values stay.
  if (found.network) state.network = found.network;
  if (found.network_stack) state.networkStack = found.network_stack;
  if (found.tls_cipher_policy) state.tlsCipherPolicy = found.tls_cipher_policy;
  return { ...state, ...leftToDefaults(state, prior) };
}

/**
 * Removes the API's defaults for properties that the program does not set; the state would otherwise differ from the
 * program.
 */
function leftToDefaults(state: PropertyMap, prior: PropertyMap): PropertyMap {
  const defaults: PropertyMap = { network: "EXTERNAL", networkStack: "IPV4", tlsCipherPolicy: "DEFAULT" };
  const silent = Object.keys(defaults).filter(
    (key) => prior[key] === undefined && state[key] === defaults[key],
  );
  return Object.fromEntries(silent.map((key) => [key, null]));
}

async function rulesState(
  client: Client,
  rules: readonly ApiRule[],
  names: Map<string, string>,
): Promise<PropertyValue[]> {
  const state: PropertyValue[] = [];
  for (const rule of rules) {
    state.push({
      entryProtocol: rule.entry_protocol,
      entryPort: rule.entry_port,
      targetProtocol: rule.target_protocol,
      targetPort: rule.target_port,
      tlsPassthrough: rule.tls_passthrough ?? false,
      ...(await certificateState(client, rule.certificate_id, names)),
    });
  }
  return state;
}

async function domainsState(
  client: Client,
  domains: readonly ApiDomain[],
  names: Map<string, string>,
): Promise<PropertyValue[]> {
  const state: PropertyValue[] = [];
  for (const entry of domains) {
    state.push({
      name: entry.name,
      isManaged: entry.is_managed ?? false,
      verificationErrorReasons: [...(entry.verification_error_reasons ?? [])],
      sslValidationErrorReasons: [...(entry.ssl_validation_error_reasons ?? [])],
      ...(await certificateState(client, entry.certificate_id, names)),
    });
  }
  return state;
}

async function certificateState(
  client: Client,
  id: string | undefined,
  names: Map<string, string>,
): Promise<PropertyMap> {
  if (!id) return {};
  let name = names.get(id);
  if (name === undefined) {
    name = await client
      .get<{ certificate: ApiCertificate }>(`/v2/certificates/${id}`)
      .then(({ certificate }) => certificate.name)
      .catch((error: unknown) => {
        if (isStatus(error, 404)) return id; // the certificate was deleted: only its id is known
        throw error;
      });
    names.set(id, name);
  }
  return { certificateId: name, certificateName: name };
}

function healthcheckState(check: Readonly<Record<string, string | number>>): PropertyMap {
  return {
    protocol: check.protocol ?? "",
    port: check.port ?? 0,
    path: check.path ?? "",
    checkIntervalSeconds: check.check_interval_seconds ?? 0,
    responseTimeoutSeconds: check.response_timeout_seconds ?? 0,
    healthyThreshold: check.healthy_threshold ?? 0,
    unhealthyThreshold: check.unhealthy_threshold ?? 0,
  };
}

function stickinessState(sessions: Readonly<Record<string, string | number>>): PropertyMap {
  return {
    type: sessions.type ?? "none",
    cookieName: sessions.cookie_name ?? "",
    cookieTtlSeconds: sessions.cookie_ttl_seconds ?? 0,
  };
}

function globalState(settings: ApiGlobalSettings): PropertyMap {
  return {
    targetProtocol: settings.target_protocol ?? "",
    targetPort: settings.target_port ?? 0,
    ...(settings.region_priorities ? { regionPriorities: { ...settings.region_priorities } } : {}),
    ...(settings.failover_threshold ? { failoverThreshold: settings.failover_threshold } : {}),
    ...(settings.cdn ? { cdn: { isEnabled: settings.cdn.is_enabled ?? false } } : {}),
  };
}
