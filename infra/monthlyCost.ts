/** The monthly cost of a site. Pure. */
import type { Config } from "./config/types";
import { hostsWithRole, type Topology } from "./topology";

/** Monthly prices by size slug, in US dollars. */
export type MonthlyPrices = ReadonlyMap<string, number>;

/** Monthly price of a node of a regional load balancer, in US dollars (DigitalOcean's price list, November 2026). */
const loadBalancerNodePrice = 12;

/** Cost of backups as a share of the droplet's price (DigitalOcean's documentation, "Backups"). */
const backupShare = { daily: 0.3, weekly: 0.2 };

/** Monthly cost of the stack in US dollars, without traffic: droplets, their backups and the load balancer. */
export function monthlyCost(config: Config, topology: Topology, prices: MonthlyPrices): number {
  const price = (size: string) => prices.get(size) ?? 0;
  const droplets = topology.hosts.reduce((sum, { size }) => sum + price(size), 0);
  const share = config.backups.enabled ? backupShare[config.backups.plan] : 0;
  const backups = hostsWithRole(topology, "database").reduce((sum, { size }) => sum + price(size) * share, 0);
  return Math.round((droplets + backups + config.loadBalancer.sizeUnit * loadBalancerNodePrice) * 100) / 100;
}
