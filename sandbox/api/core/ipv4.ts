/** An IPv4 range: `first` is the network address, `last` the broadcast address, both as numbers. */
export interface Cidr {
  readonly first: number;
  readonly last: number;
  readonly prefix: number;
}

/** The address as a number; undefined if the text is not a dotted quad. */
export function parseIpv4(text: string): number | undefined {
  const parts = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)?.slice(1).map(Number);
  if (!parts || parts.some((part) => part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

export const formatIpv4 = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");

/** `10.0.0.0/16`; undefined if the text is not a range or has host bits (`10.0.0.1/16`). */
export function parseCidr(text: string): Cidr | undefined {
  const [, address = "", prefixText = ""] = /^([\d.]+)\/(\d{1,2})$/.exec(text) ?? [];
  const first = parseIpv4(address);
  const prefix = Number(prefixText);
  if (first === undefined || prefixText === "" || prefix > 32) return undefined;
  const size = 2 ** (32 - prefix);
  return first % size === 0 ? { first, last: first + size - 1, prefix } : undefined;
}

/** A range that is a constant in our own code. */
export function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (!parsed) throw new Error(`${text} is no IPv4 range`);
  return parsed;
}

export const formatCidr = (range: Cidr): string => `${formatIpv4(range.first)}/${range.prefix}`;
export const overlap = (a: Cidr, b: Cidr): boolean => a.first <= b.last && b.first <= a.last;
export const contains = (outer: Cidr, inner: Cidr): boolean =>
  outer.first <= inner.first && inner.last <= outer.last;
export const netmask = (range: Cidr): string => formatIpv4(2 ** 32 - 2 ** (32 - range.prefix));

/**
 * The lowest free address of a range. The network address, the first address (the gateway) and the broadcast address
 * are never used. Undefined if the range is full.
 */
export function lowestFree(range: Cidr, used: ReadonlySet<string>): string | undefined {
  for (let address = range.first + 2; address < range.last; address++) {
    const text = formatIpv4(address);
    if (!used.has(text)) return text;
  }
  return undefined;
}

export const gatewayOf = (range: Cidr): string => formatIpv4(range.first + 1);
