import { type Cidr, cidr, formatCidr } from "./ipv4";
import { REGIONS } from "./regions";

/*
 * No address of the sandbox may look like, or reach, a real address on the internet. RFC 5737 reserves three /24 for
 * documentation. They are too small for a thousand droplets, so droplets use RFC 2544's range for benchmarks.
 */

/** RFC 5737, TEST-NET-2: reserved IPs. */
export const RESERVED_IP_RANGE = cidr("198.51.100.0/24");
/** RFC 5737, TEST-NET-3: load balancers. */
export const LOAD_BALANCER_RANGE = cidr("203.0.113.0/24");

const BENCHMARK_RANGE = cidr("198.18.0.0/15");

/** A /20 for each region (4,093 droplets), the size of DigitalOcean's networks for droplets. */
export function publicRange(region: string): Cidr {
  const index = REGIONS.findIndex(({ slug }) => slug === region);
  if (index < 0) throw new Error(`no region ${region} in the catalogue`);
  const first = BENCHMARK_RANGE.first + index * 4096;
  return cidr(formatCidr({ first, last: first + 4095, prefix: 20 }));
}

/**
 * A droplet's public IPv6 address, in RFC 3849's range for documentation: the region's index, then the droplet's id.
 */
export function publicIpv6(region: string, dropletId: number): { ip_address: string; gateway: string } {
  const index = REGIONS.findIndex(({ slug }) => slug === region);
  const prefix = `2001:db8:${index.toString(16)}:`;
  const [high, low] = [Math.floor(dropletId / 65_536), dropletId % 65_536];
  return { ip_address: `${prefix}:${high.toString(16)}:${low.toString(16)}`, gateway: `${prefix}:1` };
}
