import { isIP } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Api } from "../core/api";
import { unprocessable } from "../core/errors";
import { findTag } from "../core/tags";
import { numericId } from "../core/validation";

/** The peers of a rule. If all lists are empty, the rule matches no peer. */
export interface Peers {
  readonly addresses?: readonly string[];
  readonly droplet_ids?: readonly number[];
  readonly load_balancer_uids?: readonly string[];
  readonly tags?: readonly string[];
}

/** `ports` is "0" for all ports (always for icmp), otherwise "80" or "8000-9000". */
export interface Rule {
  readonly protocol: "tcp" | "udp" | "icmp";
  readonly ports: string;
  readonly peers: Peers;
  /**
   * Absent if the body had none; it is then also absent in answers: "accept and return action optionally"
   * (github.com/digitalocean/openapi/pull/1222). It means allow; python-digitalocean cannot read a rule that has it.
   */
  readonly action?: "allow" | "deny";
}

export interface Rules {
  readonly inbound: readonly Rule[];
  readonly outbound: readonly Rule[];
}

const MAX_RULES = 50; // both directions together (Firewalls documentation, Limits)

const listOf = <S extends z.ZodType>(item: S) =>
  z
    .array(item)
    .nullish()
    .transform((list) => [...new Set(list ?? [])]);

const address = z.string().refine(isAddress, {
  error: (issue) =>
    `invalid address: "${String(issue.input)}" is no IP address and no network in CIDR notation`,
});

const peers = z.object(
  {
    addresses: listOf(address),
    droplet_ids: listOf(numericId),
    load_balancer_uids: listOf(z.string()),
    kubernetes_ids: listOf(z.string()),
    tags: listOf(z.string()),
  },
  {
    error: (issue) => (issue.input === undefined ? "Invalid input: received undefined" : "must be an object"),
  },
);

const protocol = z
  .string()
  .transform((given) => given.toLowerCase())
  .pipe(z.enum(["tcp", "udp", "icmp"], { error: "must be tcp, udp or icmp" }));

const common = {
  protocol,
  // DigitalOcean also accepts a number.
  ports: z.union([z.string(), z.number().int().transform(String)], { error: "must be a string" }).nullish(),
  action: z.enum(["allow", "deny"], { error: "must be allow or deny" }).optional(),
};

const rules = <S extends z.ZodType>(rule: S) =>
  z
    .array(rule)
    .nullish()
    .transform((list) => list ?? []);

/** The rules of a body. */
export const ruleFields = {
  inbound_rules: rules(z.object({ ...common, sources: peers })),
  outbound_rules: rules(z.object({ ...common, destinations: peers })),
};
const ruleBody = z.object(ruleFields);
type GivenRules = z.output<typeof ruleBody>;

/** The rules in the stored form. Throws 422 for invalid ports, and for peers that do not exist. */
export function readRules(api: Api, given: GivenRules): Rules {
  const inbound = given.inbound_rules.map((rule, index) =>
    readRule(api, `inbound_rules[${index}]`, rule, rule.sources),
  );
  const outbound = given.outbound_rules.map((rule, index) =>
    readRule(api, `outbound_rules[${index}]`, rule, rule.destinations),
  );
  return { inbound, outbound };
}

/** Throws 422 for an invalid set of rules. */
export function checkRules({ inbound, outbound }: Rules): void {
  const count = inbound.length + outbound.length;
  if (count === 0) throw unprocessable("a firewall must have at least one rule");
  if (count > MAX_RULES) throw unprocessable(`a firewall has at most ${MAX_RULES} rules, got ${count}`);
  for (const list of [inbound, outbound]) {
    const twice = list.find((rule, index) => list.findIndex((other) => sameRule(rule, other)) < index);
    if (twice) throw unprocessable(`duplicate rule: ${describeRule(twice)}`);
  }
}

/** True if two rules are equal, in any order of their peers. */
export function sameRule(a: Rule, b: Rule): boolean {
  const sorted = ({ peers: { addresses, droplet_ids, load_balancer_uids, tags } }: Rule) =>
    [addresses, droplet_ids, load_balancer_uids, tags].map((list) => [...(list ?? [])].map(String).sort());
  const sameTraffic = a.protocol === b.protocol && a.ports === b.ports && denies(a) === denies(b);
  return sameTraffic && isDeepStrictEqual(sorted(a), sorted(b));
}

