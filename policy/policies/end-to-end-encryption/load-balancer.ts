/** Load balancers: every pair of entry and target protocol, the redirect of plain HTTP, and the cipher policy. */
import { carriesItsOwnEncryption } from "../../evidence/addresses";
import { describeState } from "../../evidence/host";
import type { JudgmentContext } from "../../frame/definition";
import { quoted } from "../../frame/message";
import type { JudgedResource } from "../../frame/resource";
import { type Field, type Inputs, valueOr } from "../../frame/value";
import { parsePortRange } from "../../parsers/network";
import { keepsClientAddresses } from "../../resources/balancers";
import { denies } from "../../resources/firewall-rules";
import { plaintextHop } from "./findings";

export const loadBalancerType = "digitalocean:index/loadBalancer:LoadBalancer";

const protocols = ["http", "https", "http2", "http3", "tcp", "udp"];

interface Rule {
  readonly at: string;
  readonly entry: Field<string>;
  readonly target: Field<string>;
  readonly entryPort: Field<number>;
  readonly targetPort: Field<number>;
  readonly passthrough: Field<boolean>;
  readonly hasCertificate: boolean;
}

export function judgeLoadBalancer(balancer: JudgedResource, context: JudgmentContext): void {
  judgeGlobalTarget(balancer, context);
  judgeHealthcheck(balancer, context);
  const list = balancer.inputs.objects("forwardingRules");
  if (list.state === "absent") return;
  if (list.state !== "known") {
    reportUnjudged(balancer, context, "forwardingRules", list);
    return;
  }
  const rules: Rule[] = [];
  for (const [index, rule] of list.value.entries()) {
    const at = `forwardingRules[${index}]`;
    if (rule.state === "known") rules.push(readRule(at, rule.value));
    else reportUnjudged(balancer, context, at, rule);
  }
  for (const rule of rules) judgeRule(balancer, rule, rules, context);
  if (rules.some(endsTls)) judgeCiphers(balancer, context);
}

function readRule(at: string, rule: Inputs): Rule {
  const hasText = (name: string) => {
    const field = rule.text(name);
    return field.state === "unknown" || (field.state === "known" && field.value !== "");
  };
  return {
    at,
    entry: protocolOf(rule, "entryProtocol"),
    target: protocolOf(rule, "targetProtocol"),
    entryPort: rule.integer("entryPort"),
    targetPort: rule.integer("targetPort"),
    passthrough: rule.flag("tlsPassthrough"),
    hasCertificate: hasText("certificateName") || hasText("certificateId"),
  };
}

function protocolOf(rule: Inputs, name: string): Field<string> {
  const field = rule.text(name);
  return field.state === "known" ? { state: "known", value: field.value.toLowerCase() } : field;
}

function endsTls({ entry, passthrough }: Rule): boolean {
  return ["https", "http2", "http3"].includes(valueOr(entry, "")) && valueOr(passthrough, false) !== true;
}

function reportUnjudged(
  balancer: JudgedResource,
  context: JudgmentContext,
  at: string,
  field: Field<unknown>,
): void {
  context.report(balancer, {
    at,
    problem: `the value ${describeState(field)}`,
    why: "a hop whose protocol is unknown may be unencrypted",
    fix: "set the value to a literal, or to an output that is known at preview",
  });
}

function judgeRule(
  balancer: JudgedResource,
  rule: Rule,
  rules: readonly Rule[],
  context: JudgmentContext,
): void {
  const { at, entry, target, passthrough } = rule;
  const required = [
    ["entryProtocol", entry],
    ["targetProtocol", target],
  ] as const;
  const unread = required.filter(([, field]) => field.state !== "known");
  for (const [name, field] of unread) reportUnjudged(balancer, context, `${at}.${name}`, field);
  if (passthrough.state === "unknown" || passthrough.state === "mistyped") {
    reportUnjudged(balancer, context, `${at}.tlsPassthrough`, passthrough);
    return;
  }
  if (entry.state !== "known" || target.state !== "known") return;
  if (entry.value === "http") judgePlainEntry(balancer, rule, rules, context);
  else if (entry.value === "https" || entry.value === "http2" || entry.value === "http3") {
    judgeTlsEntry(balancer, rule, entry.value, target.value, context);
  } else if (!passesEncryptedBytes(balancer, rule, entry.value, target.value)) {
    context.report(balancer, {
      at,
      problem: `entryProtocol is ${quoted(entry.value, protocols)}, which the load balancer forwards without knowing whether it is encrypted`,
      why: plaintextHop,
      fix: 'use entryProtocol "https" with targetProtocol "https" (and tlsPassthrough true if the droplets terminate TLS)',
    });
  }
}

