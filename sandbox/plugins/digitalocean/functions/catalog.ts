/** Functions that look up DigitalOcean's catalogue: regions, sizes, images. */
import {
  boolean,
  computed,
  integer,
  number,
  optional,
  optionalComputed,
  required,
  set,
  string,
} from "../../provider/fields";
import type { FunctionType } from "../../provider/resource";
import { notEmpty, oneOf } from "../../provider/validators";
import type { PropertyMap } from "../../provider/values";
import type { Client } from "../client";
import { text } from "../inputs";
import { listFunction } from "./lists";

interface ApiRegion {
  readonly slug: string;
  readonly name: string;
  readonly sizes: readonly string[];
  readonly features: readonly string[];
  readonly available: boolean;
}

const region = {
  slug: computed(string),
  name: computed(string),
  sizes: computed(set(string)),
  features: computed(set(string)),
  available: computed(boolean),
};

function regionState({ slug, name, sizes, features, available }: ApiRegion): PropertyMap {
  return { slug, name, sizes: [...sizes], features: [...features], available };
}

export const getRegion: FunctionType<Client> = {
  name: "getRegion",
  inputs: { slug: required(string, { validate: [notEmpty] }) },
  outputs: { ...region, id: computed(string) },
  async call({ client }, inputs) {
    const slug = text(inputs, "slug");
    const regions = await client.all<ApiRegion>("/v2/regions", "regions");
    const found = regions.find((candidate) => candidate.slug === slug);
    if (found === undefined) {
      const known = regions
        .map((candidate) => candidate.slug)
        .sort()
        .join(", ");
      throw new Error(`region "${slug}" does not exist. Known regions: ${known}`);
    }
    return { ...regionState(found), id: slug };
  },
};

export const getRegions = listFunction({
  name: "getRegions",
  output: "regions",
  item: "Region",
  fields: region,
  keys: Object.keys(region),
  records: async (client) => (await client.all<ApiRegion>("/v2/regions", "regions")).map(regionState),
});

interface ApiSize {
  readonly slug: string;
  readonly available: boolean;
  readonly transfer: number;
  readonly price_monthly: number;
  readonly price_hourly: number;
  readonly memory: number;
  readonly vcpus: number;
  readonly disk: number;
  readonly regions: readonly string[];
}

const size = {
  slug: computed(string),
  available: computed(boolean),
  transfer: computed(number),
  priceMonthly: computed(number),
  priceHourly: computed(number),
  memory: computed(integer),
  vcpus: computed(integer),
  disk: computed(integer),
  regions: computed(set(string)),
};
const sizeKeys = [
  ...["slug", "regions", "memory", "vcpus", "disk", "transfer"],
  ...["price_monthly", "price_hourly", "available"],
];

export const getSizes = listFunction({
  name: "getSizes",
  output: "sizes",
  item: "Size",
  fields: size,
  keys: sizeKeys,
  records: async (client) =>
    (await client.all<ApiSize>("/v2/sizes", "sizes")).map((found) => ({
      slug: found.slug,
      available: found.available,
      transfer: found.transfer,
      priceMonthly: found.price_monthly,
      priceHourly: found.price_hourly,
      memory: found.memory,
      vcpus: found.vcpus,
      disk: found.disk,
      regions: [...found.regions],
    })),
});

interface ApiImage {
  readonly id: number;
  readonly name: string;
  readonly type: string;
  readonly distribution: string;
  readonly slug?: string | null;
  readonly public: boolean;
  readonly regions: readonly string[];
  readonly min_disk_size: number;
  readonly size_gigabytes?: number | null;
  readonly description?: string | null;
  readonly tags?: readonly string[] | null;
  readonly status?: string;
  readonly error_message?: string | null;
  readonly created_at?: string;
}

export const getImage: FunctionType<Client> = {
  name: "getImage",
  inputs: {
    id: optional(integer),
    name: optional(string, { validate: [notEmpty] }),
    slug: optional(string, { validate: [notEmpty] }),
    source: optional(string, { validate: [oneOf("all", "applications", "distributions", "user")] }),
  },
  outputs: {
    id: computed(integer),
    name: optionalComputed(string),
    slug: optionalComputed(string),
    source: optional(string),
    created: computed(string),
    description: computed(string),
    distribution: computed(string),
    errorMessage: computed(string),
    image: computed(string),
    minDiskSize: computed(integer),
    private: computed(boolean),
    regions: computed(set(string)),
    sizeGigabytes: computed(number),
    status: computed(string),
    tags: computed(set(string)),
    type: computed(string),
  },
  async call({ client }, inputs) {
    const found = await findImage(client, inputs);
    return {
      ...(inputs.source === undefined ? {} : { source: inputs.source }),
      id: found.id,
      name: found.name,
      slug: found.slug ?? "",
      image: found.slug || String(found.id),
      created: found.created_at ?? "",
      description: found.description ?? "",
      distribution: found.distribution,
      errorMessage: found.error_message ?? "",
      minDiskSize: found.min_disk_size,
      private: !found.public,
      regions: [...found.regions],
      sizeGigabytes: found.size_gigabytes ?? 0,
      status: found.status ?? "",
      tags: [...(found.tags ?? [])],
      type: found.type,
    };
  },
};

async function findImage(client: Client, inputs: PropertyMap): Promise<ApiImage> {
  const given = ["id", "name", "slug"].filter((key) => inputs[key] !== undefined);
  if (given.length !== 1) throw new Error("getImage: set exactly one of id, name and slug");
  const [key = ""] = given;
  const wanted = text(inputs, key);
  if (key !== "name") {
    const answer = await client.find<{ image: ApiImage }>(`/v2/images/${encodeURIComponent(wanted)}`);
    if (answer === undefined) throw new Error(`no image with the ${key} "${wanted}" found`);
    return answer.image;
  }
  const images = await client.all<ApiImage>(imageList(text(inputs, "source") || "user"), "images");
  return onlyMatch(
    images.filter((image) => image.name === wanted),
    `image named "${wanted}"`,
  );
}

/** A lookup by name searches the account's own images, unless the program sets another source. */
function imageList(source: string): string {
  if (source === "user") return "/v2/images?private=true";
  if (source === "distributions") return "/v2/images?type=distribution";
  return source === "applications" ? "/v2/images?type=application" : "/v2/images";
}

/** @throws Error unless there is exactly one; `what` names it in the message */
export function onlyMatch<T>(found: readonly T[], what: string): T {
  const [first, second] = found;
  if (first === undefined) throw new Error(`no ${what} found`);
  if (second !== undefined) throw new Error(`expected one ${what}, found ${found.length}`);
  return first;
}
