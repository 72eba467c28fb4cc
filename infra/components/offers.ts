/** Asks DigitalOcean's API for the regions, sizes and images that it offers. */
import * as digitalocean from "@pulumi/digitalocean";
import type * as pulumi from "@pulumi/pulumi";
import { bufferPoolProblem } from "../config/capacity";
import { projectName, spacesRegions } from "../config/table";
import type { Config } from "../config/types";
import { isNotFound } from "../lookups";
import type { MonthlyPrices } from "../monthlyCost";
import { refusalHook } from "./refusalHook";

/** The tier whose settings determine the size of a host. In the converged topology every host is a database host. */
export type Tier = "web" | "database";

/**
 * Checks, before a host of a tier is created or replaced, that DigitalOcean offers its region, image and size. It does
 * not run for hosts that exist, so an image or a size that DigitalOcean retires does not block other updates.
 */
export function offeredHook(
  name: string,
  config: Config,
  tier: Tier,
  { parent }: pulumi.ComponentResourceOptions,
): pulumi.ResourceHook {
  let problems: Promise<string[]> | undefined;
  return refusalHook(`${name}-${tier}-host-is-offered`, async () => {
    problems ??= offerProblems(config, tier, parent === undefined ? {} : { parent });
    const found = await problems;
    if (found.length > 0) throw new Error(found.join("\n"));
  });
}

/**
 * Checks region, image and the size of a tier against the account's offers.
 *
 * @returns the problems, each with its setting; empty if a host can be created
 */
export async function offerProblems(
  config: Config,
  tier: Tier,
  options: pulumi.InvokeOptions,
): Promise<string[]> {
  const [{ regions }, { sizes }, image] = await Promise.all([
    digitalocean.getRegions({}, options),
    digitalocean.getSizes({}, options),
    findImage(config.image, options),
  ]);
  const problems: string[] = [];
  const region = regions.find(({ slug }) => slug === config.region);
  if (!region?.available) {
    const usable = regions
      .filter(({ slug, available }) => available && spacesRegions.includes(slug))
      .map(({ slug }) => slug);
    problems.push(`${projectName}:region: expected one of ${usable.sort().join(", ")}, got ${config.region}`);
  }
  if (image === undefined) {
    problems.push(
      `${projectName}:image: expected the slug of an image of DigitalOcean or of the account, such as ubuntu-26-04-x64, got ${config.image}`,
    );
  } else if (region?.available && !image.regions.includes(config.region)) {
    problems.push(`${projectName}:image: ${config.image} is not available in ${config.region}`);
  }
  const wanted = config[tier].size;
  const size = sizes.find(({ slug }) => slug === wanted);
  if (region?.available && !(size?.available && size.regions.includes(config.region))) {
    const offered = sizes.filter((other) => other.available && other.regions.includes(config.region));
    const cheapest = offered.sort((a, b) => a.priceMonthly - b.priceMonthly).slice(0, 8);
    problems.push(
      `${projectName}:${tier}.size: expected a size that ${config.region} offers (such as ${cheapest.map(({ slug }) => slug).join(", ")}), got ${wanted}`,
    );
  }
  const pool = tier === "database" && size ? bufferPoolProblem(config, size.memory) : undefined;
  if (pool !== undefined) problems.push(pool);
  return problems;
}

/** The monthly prices of all listed sizes. A size that DigitalOcean no longer lists has none. */
export async function listedPrices(options: pulumi.InvokeOptions): Promise<MonthlyPrices> {
  const { sizes } = await digitalocean.getSizes({}, options);
  return new Map(sizes.map(({ slug, priceMonthly }) => [slug, priceMonthly]));
}

/**
 * The image with a slug; undefined if it does not exist. Throws for other errors (API unreachable, permission
 * denied).
 */
async function findImage(slug: string, options: pulumi.InvokeOptions) {
  try {
    return await digitalocean.getImage({ slug }, options);
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}
