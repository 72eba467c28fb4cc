/**
 * DigitalOcean's list prices in US dollars a month, without tax and traffic. A policy cannot ask the API. As of
 * 2026-11-21; source: digitalocean.com/pricing/droplets, /load-balancers, /block-storage, /spaces-object-storage, and
 * docs.digitalocean.com/products/backups/details/pricing.
 */
export const pricesDate = "2026-11-21";

/** Droplets and Kubernetes nodes, by size. */
export const dropletPrices: ReadonlyMap<string, number> = new Map(
  Object.entries({
    "s-1vcpu-512mb-10gb": 4,
    "s-1vcpu-1gb": 6,
    "s-1vcpu-2gb": 12,
    "s-2vcpu-2gb": 18,
    "s-2vcpu-4gb": 24,
    "s-4vcpu-8gb": 48,
    "s-8vcpu-16gb": 96,
    "s-1vcpu-1gb-amd": 7,
    "s-1vcpu-2gb-amd": 14,
    "s-2vcpu-2gb-amd": 21,
    "s-2vcpu-4gb-amd": 28,
    "s-2vcpu-8gb-amd": 42,
    "s-4vcpu-8gb-amd": 56,
    "s-4vcpu-16gb-amd": 84,
    "s-8vcpu-16gb-amd": 112,
    "s-8vcpu-32gb-amd": 168,
    "s-1vcpu-1gb-intel": 7,
    "s-1vcpu-2gb-intel": 14,
    "s-2vcpu-2gb-intel": 21,
    "s-2vcpu-4gb-intel": 28,
    "s-4vcpu-8gb-intel": 56,
    "s-8vcpu-16gb-intel": 112,
    "c-2": 42,
    "c-4": 84,
    "c-8": 168,
    "c-16": 336,
    "c-32": 672,
    "g-2vcpu-8gb": 63,
    "g-4vcpu-16gb": 126,
    "g-8vcpu-32gb": 252,
    "g-16vcpu-64gb": 504,
    "m-2vcpu-16gb": 84,
    "m-4vcpu-32gb": 168,
    "m-8vcpu-64gb": 336,
    "m-16vcpu-128gb": 672,
  }),
);

/** A node of a regional load balancer. */
export const loadBalancerNodePrice = 12;

/** A GiB of a volume. */
export const volumeGibPrice = 0.1;

/** The subscription that all buckets of an account share, including 250 GiB. */
export const spacesPrice = 5;

/** Cost of backups as a share of the droplet's price. */
export const backupShares: ReadonlyMap<string, number> = new Map([
  ["weekly", 0.2],
  ["daily", 0.3],
]);
