/** The ports that a cloud firewall's rules open to or from the whole internet. */
import { describeState, dropletType } from "../evidence/host";
import type { JudgedResource } from "../frame/resource";
import type { Field, Inputs } from "../frame/value";
import { isWideOpen, type PortRange, parsePortRange, parsePrefix } from "../parsers/network";
import {
  floatingIpType,
  kubernetesClusterType,
  loadBalancerType,
  natGatewayType,
  reservedIpType,
  reservedIpv6Type,
  tagType,
  vpcType,
} from "./types";

/** Ports that a rule opens to the internet, or may open to it. */
export interface Opening {
  /** The input that opens them, for example `inboundRules[0].sourceAddresses[1]`. */
  readonly at: string;
  readonly ports: PortRange;
  /** "tcp", "udp", "icmp", or an unknown protocol. */
  readonly protocol: "tcp" | "udp" | "icmp" | "unknown";
  /** A clause: to whom it is open, or what is unknown. */
  readonly problem: string;
  /** The change that makes an unknown source known. */
  readonly fix?: string;
}

export const everyPort: PortRange = { first: 1, last: 65535 };

/** A larger range than this cannot be meant for one service. */
const narrowRange = 1_000;

export const isWideRange = ({ first, last }: PortRange): boolean => last - first > narrowRange;

/** "port 22" or "ports 1 to 65535". */
export function describePorts({ first, last }: PortRange): string {
  return first === last ? `port ${first}` : `ports ${first} to ${last}`;
}

interface Direction {
  readonly rules: "inboundRules" | "outboundRules";
  readonly addresses: "sourceAddresses" | "destinationAddresses";
  readonly way: "inbound" | "outbound";
  readonly end: "source" | "destination";
}

const inbound: Direction = {
  way: "inbound",
  rules: "inboundRules",
  addresses: "sourceAddresses",
  end: "source",
};
const outbound: Direction = {
  way: "outbound",
  rules: "outboundRules",
  addresses: "destinationAddresses",
  end: "destination",
};

const read = new WeakMap<JudgedResource, readonly Opening[]>();

/** The inbound openings of a firewall to the internet, read once. */
export function openingsIn(firewall: JudgedResource): readonly Opening[] {
  const found = read.get(firewall) ?? openings(firewall, inbound);
  read.set(firewall, found);
  return found;
}

/** The outbound openings of a firewall to the internet. */
export const openingsOut = (firewall: JudgedResource): readonly Opening[] => openings(firewall, outbound);

function openings(firewall: JudgedResource, direction: Direction): readonly Opening[] {
  const rules = firewall.inputs.objects(direction.rules);
  if (rules.state === "absent") return [];
  const unread = (at: string, problem: string): Opening => ({
    at,
    ports: everyPort,
    protocol: "unknown",
    problem,
  });
  if (rules.state !== "known") {
    return [unread(direction.rules, `its ${direction.way} rules: the value ${describeState(rules)}`)];
  }
  return rules.value.flatMap((rule, index) => {
    const at = `${direction.rules}[${index}]`;
    if (rule.state !== "known") return [unread(at, `the rule ${describeState(rule)}`)];
    if (denies(rule.value)) return [];
    const protocol = protocolOf(rule.value);
    const { ports, portProblem } = portsOf(rule.value);
    const end = openEnd(rule.value, direction, firewall);
    if (end === undefined) return [];
    const problems = [portProblem, end.problem].filter((problem) => problem !== undefined);
    const { fix } = end;
    const opening = { at: `${at}.${end.at}`, ports, protocol, problem: problems.join(", and ") };
    return [fix === undefined ? opening : { ...opening, fix }];
  });
}

/** Whether a rule is known to deny; DigitalOcean's rules allow unless their `action` is "deny". */
export function denies(rule: Inputs): boolean {
  const action = rule.text("action");
  return action.state === "known" && action.value === "deny";
}

function protocolOf(rule: Inputs): Opening["protocol"] {
  const field = rule.text("protocol");
  const value = field.state === "known" ? field.value.toLowerCase() : "";
  return value === "tcp" || value === "udp" || value === "icmp" ? value : "unknown";
}

function portsOf(rule: Inputs): { ports: PortRange; portProblem?: string } {
  const field = rule.text("portRange");
  if (field.state === "absent") return { ports: everyPort };
  const ports = field.state === "known" ? parsePortRange(field.value) : undefined;
  if (ports !== undefined) return { ports };
  const state = field.state === "known" ? "is not a port or a range of ports" : describeState(field);
  return { ports: everyPort, portProblem: `its portRange ${state}` };
}

/** The first address that is, or may be, the whole internet. */
function openEnd(
  rule: Inputs,
  { addresses, end, rules }: Direction,
  firewall: JudgedResource,
): { at: string; problem: string; fix?: string } | undefined {
  const list = rule.texts(addresses);
  if (list.state === "absent") return undefined;
  const isNarrow = list.state === "unknown" || hasUnknown(list) ? takesNarrowAddress(firewall, rules) : false;
  const fix = knownEndFix[end];
  if (list.state === "unknown" && isNarrow) return undefined;
  if (list.state !== "known")
    return { at: addresses, problem: `its ${end}s are unknown: the value ${describeState(list)}`, fix };
  for (const [index, address] of list.value.entries()) {
    if (address.state === "unknown" && isNarrow) continue;
    const problem = openAddress(address, end);
    const at = `${addresses}[${index}]`;
    if (problem !== undefined) return address.state === "known" ? { at, problem } : { at, problem, fix };
  }
  return undefined;
}

const hasUnknown = (list: Field<readonly Field<string>[]>) =>
  list.state === "known" && list.value.some(({ state }) => state === "unknown");

const knownEndFix: Readonly<Record<Direction["end"], string>> = {
  source:
    "select hosts of the stack with sourceTags or sourceDropletIds instead of their addresses, or write the network as a literal",
  destination:
    "select hosts of the stack with destinationTags or destinationDropletIds instead of their addresses, or write the network as a literal",
};

/** Resources whose outputs contain no address that is wider than a host or a private network. */
const narrowSources: ReadonlySet<string> = new Set([
  dropletType,
  floatingIpType,
  kubernetesClusterType,
  loadBalancerType,
  natGatewayType,
  reservedIpType,
  reservedIpv6Type,
  tagType,
  vpcType,
]);

/**
 * True if an unknown address in an input is a host's address or a private range, because everything that the input
 * refers to has only such addresses. At the registration the references are unknown, so the answer waits for the whole
 * stack: in a preview that is before any change, and in an update the address is known at the registration.
 */
export function takesNarrowAddress(resource: JudgedResource, input: string): boolean {
  if (!resource.isInStack) return true;
  const references = resource.references(input);
  return references.length > 0 && references.every(({ type }) => narrowSources.has(type));
}

/** The problem with an address that should be a narrow network; undefined if there is none. */
export function openAddress(address: Field<string>, end = "source"): string | undefined {
  if (address.state !== "known") return `a ${end} is unknown: the value ${describeState(address)}`;
  const prefix = parsePrefix(address.value);
  if (prefix === undefined) return `a ${end} is neither an address nor a network`;
  if (!isWideOpen(prefix)) return undefined;
  return prefix.length === 0
    ? `a ${end} is ${address.value.trim()}, the whole internet`
    : `a ${end} is a public network as wide as /${prefix.length}`;
}
