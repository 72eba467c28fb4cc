/** Addresses, prefixes and port ranges, in the notation of DigitalOcean's firewalls. */
import { isIPv4, isIPv6 } from "node:net";

export interface Prefix {
  readonly family: 4 | 6;
  readonly address: bigint;
  readonly length: number;
}

/**
 * Parses an address or a prefix; returns undefined for other text. An IPv4-mapped IPv6 prefix is returned as IPv4.
 */
export function parsePrefix(text: string): Prefix | undefined {
  const [address = "", lengthText, ...rest] = text.trim().split("/");
  if (rest.length > 0 || (lengthText !== undefined && !/^\d{1,3}$/.test(lengthText))) return undefined;
  const family = isIPv4(address) ? 4 : isIPv6(address) ? 6 : undefined;
  if (family === undefined) return undefined;
  const bits = family === 4 ? 32 : 128;
  const length = lengthText === undefined ? bits : Number(lengthText);
  if (length > bits) return undefined;
  const value = mask(family === 4 ? ipv4Value(address) : ipv6Value(address), bits, length);
  if (family === 6 && length >= 96 && value >> 32n === 0xffffn) {
    return { family: 4, address: value & 0xffff_ffffn, length: length - 96 };
  }
  return { family, address: value, length };
}

function mask(value: bigint, bits: number, length: number): bigint {
  const hostBits = BigInt(bits - length);
  return (value >> hostBits) << hostBits;
}

function ipv4Value(address: string): bigint {
  return address.split(".").reduce((value, part) => (value << 8n) | BigInt(part), 0n);
}

function ipv6Value(address: string): bigint {
  const withoutZone = address.split("%")[0] ?? address;
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(withoutZone);
  const tail = dotted === null ? undefined : ipv4Value(dotted[2] ?? "0.0.0.0");
  const hex =
    tail === undefined
      ? withoutZone
      : `${dotted?.[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`;
  const [head = "", rest] = hex.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = rest === undefined || rest === "" ? [] : rest.split(":");
  const zeros = rest === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => "0");
  return [...left, ...zeros, ...right].reduce(
    (value, part) => (value << 16n) | BigInt(`0x${part || "0"}`),
    0n,
  );
}

/** Networks that the internet cannot reach (RFC 1918, 3927, 4193, 4291, 6598 and loopback). */
const privatePrefixes = [
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "fc00::/7",
  "fe80::/10",
  "::1/128",
].flatMap((text) => parsePrefix(text) ?? []);

function contains(outer: Prefix, inner: Prefix): boolean {
  if (outer.family !== inner.family || outer.length > inner.length) return false;
  const bits = outer.family === 4 ? 32 : 128;
  return mask(inner.address, bits, outer.length) === outer.address;
}

export function isPrivate(prefix: Prefix): boolean {
  return privatePrefixes.some((network) => contains(network, prefix));
}

/**
 * True if a public prefix is so wide that it is no longer one network but a share of the internet: shorter than /16
 * (IPv4: more than 65,536 addresses) or /32 (IPv6: more than one provider's allocation).
 */
export function isWideOpen(prefix: Prefix): boolean {
  return !isPrivate(prefix) && prefix.length < (prefix.family === 4 ? 16 : 32);
}

export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** "3306", "3300-3400", "all", "0" (DigitalOcean's notation for all); undefined for other text. */
export function parsePortRange(text: string): PortRange | undefined {
  const trimmed = text.trim().toLowerCase();
  if (trimmed === "" || trimmed === "all" || trimmed === "0") return { first: 1, last: 65535 };
  const match = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(trimmed);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : Number(match[2]);
  return first <= last && last <= 65535 ? { first, last } : undefined;
}
