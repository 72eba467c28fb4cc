import { z } from "zod";
import type { Api, ResourceKind, ResourceSummary } from "../core/api";
import { asBadRequest, notFound, unprocessable } from "../core/errors";
import { type ApiRequest, created, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import type { Store, Table } from "../core/store";
import { ensureTags, hasTag, type TagRecord, tagTable } from "../core/tags";
import { parseBody, tagName } from "../core/validation";

/** The keys of a tag's statistics, with the `resource_type` that each counts. The sandbox has no databases. */
const COUNTED: readonly [key: string, resourceType: string][] = [
  ["droplets", "droplet"],
  ["images", "image"],
  ["volumes", "volume"],
  ["volume_snapshots", "volume_snapshot"],
  ["databases", "database"],
];

/** Where each kind's resources live, for `last_tagged_uri`. */
const PATHS: Readonly<Record<string, string>> = {
  droplet: "droplets",
  image: "images",
  volume: "volumes",
  volume_snapshot: "snapshots",
};

/** The resource that was last given the tag by a separate request. */
interface LastTagged {
  readonly resourceType: string;
  readonly id: string;
}

const lastTaggedTable = (store: Store): Table<LastTagged> => store.table<LastTagged>("tags_last_tagged");

const createBody = z.object({ name: tagName });
const resourcesBody = z.object({
  resources: z
    .array(
      z.object({
        resource_id: z.union([z.string().min(1), z.number().int().transform(String)], {
          error: "must be a string",
        }),
        resource_type: z.enum(["droplet", "image", "volume", "volume_snapshot"]),
      }),
    )
    .min(1, "must name at least one resource"),
});

/** `/v2/tags`: tags, their resources, and the requests that add and remove them. */
export function registerTags(api: Api): void {
  const tags = tagTable(api.store);

  api.get("/v2/tags", (request) =>
    page(request, "tags", tags.values(), (tag) => tagObject(api, request, tag)),
  );

  // A wrong name is 400 at DigitalOcean, where nearly all else is 422, and in another form.
  const rootCauses = (message: string) => ({ error: message, messages: null, root_causes: [message] });
  const add = (request: ApiRequest) => {
    const { name } = asBadRequest(() => parseBody(createBody, request.body));
    // An existing tag is answered like a new one. Its first capitalization stays.
    const [stored = name] = ensureTags(api.store, [name]);
    return created({ tag: tagObject(api, request, { name: stored }) });
  };
  api.post("/v2/tags", add, { badRequestDetails: rootCauses });

  api.get("/v2/tags/:tag", (request) => ok({ tag: tagObject(api, request, wanted(api, request)) }));

  api.delete("/v2/tags/:tag", (request) => {
    const { name } = wanted(api, request);
    for (const { kind, resource } of wearers(api, name)) untag(kind, resource, name);
    tags.delete(name.toLowerCase());
    for (const [, type] of COUNTED) lastTaggedTable(api.store).delete(lastKey(name, type));
    api.deleted("tag", name);
    api.changed({ kind: "tags" });
    return noContent();
  });

  api.post("/v2/tags/:tag/resources", (request) => {
    const { name } = wanted(api, request);
    for (const { kind, resource, resourceType } of named(api, request.body)) {
      const worn = resource.tags ?? [];
      if (!hasTag(worn, name)) kind.taggable?.setTags(resource.id, [...worn, name]);
      const id = resource.id;
      lastTaggedTable(api.store).put(lastKey(name, resourceType), { resourceType, id });
    }
    api.changed({ kind: "tags" });
    return noContent();
  });

  api.delete("/v2/tags/:tag/resources", (request) => {
    const { name } = wanted(api, request);
    for (const { kind, resource } of named(api, request.body)) untag(kind, resource, name);
    api.changed({ kind: "tags" });
    return noContent();
  });
}

/** In a path, the capitalization must be the tag's own (API reference, Tags). */
function wanted(api: Api, request: ApiRequest): TagRecord {
  const name = param(request, "tag");
  const tag = tagTable(api.store).get(name.toLowerCase());
  if (tag?.name !== name) throw notFound();
  return tag;
}

interface Wearer {
  kind: ResourceKind;
  resource: ResourceSummary;
  resourceType: string;
}

/** The resources in a body. Throws if one of them does not exist. */
function named(api: Api, body: unknown): Wearer[] {
  const { resources } = parseBody(resourcesBody, body);
  return resources.map(({ resource_id, resource_type }, index) => {
    const kind = [...api.kinds.values()].find((one) => one.taggable?.resourceType === resource_type);
    const resource = kind?.find(resource_id);
    if (!kind || !resource) {
      throw unprocessable(`resources[${index}].resource_id: there is no ${resource_type} ${resource_id}`);
    }
    return { kind, resource, resourceType: resource_type };
  });
}

function untag(kind: ResourceKind, resource: ResourceSummary, name: string): void {
  const worn = resource.tags ?? [];
  const rest = worn.filter((tag) => tag.toLowerCase() !== name.toLowerCase());
  if (rest.length < worn.length) kind.taggable?.setTags(resource.id, rest);
}

function wearers(api: Api, name: string): Wearer[] {
  return [...api.kinds.values()].flatMap((kind) => {
    const resourceType = kind.taggable?.resourceType;
    if (!resourceType) return [];
    const tagged = kind.list().filter((resource) => hasTag(resource.tags ?? [], name));
    return tagged.map((resource) => ({ kind, resource, resourceType }));
  });
}

function tagObject(api: Api, request: ApiRequest, { name }: TagRecord): object {
  const all = wearers(api, name);
  const groups = COUNTED.map(([key, type]) => {
    const tagged = all.filter(({ resourceType }) => resourceType === type);
    return { key, count: tagged.length, last: lastTagged(api.store, name, type, tagged) };
  });
  const uri = ({ resourceType, id }: LastTagged) => ({
    last_tagged_uri: `${request.origin}/v2/${PATHS[resourceType]}/${id}`,
  });
  const newest = groups.find(({ last }) => last)?.last;
  return {
    name,
    resources: {
      count: all.length,
      ...(newest ? uri(newest) : {}),
      ...Object.fromEntries(
        groups.map(({ key, count, last }) => [key, { count, ...(last ? uri(last) : {}) }]),
      ),
    },
  };
}

const lastKey = (name: string, resourceType: string) => `${name.toLowerCase()} ${resourceType}`;

/** The resource in the last tag request, if it still has the tag; otherwise the newest resource that has it. */
function lastTagged(store: Store, name: string, type: string, tagged: Wearer[]): LastTagged | undefined {
  const remembered = lastTaggedTable(store).get(lastKey(name, type));
  if (remembered && tagged.some(({ resource }) => resource.id === remembered.id)) return remembered;
  const youngest = tagged.at(-1);
  return youngest && { resourceType: type, id: youngest.resource.id };
}