/**
 * A network load balancer does not decrypt anything and only accepts TCP and UDP. Its rules may forward ports whose
 * protocol is encrypted: TLS and MySQL over TCP, QUIC over UDP. The policy checks the droplets' own configuration for
 * these ports. Other load balancers can declare that they pass TLS through (tlsPassthrough), so TCP is refused there.
 */
function passesEncryptedBytes(balancer: JudgedResource, rule: Rule, entry: string, target: string): boolean {
  if (!keepsClientAddresses(balancer) || entry !== target) return false;
  const ports = [valueOr(rule.entryPort, 0), valueOr(rule.targetPort, 0)];
  if (entry === "udp") return ports.every((port) => port === 443);
  return entry === "tcp" && ports.every(carriesItsOwnEncryption);
}

function judgeTlsEntry(
  balancer: JudgedResource,
  { at, passthrough, hasCertificate }: Rule,
  entry: string,
  target: string,
  context: JudgmentContext,
): void {
  const passes = valueOr(passthrough, false);
  const targetFix = 'set targetProtocol to "https", and let the droplets listen with TLS';
  // The load balancer sends HTTP/2 to a target without TLS, unless it passes the client's TLS session through.
  const encrypted = target === "https" || (target === "http2" && passes && entry === "http2");
  if (!encrypted) {
    context.report(balancer, {
      at: `${at}.targetProtocol`,
      problem: `the load balancer accepts ${quoted(entry, protocols)} and sends ${quoted(target, protocols)} to the droplets`,
      why: plaintextHop,
      fix: targetFix,
    });
  }
  if (passes && entry === "http3") {
    context.report(balancer, {
      at: `${at}.tlsPassthrough`,
      problem: "HTTP/3 cannot be passed through, so it is unclear where TLS is terminated",
      why: plaintextHop,
      fix: "remove tlsPassthrough from this rule",
    });
  }
  if (!passes && !hasCertificate) {
    context.report(balancer, {
      at: `${at}.certificateName`,
      problem: "a rule that terminates TLS names no certificate",
      why: "without a certificate the load balancer cannot serve TLS",
      fix: "set certificateName to the name of a Certificate, or tlsPassthrough to true",
    });
  }
}

function judgePlainEntry(
  balancer: JudgedResource,
  rule: Rule,
  rules: readonly Rule[],
  context: JudgmentContext,
): void {
  const redirect = balancer.inputs.flag("redirectHttpToHttps");
  if (redirect.state === "known" && redirect.value && valueOr(rule.entryPort, 0) === 80) return;
  if (redirect.state === "unknown" || redirect.state === "mistyped") {
    reportUnjudged(balancer, context, "redirectHttpToHttps", redirect);
    return;
  }
  // The droplets' answer on port 80 is checked with the whole stack: see judgePassthroughRedirect.
  if (isLeftToDroplets(rule, rules)) return;
  context.report(balancer, {
    at: `${rule.at}.entryProtocol`,
    problem: 'the load balancer accepts "http" and does not redirect it',
    why: plaintextHop,
    fix: "set redirectHttpToHttps to true with entryPort 80, or remove the rule",
  });
}

/** Port 80 next to TLS passthrough: the load balancer may leave the redirect to the droplets. */
function isLeftToDroplets(rule: Rule, rules: readonly Rule[]): boolean {
  const passesTls = rules.some(
    ({ entry, passthrough }) => valueOr(entry, "") === "https" && valueOr(passthrough, false),
  );
  const isPlainPort80 =
    valueOr(rule.entry, "") === "http" &&
    valueOr(rule.target, "") === "http" &&
    valueOr(rule.entryPort, 0) === 80;
  return isPlainPort80 && passesTls && !rules.some(endsTls);
}

