/** Asks DigitalOcean's API for the regions, sizes and images that it offers, before anything is created. */
import * as digitalocean from "@pulumi/digitalocean";
import type * as pulumi from "@pulumi/pulumi";
import { ConfigError } from "./config/configError";
import { projectName } from "./config/table";
import type { Config } from "./config/types";
import type { MonthlyPrices } from "./monthlyCost";
import type { Topology } from "./topology";

/**
 * Checks region, sizes and image against the account's offers.
 *
 * @returns the monthly price of each size in the topology
 * @throws ConfigError that lists each setting that is not on offer
 */
export async function checkOffers(
  config: Config,
  topology: Topology,
  options: pulumi.InvokeOptions,
): Promise<MonthlyPrices> {
  const [{ regions }, { sizes }, image] = await Promise.all([
    digitalocean.getRegions({}, options),
    digitalocean.getSizes({}, options),
    findImage(config.image, options),
  ]);
  const problems: string[] = [];
  const region = regions.find(({ slug }) => slug === config.region);
  if (!region?.available) {
    const available = regions.filter((other) => other.available).map(({ slug }) => slug);
    problems.push(
      `${projectName}:region: expected one of ${available.sort().join(", ")}, got ${config.region}`,
    );
  }
  if (image === undefined) {
    problems.push(
      `${projectName}:image: expected the slug of an image of DigitalOcean or of the account, such as ubuntu-26-04-x64, got ${config.image}`,
    );
  } else if (region?.available && !image.regions.includes(config.region)) {
    problems.push(`${projectName}:image: ${config.image} is not available in ${config.region}`);
  }
  const prices = new Map<string, number>();
  for (const tier of ["web", "database"] as const) {
    const wanted = config[tier].size;
    const used = topology.hosts.some((host) => host.size === wanted);
    if (!used) continue;
    const size = sizes.find(({ slug }) => slug === wanted);
    if (size?.available && size.regions.includes(config.region)) {
      prices.set(size.slug, size.priceMonthly);
    } else if (region?.available) {
      const offered = sizes.filter((other) => other.available && other.regions.includes(config.region));
      const cheapest = offered.sort((a, b) => a.priceMonthly - b.priceMonthly).slice(0, 8);
      problems.push(
        `${projectName}:${tier}.size: expected a size that ${config.region} offers (such as ${cheapest.map(({ slug }) => slug).join(", ")}), got ${wanted}`,
      );
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return prices;
}

/**
 * The image with a slug; undefined if it does not exist. Throws for other errors (API unreachable, permission
 * denied).
 */
async function findImage(slug: string, options: pulumi.InvokeOptions) {
  try {
    return await digitalocean.getImage({ slug }, options);
  } catch (error) {
    if (/not\s?found|404|no image|could not be found/i.test(String(error))) return undefined;
    throw error;
  }
}