const denies = ({ action }: Rule): boolean => action === "deny";

/** "tcp 80" or "deny tcp 80". */
export const describeRule = (rule: Rule): string =>
  `${denies(rule) ? "deny " : ""}${rule.protocol} ${rule.ports}`;

/** The rules without a deleted droplet, load balancer or tag. A rule stays even if it then has no peers. */
export function withoutPeer(
  rule: Rule,
  field: "droplet_ids" | "load_balancer_uids" | "tags",
  id: string,
): Rule {
  const list: readonly (string | number)[] = rule.peers[field] ?? [];
  const rest = list.filter((one) => String(one).toLowerCase() !== id.toLowerCase());
  if (rest.length === list.length) return rule;
  const { [field]: _gone, ...others } = rule.peers;
  return { ...rule, peers: rest.length > 0 ? { ...others, [field]: rest } : others };
}

export const ruleObject = (
  { protocol: shown, ports, peers: whom, action }: Rule,
  side: "sources" | "destinations",
) => ({
  protocol: shown,
  ports,
  ...(action === undefined ? {} : { action }),
  [side]: whom,
});

type GivenRule = {
  protocol: "tcp" | "udp" | "icmp";
  ports?: string | null | undefined;
  action?: "allow" | "deny" | undefined;
};

function readRule(api: Api, path: string, rule: GivenRule, whom: z.output<typeof peers>): Rule {
  const ports = rule.protocol === "icmp" ? "0" : readPorts(path, rule.ports ?? "");
  const read: Rule = { protocol: rule.protocol, ports, peers: readPeers(api, path, whom) };
  return rule.action === undefined ? read : { ...read, action: rule.action };
}

function readPorts(path: string, given: string): string {
  if (given === "all" || given === "0") return "0";
  const [, first = "", last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(given) ?? [];
  const inRange = [first, last].every((port) => Number(port) >= 1 && Number(port) <= 65_535);
  if (first === "" || !inRange) {
    throw unprocessable(`${path}.ports: "${given}" is no port, no range such as 8000-9000, and not "all"`);
  }
  if (Number(first) > Number(last)) throw unprocessable("invalid port range");
  return given;
}

function readPeers(api: Api, path: string, given: z.output<typeof peers>): Peers {
  const droplet = given.droplet_ids.find((id) => !api.resolveUrn(`do:droplet:${id}`));
  if (droplet !== undefined) throw unprocessable(`${path}: droplet does not exist: ${droplet}`);
  const balancer = given.load_balancer_uids.find((id) => !api.resolveUrn(`do:loadbalancer:${id}`));
  if (balancer !== undefined) throw unprocessable(`${path}: load balancer does not exist: ${balancer}`);
  const [cluster] = given.kubernetes_ids;
  if (cluster !== undefined) throw unprocessable(`${path}: Kubernetes cluster does not exist: ${cluster}`);
  const tags = existingTags(api, path, given.tags);
  return {
    ...(given.addresses.length > 0 ? { addresses: given.addresses } : {}),
    ...(given.droplet_ids.length > 0 ? { droplet_ids: given.droplet_ids } : {}),
    ...(given.load_balancer_uids.length > 0 ? { load_balancer_uids: given.load_balancer_uids } : {}),
    ...(tags.length > 0 ? { tags } : {}),
  };
}

/** The tags in their own capitalization. A firewall does not create tags, so they must exist. */
export function existingTags(api: Api, path: string, names: readonly string[]): string[] {
  const tags = names.map((name) => {
    const tag = findTag(api.store, name);
    if (!tag) throw unprocessable(`${path}: tag does not exist: ${name}`);
    return tag.name;
  });
  return [...new Set(tags)];
}

function isAddress(text: string): boolean {
  const [ip = "", prefix, ...rest] = text.split("/");
  const version = isIP(ip);
  if (version === 0 || ip.includes("%") || rest.length > 0) return false;
  if (prefix === undefined) return true;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= (version === 4 ? 32 : 128);
}