/** Rules whose safety depends on the droplets' configuration. */
export function rulesLeftToDroplets(balancer: JudgedResource): readonly string[] {
  const list = balancer.inputs.objects("forwardingRules");
  const rules = valueOr(list, []).flatMap((rule, index) =>
    rule.state === "known" ? [readRule(`forwardingRules[${index}]`, rule.value)] : [],
  );
  if (valueOr(balancer.inputs.flag("redirectHttpToHttps"), false)) return [];
  return rules.filter((rule) => isLeftToDroplets(rule, rules)).map(({ at }) => at);
}

function judgeCiphers(balancer: JudgedResource, context: JudgmentContext): void {
  const policy = balancer.inputs.text("tlsCipherPolicy");
  if (policy.state === "known" && policy.value === "STRONG") return;
  if (policy.state === "unknown" || policy.state === "mistyped") {
    reportUnjudged(balancer, context, "tlsCipherPolicy", policy);
    return;
  }
  const problem =
    policy.state === "known" && policy.value !== ""
      ? `tlsCipherPolicy is ${quoted(policy.value, ["DEFAULT", "STRONG"])}`
      : "tlsCipherPolicy is not set, and DigitalOcean's default is DEFAULT";
  context.report(balancer, {
    at: "tlsCipherPolicy",
    problem,
    why: "the default policy allows ciphers without forward secrecy, so anyone who obtains a key can decrypt recorded traffic",
    fix: 'set tlsCipherPolicy to "STRONG"',
  });
}

/** A health check is a separate hop, and requires a listener for its protocol on the droplets. */
function judgeHealthcheck(balancer: JudgedResource, context: JudgmentContext): void {
  const check = balancer.inputs.object("healthcheck");
  if (check.state === "absent") return;
  const protocol = check.state === "known" ? check.value.text("protocol") : check;
  const name = protocol.state === "known" ? String(protocol.value).toLowerCase() : "";
  if (name === "https" || name === "tcp") return;
  if (protocol.state !== "known") {
    reportUnjudged(balancer, context, "healthcheck.protocol", protocol);
    return;
  }
  context.report(balancer, {
    at: "healthcheck.protocol",
    problem: `the health check asks the droplets over ${quoted(name, protocols)}`,
    why: "the droplets would have to serve plain text just for the health check, and others can read it",
    fix: 'set protocol to "https" and port to 443',
  });
}

/** For the whole stack: no firewall lets a load balancer reach the droplets' port 80. */
export function judgePlainPort(
  firewall: JudgedResource,
  isLeftToDroplets: boolean,
  context: JudgmentContext,
): void {
  if (isLeftToDroplets) return;
  for (const [index, rule] of valueOr(firewall.inputs.objects("inboundRules"), []).entries()) {
    if (rule.state !== "known" || denies(rule.value)) continue;
    const sources = rule.value.texts("sourceLoadBalancerUids");
    const isForBalancer =
      sources.state === "unknown" || sources.state === "mistyped" || valueOr(sources, []).length > 0;
    const protocol = valueOr(rule.value.text("protocol"), "tcp").toLowerCase();
    const ports = parsePortRange(valueOr(rule.value.text("portRange"), ""));
    if (!isForBalancer || protocol !== "tcp" || ports === undefined || ports.first > 80 || ports.last < 80)
      continue;
    context.report(firewall, {
      at: `inboundRules[${index}].portRange`,
      problem: "it lets the load balancer reach port 80 of the droplets",
      why: plaintextHop,
      fix: "let the load balancer reach only port 443, and let the droplets listen there with TLS",
    });
  }
}

/** A global load balancer sets its targets' protocol in glbSettings. */
function judgeGlobalTarget(balancer: JudgedResource, context: JudgmentContext): void {
  const settings = balancer.inputs.object("glbSettings");
  const isGlobal = valueOr(balancer.inputs.text("type"), "").toUpperCase() === "GLOBAL";
  if (settings.state === "absent" && !isGlobal) return;
  if (settings.state !== "known") {
    reportUnjudged(balancer, context, "glbSettings", settings);
    return;
  }
  const target = settings.value.text("targetProtocol");
  if (target.state === "known" && target.value.toLowerCase() === "https") return;
  if (target.state !== "known") {
    reportUnjudged(balancer, context, "glbSettings.targetProtocol", target);
    return;
  }
  context.report(balancer, {
    at: "glbSettings.targetProtocol",
    problem: `the global load balancer sends ${quoted(target.value, protocols)} to its targets`,
    why: plaintextHop,
    fix: 'set targetProtocol to "https" and targetPort to 443',
  });
}
