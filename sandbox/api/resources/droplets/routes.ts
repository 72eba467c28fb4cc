import { z } from "zod";
import type { ActionRecord } from "../../core/actions";
import { type Api, optionally, type ResourceSummary } from "../../core/api";
import { notFound } from "../../core/errors";
import { type ApiRequest, accepted, noContent, ok } from "../../core/http";
import { page } from "../../core/pagination";
import type { Store } from "../../core/store";
import { findTag, hasTag } from "../../core/tags";
import { oneOf, parseQuery, text } from "../../core/validation";
import { type ImageRecord, imageTable } from "../images";
import { registerDropletActions } from "./actions";
import { registerAssociatedResources } from "./associated";
import { registerBackupPolicies } from "./backups";
import { createDroplets } from "./create";
import { changeDroplet, type DropletRecord, deleteDroplet, dropletTable, wantedDroplet } from "./record";
import { dropletObject } from "./view";

const tagQuery = z.object({ tag_name: text() });
const listQuery = z.object({
  tag_name: text().optional(),
  name: text().optional(),
  type: oneOf("droplets", "gpus").optional(),
});

/** `/v2/droplets` and everything under it, except `…/firewalls` (firewalls.ts). */
export function registerDroplets(api: Api): void {
  const droplets = dropletTable(api.store);
  const show = (droplet: DropletRecord) => dropletObject(api.store, droplet);

  api.addKind({
    urnType: "droplet",
    list: () => droplets.values().map(summary),
    find: (id) => optionally(droplets.get(id), summary),
    taggable: {
      resourceType: "droplet",
      setTags: (id, names) => changeDroplet(api.store, id, { tags: [...names] }),
    },
  });

  api.get("/v2/droplets", (request) =>
    page(request, "droplets", matching(api.store, parseQuery(listQuery, request)), show),
  );
  api.post("/v2/droplets", (request) => {
    const { several, made } = createDroplets(api, request.body);
    const actions = made.map(({ action }) => link(request, action, several));
    const shown = made.map(({ droplet }) => show(droplet));
    return accepted({ ...(several ? { droplets: shown } : { droplet: shown[0] }), links: { actions } });
  });
  api.delete("/v2/droplets", (request) => {
    const { tag_name } = parseQuery(tagQuery, request);
    if (!findTag(api.store, tag_name)) throw notFound();
    for (const droplet of matching(api.store, { tag_name })) deleteDroplet(api, droplet);
    return noContent();
  });
  api.get("/v2/droplets/:droplet", (request) => ok({ droplet: show(wantedDroplet(api.store, request)) }));
  api.delete("/v2/droplets/:droplet", (request) => {
    deleteDroplet(api, wantedDroplet(api.store, request));
    return noContent();
  });
  registerRelated(api);
  registerBackupPolicies(api);
  registerDropletActions(api);
  registerAssociatedResources(api);
}

/** The lists under one droplet. */
function registerRelated(api: Api): void {
  for (const type of ["snapshot", "backup"] as const) {
    api.get(`/v2/droplets/:droplet/${type}s`, (request) => {
      const { id } = wantedDroplet(api.store, request);
      const images = imageTable(api.store)
        .values()
        .filter((image) => image.droplet_id === id && image.type === type);
      return page(request, `${type}s`, images, imageOfDroplet);
    });
  }
  // Droplets manage their own kernel (their `kernel` is null), so the list is empty.
  api.get("/v2/droplets/:droplet/kernels", (request) => {
    wantedDroplet(api.store, request);
    return page(request, "kernels", []);
  });
  // The sandbox does not model shared hardware.
  api.get("/v2/droplets/:droplet/neighbors", (request) => {
    wantedDroplet(api.store, request);
    return ok({ droplets: [] });
  });
}

function matching(store: Store, { tag_name, name, type }: z.output<typeof listQuery>): DropletRecord[] {
  if (type === "gpus") return []; // the catalogue has no GPU sizes
  return dropletTable(store)
    .values()
    .filter((droplet) => name === undefined || droplet.name.toLowerCase() === name.toLowerCase())
    .filter((droplet) => tag_name === undefined || hasTag(droplet.tags, tag_name));
}

function link({ origin }: ApiRequest, action: ActionRecord, several: boolean): object {
  return {
    id: action.id,
    rel: several ? "multiple_create" : "create",
    href: `${origin}/v2/actions/${action.id}`,
  };
}

function imageOfDroplet(image: ImageRecord): object {
  const { id, name, type, created_at, regions, min_disk_size, size_gigabytes, distribution, slug } = image;
  return {
    id,
    name,
    type,
    distribution,
    slug,
    public: false,
    created_at,
    regions,
    min_disk_size,
    size_gigabytes,
  };
}

const summary = ({ id, name, created_at, vpc_uuid, tags }: DropletRecord): ResourceSummary => ({
  id: String(id),
  name,
  created_at,
  vpc_uuid,
  tags,
});
