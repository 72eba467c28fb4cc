import { z } from "zod";
import { actionObject } from "../core/actions";
import { type Api, optionally, type ResourceSummary } from "../core/api";
import { timestamp } from "../core/clock";
import { forbidden, notFound, unprocessable } from "../core/errors";
import { type ApiRequest, accepted, created, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import { OPEN_REGIONS } from "../core/regions";
import type { Store, Table } from "../core/store";
import { ensureTags, hasTag } from "../core/tags";
import { oneOf, optional, parseBody, parseQuery, regionSlug, tags, text } from "../core/validation";

/** An image: from the catalogue (public), or the account's own (snapshot, backup, custom). */
export interface ImageRecord {
  readonly id: number;
  readonly name: string;
  readonly type: "base" | "snapshot" | "backup" | "custom";
  readonly distribution: string;
  readonly slug: string | null;
  readonly public: boolean;
  /** null: in every region. */
  readonly regions: readonly string[] | null;
  readonly created_at: string;
  readonly min_disk_size: number;
  readonly size_gigabytes: number;
  readonly description: string;
  readonly tags: readonly string[];
  readonly status: "NEW" | "available" | "pending" | "deleted" | "retired";
  readonly error_message: string;
  /** The droplet of a snapshot or backup. */
  readonly droplet_id: number | null;
}

const DISTRIBUTIONS = [
  "Arch Linux",
  "CentOS",
  "CoreOS",
  "Debian",
  "Fedora",
  "Fedora Atomic",
  "FreeBSD",
  "Gentoo",
  "openSUSE",
  "RancherOS",
  "Rocky Linux",
  "Ubuntu",
  "Unknown",
] as const;

/** slug, distribution, name, GiB. Slugs and names are DigitalOcean's; ids are the sandbox's own. */
const CATALOGUE: readonly (readonly [string, string, string, number])[] = [
  ["ubuntu-22-04-x64", "Ubuntu", "22.04 (LTS) x64", 0.69],
  ["ubuntu-24-04-x64", "Ubuntu", "24.04 (LTS) x64", 0.71],
  ["ubuntu-25-10-x64", "Ubuntu", "25.10 x64", 0.74],
  ["ubuntu-26-04-x64", "Ubuntu", "26.04 (LTS) x64", 0.76],
  ["debian-11-x64", "Debian", "11 x64", 0.53],
  ["debian-12-x64", "Debian", "12 x64", 0.55],
  ["debian-13-x64", "Debian", "13 x64", 0.57],
  ["fedora-42-x64", "Fedora", "42 x64", 0.6],
  ["fedora-43-x64", "Fedora", "43 x64", 0.62],
  ["centos-stream-9-x64", "CentOS", "9 Stream x64", 0.8],
  ["centos-stream-10-x64", "CentOS", "10 Stream x64", 0.82],
  ["rockylinux-9-x64", "Rocky Linux", "9 x64", 0.74],
  ["rockylinux-10-x64", "Rocky Linux", "10 x64", 0.76],
];

const BASE_IMAGES: readonly ImageRecord[] = CATALOGUE.map(
  ([slug, distribution, name, size_gigabytes], index) => ({
    id: 155_133_000 + index,
    name,
    // Not "base": DigitalOcean's own distribution images say "snapshot" (API reference, List All Images).
    type: "snapshot",
    distribution,
    slug,
    public: true,
    regions: null,
    created_at: "2026-05-04T12:00:00Z",
    min_disk_size: 7,
    size_gigabytes,
    description: `${distribution} ${name}`,
    tags: [],
    status: "available",
    error_message: "",
    droplet_id: null,
  }),
);

export const imageTable = (store: Store): Table<ImageRecord> => store.table<ImageRecord>("images");

/** The image with that id or slug, from the catalogue or the account. */
export function findImage(store: Store, idOrSlug: number | string): ImageRecord | undefined {
  const base = BASE_IMAGES.find(({ id, slug }) => slug === idOrSlug || String(id) === String(idOrSlug));
  return base ?? imageTable(store).get(idOrSlug);
}

export const nextImageId = (store: Store): number => store.nextId("image", 190_000_001);

/** Adds one of the account's own images. */
export function addImage(
  store: Store,
  id: number,
  image: Omit<ImageRecord, "id" | "slug" | "public" | "created_at">,
): ImageRecord {
  return imageTable(store).put(id, { id, slug: null, public: false, created_at: timestamp(), ...image });
}

export const isInRegion = (image: ImageRecord, region: string): boolean =>
  image.regions?.includes(region) ?? true;

/** The image in the API's format. */
export function imageObject({ droplet_id: _hidden, regions, ...image }: ImageRecord): object {
  return { ...image, regions: regions ?? OPEN_REGIONS };
}

const distribution = z.enum(DISTRIBUTIONS, { error: `must be one of ${DISTRIBUTIONS.join(", ")}` });
const createBody = z.object({
  name: text(),
  url: z.string().regex(/^(https?|ftp):\/\/\S+$/, "must be an http, https or ftp address"),
  region: regionSlug,
  distribution: optional(distribution),
  description: optional(z.string()),
  tags,
});
const updateBody = z.object({
  name: text().optional(),
  distribution: distribution.optional(),
  description: z.string().optional(),
});
const listQuery = z.object({
  type: oneOf("application", "distribution").optional(),
  private: oneOf("true", "false").optional(),
  tag_name: text().optional(),
});
const actionBody = z.object({
  type: z.enum(["convert", "transfer"], { error: "must be convert or transfer" }),
  region: regionSlug.optional(),
});

/** `/v2/images`: the images of the catalogue and of the account, and actions on the account's. */
export function registerImages(api: Api): void {
  const own = imageTable(api.store);

  api.addKind({
    urnType: "image",
    list: () => own.values().map(summary),
    find: (id) => optionally(own.get(id), summary),
    taggable: {
      resourceType: "image",
      setTags: (id, names) => {
        const image = own.get(id);
        if (image) own.put(id, { ...image, tags: [...names] });
      },
    },
  });

  api.get("/v2/images", (request) => page(request, "images", matching(request, own.values()), imageObject));
  api.post("/v2/images", (request) => {
    const image = importImage(api, parseBody(createBody, request.body));
    return accepted({ image: imageObject(image) });
  });
  api.get("/v2/images/:image", (request) => {
    const image = findImage(api.store, param(request, "image"));
    if (!image) throw notFound();
    return ok({ image: imageObject(image) });
  });
  api.put("/v2/images/:image", (request) => {
    const image = ownImage(api.store, request);
    const { name, distribution, description } = parseBody(updateBody, request.body);
    const updated = own.put(image.id, {
      ...image,
      name: name ?? image.name,
      distribution: distribution ?? image.distribution,
      description: description ?? image.description,
    });
    return ok({ image: imageObject(updated) });
  });
  api.delete("/v2/images/:image", (request) => {
    deleteImage(api, ownImage(api.store, request));
    return noContent();
  });
  registerImageActions(api);
}

/**
 * Removes one of the account's own images, even during its import. Droplets that were created from it stay. Throws 422
 * while the image is transferred or converted.
 */
export function deleteImage(api: Api, image: ImageRecord): void {
  if (image.status === "NEW") api.actions.abandon("image", image.id);
  refusePending(api, image);
  imageTable(api.store).delete(image.id);
  api.deleted("image", image.id);
}

function registerImageActions(api: Api): void {
  const own = imageTable(api.store);
  api.actions.define("image", {
    complete: ({ resource_id, type, parameters }) => {
      const image = own.get(resource_id);
      if (!image) return;
      if (type === "create")
        own.put(image.id, { ...image, status: "available", size_gigabytes: 2.5, min_disk_size: 7 });
      if (type === "convert") own.put(image.id, { ...image, type: "snapshot" });
      if (type === "transfer") {
        own.put(image.id, { ...image, regions: [...(image.regions ?? []), String(parameters.region)] });
      }
    },
  });
  const ofImage = (image: ImageRecord) => (action: { resource_type: string; resource_id: number | string }) =>
    action.resource_type === "image" && action.resource_id === image.id;

  api.get("/v2/images/:image/actions", (request) => {
    const image = ownImage(api.store, request);
    return page(request, "actions", api.actions.list(ofImage(image)), actionObject);
  });
  api.get("/v2/images/:image/actions/:action", (request) => {
    const image = ownImage(api.store, request);
    const action = api.actions.get(param(request, "action"), ofImage(image));
    // The description has the action's fields at the top, and DigitalOcean's own client reads `action`, so the answer
    // has both.
    return ok({ ...actionObject(action), action: actionObject(action) });
  });
  api.post("/v2/images/:image/actions", (request) => {
    const image = ownImage(api.store, request);
    const { type, region } = parseBody(actionBody, request.body);
    refusePending(api, image);
    if (type === "convert" && image.type !== "backup")
      throw unprocessable("type: only a backup can be converted");
    if (type === "transfer" && region === undefined) throw unprocessable("region is required");
    if (region !== undefined && isInRegion(image, region)) {
      throw unprocessable(`region: the image is in ${region} already`);
    }
    const action = api.actions.start({
      type,
      resource_type: "image",
      resource_id: image.id,
      region_slug: region ?? image.regions?.[0] ?? null,
      parameters: { region },
    });
    return created({ ...actionObject(action), action: actionObject(action) });
  });
}

function refusePending(api: Api, image: ImageRecord): void {
  if (api.actions.inProgress("image", image.id)) throw unprocessable("Image already has a pending event.");
}

/** Throws 404 for an unknown image, and 403 for an image of the catalogue, which no account can change. */
function ownImage(store: Store, request: ApiRequest): ImageRecord {
  const image = findImage(store, param(request, "image"));
  if (!image) throw notFound();
  if (image.public) throw forbidden("You do not have access for the attempted action.");
  return image;
}

function importImage(api: Api, body: z.output<typeof createBody>): ImageRecord {
  const image = addImage(api.store, nextImageId(api.store), {
    name: body.name,
    type: "custom",
    distribution: body.distribution ?? "Unknown",
    regions: [body.region],
    min_disk_size: 0,
    size_gigabytes: 0,
    description: body.description ?? "",
    tags: ensureTags(api.store, body.tags),
    status: "NEW",
    error_message: "",
    droplet_id: null,
  });
  api.actions.start({
    type: "create",
    resource_type: "image",
    resource_id: image.id,
    region_slug: body.region,
  });
  return image;
}

function matching(request: ApiRequest, own: readonly ImageRecord[]): readonly ImageRecord[] {
  const { type, tag_name, private: isPrivate } = parseQuery(listQuery, request);
  if (tag_name !== undefined) return own.filter((image) => hasTag(image.tags, tag_name));
  if (isPrivate === "true") return own;
  if (type === "application") return []; // the catalogue has no 1-Click images
  return type === "distribution" ? BASE_IMAGES : [...BASE_IMAGES, ...own];
}

const summary = ({ id, name, created_at, tags }: ImageRecord): ResourceSummary => ({
  id: String(id),
  name,
  created_at,
  tags,
});
