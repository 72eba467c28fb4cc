import { SIZES } from "./sizes";

export interface Region {
  readonly slug: string;
  readonly name: string;
  /** False: existing resources stay, but nothing new can be created (DigitalOcean's NYC2). */
  readonly available: boolean;
}

/**
 * Source: DigitalOcean's regional availability page: NYC2, SFO1 and SFO2 are closed to new resources of new accounts.
 * ATL1 is left out, because the OpenAPI description lacks it in its lists of regions (images, volumes).
 */
export const REGIONS: readonly Region[] = [
  { slug: "nyc1", name: "New York 1", available: true },
  { slug: "nyc2", name: "New York 2", available: false },
  { slug: "nyc3", name: "New York 3", available: true },
  { slug: "ams3", name: "Amsterdam 3", available: true },
  { slug: "sfo1", name: "San Francisco 1", available: false },
  { slug: "sfo2", name: "San Francisco 2", available: false },
  { slug: "sfo3", name: "San Francisco 3", available: true },
  { slug: "sgp1", name: "Singapore 1", available: true },
  { slug: "lon1", name: "London 1", available: true },
  { slug: "fra1", name: "Frankfurt 1", available: true },
  { slug: "tor1", name: "Toronto 1", available: true },
  { slug: "blr1", name: "Bangalore 1", available: true },
  { slug: "syd1", name: "Sydney 1", available: true },
];

const FEATURES = ["backups", "ipv6", "metadata", "install_agent", "storage", "image_transfer"];

export const findRegion = (slug: string): Region | undefined =>
  REGIONS.find((region) => region.slug === slug);

/** The slugs of the sizes available in a region: all of them, or none if nothing new can be created. */
export const sizesOf = (region: Region): string[] => (region.available ? SIZES.map(({ slug }) => slug) : []);

/** The region in the format for other objects. Throws for a slug that is not in the catalogue. */
export function regionObject(slug: string): object {
  const region = findRegion(slug);
  if (!region) throw new Error(`no region ${slug} in the catalogue`);
  return {
    name: region.name,
    slug: region.slug,
    features: region.available ? FEATURES : [],
    available: region.available,
    sizes: sizesOf(region),
  };
}

/** The slugs of the regions in which new resources can be created. */
export const OPEN_REGIONS: readonly string[] = REGIONS.filter(({ available }) => available).map(
  ({ slug }) => slug,
);
