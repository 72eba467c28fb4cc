/** What a site costs a month. Pure. */
import type { Config } from "./config/types";
import { hostsWithRole, type Topology } from "./topology";

/** Prices by size slug, US dollars a month. */
export type MonthlyPrices = ReadonlyMap<string, number>;

/** DigitalOcean's price list, November 2026: a node of a regional load balancer, US dollars a month. */
const loadBalancerNodePrice = 12;

/** DigitalOcean's documentation, "Backups": share of the droplet's price. */
const backupShare = { daily: 0.3, weekly: 0.2 };

/** What the stack costs a month in US dollars, without traffic: droplets, their backups and the load balancer. */
export function monthlyCost(config: Config, topology: Topology, prices: MonthlyPrices): number {
  const price = (size: string) => prices.get(size) ?? 0;
  const droplets = topology.hosts.reduce((sum, { size }) => sum + price(size), 0);
  const share = config.backups.enabled ? backupShare[config.backups.plan] : 0;
  const backups = hostsWithRole(topology, "database").reduce((sum, { size }) => sum + price(size) * share, 0);
  return Math.round((droplets + backups + config.loadBalancer.sizeUnit * loadBalancerNodePrice) * 100) / 100;
}
