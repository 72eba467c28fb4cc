/**
 * Addresses of the provider. All are from ranges that are not used on the internet: RFC 5737's TEST-NET-1 is the
 * internet of the sandbox.
 */

/** The network of clients, which are outside the provider. */
export const CLIENT_NETWORK = "192.0.2.0/24";
export const CLIENT_GATEWAY = "192.0.2.1";
/** The source address of `curl` and of published ports. */
export const CLIENT_ADDRESS = "192.0.2.10";
/** The resolver of all droplets. */
export const DNS_ADDRESS = "192.0.2.53";
/** The address of Spaces for hosts. */
export const SPACES_ADDRESS = "192.0.2.54";
/** DigitalOcean's metadata address. */
export const METADATA_ADDRESS = "169.254.169.254";

/** "10.0.0.0/16" as first and last address, as numbers. Throws if it is not a range. */
export function rangeOf(cidr: string): { first: number; last: number } {
  const [address = "", prefix = ""] = cidr.split("/");
  const bits = Number(prefix);
  if (prefix === "" || !(bits >= 0 && bits <= 32))
    throw new Error(`expected an IPv4 range such as 10.0.0.0/16, got ${cidr}`);
  const size = 2 ** (32 - bits);
  const first = Math.floor(toNumber(address) / size) * size;
  return { first, last: first + size - 1 };
}

export function toNumber(address: string): number {
  const parts = address.split(".").map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) {
    throw new Error(`expected an IPv4 address, got ${address}`);
  }
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

export const toText = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");

/** 20 for "255.255.240.0". */
export const prefixLength = (netmask: string): number =>
  toNumber(netmask).toString(2).replaceAll("0", "").length;

/** The highest free address of a range. Throws if the range is full. */
export function highestFree(cidr: string, used: ReadonlySet<string>): string {
  const { first, last } = rangeOf(cidr);
  for (let address = last - 1; address > first + 1; address--) {
    if (!used.has(toText(address))) return toText(address);
  }
  throw new Error(`the network ${cidr} has no free address`);
}
