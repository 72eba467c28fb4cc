/** A droplet size, in DigitalOcean's own units: memory in MiB, disk in GiB, transfer in TiB a month, US dollars. */
export interface Size {
  readonly slug: string;
  readonly description: string;
  readonly vcpus: number;
  readonly memory: number;
  readonly disk: number;
  readonly transfer: number;
  readonly price_monthly: number;
}

/**
 * slug, vCPUs, memory GiB, disk GiB, transfer TiB, US dollars a month.
 * Source: DigitalOcean's public price list (Droplets: Basic, CPU-Optimized, General Purpose, Memory-Optimized).
 */
const CATALOGUE: Readonly<Record<string, readonly [string, number, number, number, number, number][]>> = {
  Basic: [
    ["s-1vcpu-512mb-10gb", 1, 0.5, 10, 0.5, 4],
    ["s-1vcpu-1gb", 1, 1, 25, 1, 6],
    ["s-1vcpu-2gb", 1, 2, 50, 2, 12],
    ["s-2vcpu-2gb", 2, 2, 60, 3, 18],
    ["s-2vcpu-4gb", 2, 4, 80, 4, 24],
    ["s-4vcpu-8gb", 4, 8, 160, 5, 48],
    ["s-8vcpu-16gb", 8, 16, 320, 6, 96],
  ],
  "Premium AMD": [
    ["s-1vcpu-1gb-amd", 1, 1, 25, 1, 7],
    ["s-1vcpu-2gb-amd", 1, 2, 50, 2, 14],
    ["s-2vcpu-2gb-amd", 2, 2, 60, 3, 21],
    ["s-2vcpu-4gb-amd", 2, 4, 80, 4, 28],
    ["s-2vcpu-8gb-amd", 2, 8, 100, 5, 42],
    ["s-4vcpu-8gb-amd", 4, 8, 160, 5, 56],
    ["s-4vcpu-16gb-amd", 4, 16, 200, 8, 84],
    ["s-8vcpu-16gb-amd", 8, 16, 320, 6, 112],
    ["s-8vcpu-32gb-amd", 8, 32, 400, 10, 168],
  ],
  "Premium Intel": [
    ["s-1vcpu-1gb-intel", 1, 1, 25, 1, 7],
    ["s-1vcpu-2gb-intel", 1, 2, 50, 2, 14],
    ["s-2vcpu-2gb-intel", 2, 2, 60, 3, 21],
    ["s-2vcpu-4gb-intel", 2, 4, 80, 4, 28],
    ["s-2vcpu-8gb-160gb-intel", 2, 8, 160, 5, 48],
    ["s-4vcpu-8gb-intel", 4, 8, 160, 5, 56],
    ["s-4vcpu-16gb-320gb-intel", 4, 16, 320, 8, 96],
    ["s-8vcpu-16gb-intel", 8, 16, 320, 6, 112],
    ["s-8vcpu-32gb-640gb-intel", 8, 32, 640, 10, 192],
  ],
  "CPU-Optimized": [
    ["c-2", 2, 4, 25, 4, 42],
    ["c-4", 4, 8, 50, 5, 84],
    ["c-8", 8, 16, 100, 6, 168],
    ["c-16", 16, 32, 200, 7, 336],
    ["c-32", 32, 64, 400, 9, 672],
  ],
  "CPU-Optimized 2x SSD": [
    ["c2-2vcpu-4gb", 2, 4, 50, 4, 47],
    ["c2-4vcpu-8gb", 4, 8, 100, 5, 94],
    ["c2-8vcpu-16gb", 8, 16, 200, 6, 188],
    ["c2-16vcpu-32gb", 16, 32, 400, 7, 376],
    ["c2-32vcpu-64gb", 32, 64, 800, 9, 752],
  ],
  "General Purpose": [
    ["g-2vcpu-8gb", 2, 8, 25, 4, 63],
    ["g-4vcpu-16gb", 4, 16, 50, 5, 126],
    ["g-8vcpu-32gb", 8, 32, 100, 6, 252],
    ["g-16vcpu-64gb", 16, 64, 200, 7, 504],
    ["g-32vcpu-128gb", 32, 128, 400, 8, 1008],
    ["g-40vcpu-160gb", 40, 160, 500, 9, 1260],
  ],
  "General Purpose 2x SSD": [
    ["gd-2vcpu-8gb", 2, 8, 50, 4, 68],
    ["gd-4vcpu-16gb", 4, 16, 100, 5, 136],
    ["gd-8vcpu-32gb", 8, 32, 200, 6, 272],
    ["gd-16vcpu-64gb", 16, 64, 400, 7, 544],
  ],
  "Memory-Optimized": [
    ["m-2vcpu-16gb", 2, 16, 50, 4, 84],
    ["m-4vcpu-32gb", 4, 32, 100, 6, 168],
    ["m-8vcpu-64gb", 8, 64, 200, 7, 336],
    ["m-16vcpu-128gb", 16, 128, 400, 8, 672],
    ["m-24vcpu-192gb", 24, 192, 600, 9, 1008],
    ["m-32vcpu-256gb", 32, 256, 800, 10, 1344],
  ],
};

export const SIZES: readonly Size[] = Object.entries(CATALOGUE).flatMap(([description, rows]) =>
  rows.map(([slug, vcpus, memoryGib, disk, transfer, price_monthly]) => ({
    slug,
    description,
    vcpus,
    memory: memoryGib * 1024,
    disk,
    transfer,
    price_monthly,
  })),
);

export const findSize = (slug: string): Size | undefined => SIZES.find((size) => size.slug === slug);

/** DigitalOcean caps a month at 28 days of 24 hours, so the hour is a 672nd of the month. */
export const hourlyPrice = (size: Size): number => Math.round((size.price_monthly / 672) * 1e5) / 1e5;

/** The size in the API's format; `regions` are those in which it is available. */
export function sizeObject(size: Size, regions: readonly string[]): object {
  return {
    slug: size.slug,
    memory: size.memory,
    vcpus: size.vcpus,
    disk: size.disk,
    transfer: size.transfer,
    price_monthly: size.price_monthly,
    price_hourly: hourlyPrice(size),
    regions,
    available: true,
    description: size.description,
    disk_info: [{ type: "local", size: { amount: size.disk, unit: "gib" } }],
  };
}
