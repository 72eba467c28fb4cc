/** Formats of texts in settings: domain names, CIDRs, PEM blocks. */
import { isIP } from "node:net";

/** A domain name of two labels or more, in lower case (RFC 1035 section 2.3.1, 253 characters at most). */
export function isDomainName(value: string): boolean {
  const label = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
  const labels = value.split(".");
  return value.length <= 253 && labels.length >= 2 && labels.every((part) => label.test(part));
}

/** One DNS label, or "@" for the domain itself. */
export function isSubdomain(value: string): boolean {
  return value === "@" || /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(value);
}

/** An IPv4 or IPv6 network with its prefix length, for example "203.0.113.0/24". */
export function isCidr(value: string): boolean {
  const [address, prefix, ...rest] = value.split("/");
  if (address === undefined || prefix === undefined || rest.length > 0 || !/^\d{1,3}$/.test(prefix))
    return false;
  const version = isIP(address);
  return version !== 0 && Number(prefix) <= (version === 4 ? 32 : 128);
}

/** An IPv4 address as a number. */
function ipv4Number(address: string): number {
  return address.split(".").reduce((sum, octet) => sum * 256 + Number(octet), 0);
}

/** First and last address of an IPv4 CIDR as numbers. */
function ipv4Range(cidr: string): readonly [number, number] {
  const [address = "", prefix = ""] = cidr.split("/");
  const size = 2 ** (32 - Number(prefix));
  const first = Math.floor(ipv4Number(address) / size) * size;
  return [first, first + size - 1];
}

function within(inner: readonly [number, number], outer: readonly [number, number]): boolean {
  return inner[0] >= outer[0] && inner[1] <= outer[1];
}

/** RFC 1918. */
const privateNetworks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

/** Networks that DigitalOcean reserves (its documentation, "VPC limits"). */
const reservedNetworks = ["10.229.0.0/16", "10.244.0.0/16", "10.245.0.0/16", "10.246.0.0/24"];

/**
 * A private IPv4 network that DigitalOcean accepts for a VPC: /16 to /28, aligned to its prefix, and not reserved.
 */
export function isVpcRange(value: string): boolean {
  if (!isCidr(value) || isIP(value.split("/")[0] ?? "") !== 4) return false;
  const [address = "", prefix = ""] = value.split("/");
  if (Number(prefix) < 16 || Number(prefix) > 28) return false;
  const range = ipv4Range(value);
  const overlaps = (other: string) => {
    const [first, last] = ipv4Range(other);
    return range[0] <= last && first <= range[1];
  };
  return (
    ipv4Number(address) === range[0] &&
    privateNetworks.some((network) => within(range, ipv4Range(network))) &&
    !reservedNetworks.some(overlaps)
  );
}

/** A PEM block of one kind, for example "CERTIFICATE". Private keys can have a word before it ("EC PRIVATE KEY"). */
export function isPem(kind: string): (value: string) => boolean {
  const begin = new RegExp(`^-----BEGIN ([A-Z]+ )?${kind}-----`);
  return (value) => begin.test(value) && value.trimEnd().endsWith("-----");
}
