/** The monthly cost of a site. Pure. */
import type { Config } from "./config/types";
import type { Topology } from "./topology";

/** Monthly prices by size slug, in US dollars. */
export type MonthlyPrices = ReadonlyMap<string, number>;

/** Monthly price of a node of a regional load balancer, in US dollars (DigitalOcean's price list, November 2026). */
const loadBalancerNodePrice = 12;

/**
 * Monthly price of Spaces in US dollars, including 250 GiB (DigitalOcean's price list, November 2026). All buckets of
 * an account share one subscription, so an account with several stacks pays it once.
 */
const spacesPrice = 5;

/** Monthly price of a GiB of a volume in US dollars (DigitalOcean's price list, November 2026). */
const volumePrice = 0.1;

/** Cost of backups as a share of the droplet's price (DigitalOcean's documentation, "Backups"). */
const backupShare = { daily: 0.3, weekly: 0.2 };

/**
 * Monthly cost of the stack in US dollars, without traffic: droplets, their backups and volumes, the load
 * balancer and the subscription of Spaces. Undefined if a size has no price.
 */
export function monthlyCost(config: Config, topology: Topology, prices: MonthlyPrices): number | undefined {
  const share = config.backups.enabled ? backupShare[config.backups.plan] : 0;
  const { storage, volumeGib } = config.database;
  const volume = storage === "volume" ? volumeGib * volumePrice : 0;
  let sum = config.loadBalancer.sizeUnit * loadBalancerNodePrice + spacesPrice;
  for (const { size, roles } of topology.hosts) {
    const price = prices.get(size);
    if (price === undefined) return undefined;
    sum += roles.includes("database") ? price * (1 + share) + volume : price;
  }
  return Math.round(sum * 100) / 100;
}
