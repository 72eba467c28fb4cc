import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type ActionRecord, actionObject } from "../core/actions";
import { type Api, optionally, type ResourceSummary } from "../core/api";
import { timestamp } from "../core/clock";
import { conflict, notFound, unprocessable } from "../core/errors";
import { type Answer, type ApiRequest, accepted, created, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import { regionObject } from "../core/regions";
import type { Store, Table } from "../core/store";
import { ensureTags } from "../core/tags";
import {
  knownRegion,
  numericId,
  optional,
  parseBody,
  parseQuery,
  regionSlug,
  tags,
  text,
  withDefault,
} from "../core/validation";
import { type DropletRecord, findDroplet } from "./droplets/record";
import {
  addVolumeSnapshot,
  findVolumeSnapshot,
  snapshotBody,
  snapshotObject,
  volumeSnapshotTable,
} from "./snapshots";

export interface VolumeRecord {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly region: string;
  readonly size_gigabytes: number;
  readonly filesystem_type: string;
  readonly filesystem_label: string;
  readonly created_at: string;
  readonly tags: readonly string[];
  /** A volume is attached to at most one droplet, although the API shows a list. */
  readonly droplet_id: number | null;
}

/** Source: API reference, Block Storage: 1 GiB to 16 TiB, at most fifteen per droplet. */
const MAX_GIGABYTES = 16_384;
const MAX_PER_DROPLET = 15;
const MAX_LABEL = { ext4: 16, xfs: 12, "": 16 };

const gigabytes = z.number().int("must be a whole number").min(1, "must be at least 1");
const sizeGigabytes = gigabytes.max(MAX_GIGABYTES, `must be at most ${MAX_GIGABYTES}`);
const createBody = z.object({
  name: z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{0,63}$/,
      "invalid volume name. names must be lowercase and alphanumeric (a letter first, dashes allowed, at most 64)",
    ),
  region: optional(regionSlug),
  size_gigabytes: sizeGigabytes,
  description: withDefault(z.string().max(255, "must be at most 255 characters"), ""),
  snapshot_id: withDefault(z.string(), ""),
  filesystem_type: withDefault(z.enum(["ext4", "xfs", ""], { error: "must be ext4 or xfs" }), ""),
  filesystem_label: withDefault(z.string(), ""),
  tags,
});
const actionBody = z.object({
  type: z.enum(["attach", "detach", "resize"], { error: "must be attach, detach or resize" }),
  volume_name: optional(z.string()),
  droplet_id: optional(numericId),
  size_gigabytes: optional(sizeGigabytes),
  region: optional(regionSlug),
});
const nameQuery = z.object({ name: text().optional(), region: knownRegion.optional() });
type ActionBody = z.output<typeof actionBody>;

export const volumeTable = (store: Store): Table<VolumeRecord> => store.table<VolumeRecord>("volumes");

/** The volumes of a droplet. */
export const volumesOf = (store: Store, dropletId: number): VolumeRecord[] =>
  volumeTable(store)
    .values()
    .filter((volume) => volume.droplet_id === dropletId);

/** `/v2/volumes`: block storage, its actions and its snapshots. */
export function registerVolumes(api: Api): void {
  const volumes = volumeTable(api.store);
  api.addKind({
    urnType: "volume",
    list: () => volumes.values().map(summary),
    find: (id) => optionally(volumes.get(id), summary),
    taggable: { resourceType: "volume", setTags: (id, names) => change(api, id, { tags: [...names] }) },
  });
  api.onDeleted((urnType, id) => {
    if (urnType !== "droplet") return;
    for (const volume of volumesOf(api.store, Number(id))) change(api, volume.id, { droplet_id: null });
  });

  api.get("/v2/volumes", (request) => {
    const { name, region } = parseQuery(nameQuery, request);
    const found = volumes
      .values()
      .filter((volume) => (!name || volume.name === name) && (!region || volume.region === region));
    return page(request, "volumes", found, volumeObject);
  });
  api.post("/v2/volumes", (request) => created({ volume: volumeObject(createVolume(api, request.body)) }));
  api.delete("/v2/volumes", (request) => {
    const { name = "", region = "" } = parseQuery(nameQuery, request);
    deleteVolume(api, namedVolume(api.store, name, region));
    return noContent();
  });
  api.get("/v2/volumes/:volume", (request) => ok({ volume: volumeObject(wanted(api.store, request)) }));
  api.delete("/v2/volumes/:volume", (request) => {
    deleteVolume(api, wanted(api.store, request));
    return noContent();
  });
  registerActions(api);
  registerSnapshots(api);
}

// The messages below start like DigitalOcean's, because clients look for them (such as its storage driver for
// Kubernetes).

/** Throws 409 if the volume is attached. */
export function deleteVolume(api: Api, volume: VolumeRecord): void {
  if (volume.droplet_id !== null) {
    throw conflict("attached volume cannot be deleted");
  }
  refusePending(api, volume);
  volumeTable(api.store).delete(volume.id);
  api.deleted("volume", volume.id);
  api.changed({ kind: "volumes" });
}

/** Throws 422 if the volume cannot be attached to the droplet. */
export function refuseAttach(api: Api, volume: VolumeRecord, droplet: DropletRecord): void {
  if (volume.droplet_id !== null) {
    throw unprocessable(`This volume is already attached to the droplet ${volume.droplet_id}.`);
  }
  if (volume.region !== droplet.region) {
    throw unprocessable(`The volume is in ${volume.region}, and the droplet in ${droplet.region}.`);
  }
  if (volumesOf(api.store, droplet.id).length >= MAX_PER_DROPLET) {
    throw unprocessable(
      `cannot attach more volumes to the Droplet: it has ${MAX_PER_DROPLET}, which is the most`,
    );
  }
}

export function attachVolume(api: Api, volumeId: string, dropletId: number): void {
  change(api, volumeId, { droplet_id: dropletId });
}

function change(api: Api, id: string, values: Partial<VolumeRecord>): void {
  const volume = volumeTable(api.store).get(id);
  if (!volume) return;
  volumeTable(api.store).put(id, { ...volume, ...values });
  api.changed({ kind: "volumes" });
}

function createVolume(api: Api, rawBody: unknown): VolumeRecord {
  const body = parseBody(createBody, rawBody);
  const snapshot = body.snapshot_id === "" ? undefined : findVolumeSnapshot(api.store, body.snapshot_id);
  if (body.snapshot_id !== "" && !snapshot) {
    throw unprocessable(`snapshot_id: there is no volume snapshot "${body.snapshot_id}"`);
  }
  const region = body.region ?? snapshot?.regions[0];
  if (region === undefined) throw unprocessable("region is required");
  if (snapshot && !snapshot.regions.includes(region)) {
    throw unprocessable(`snapshot_id: the snapshot is not in ${region}`);
  }
  if (snapshot && body.size_gigabytes < snapshot.min_disk_size) {
    throw unprocessable(`size_gigabytes: the snapshot needs at least ${snapshot.min_disk_size}`);
  }
  const maxLabel = MAX_LABEL[body.filesystem_type];
  if (body.filesystem_label.length > maxLabel) {
    throw unprocessable(`filesystem_label: must be at most ${maxLabel} characters`);
  }
  const volumes = volumeTable(api.store);
  if (volumes.values().some((volume) => volume.name === body.name && volume.region === region)) {
    throw conflict(`failed to create volume: "${body.name}" already exists in ${region}`);
  }
  const id = randomUUID();
  api.changed({ kind: "volumes" });
  return volumes.put(id, {
    id,
    name: body.name,
    description: body.description,
    region,
    size_gigabytes: body.size_gigabytes,
    filesystem_type: body.filesystem_type,
    filesystem_label: body.filesystem_label,
    created_at: timestamp(),
    tags: ensureTags(api.store, body.tags),
    droplet_id: null,
  });
}

function registerActions(api: Api): void {
  api.actions.define("volume", {
    complete: ({ type, resource_id, parameters }) => {
      const id = String(resource_id);
      if (type === "attach_volume") {
        const dropletId = Number(parameters.droplet_id);
        if (findDroplet(api.store, dropletId)) attachVolume(api, id, dropletId);
      }
      if (type === "detach_volume") change(api, id, { droplet_id: null });
      if (type === "resize") change(api, id, { size_gigabytes: Number(parameters.size_gigabytes) });
    },
  });
  const ofVolume = (volume: VolumeRecord) => (action: ActionRecord) =>
    action.resource_type === "volume" && action.resource_id === volume.id;

  api.post("/v2/volumes/actions", (request) => {
    const body = parseBody(actionBody, request.body);
    if (body.volume_name === undefined) throw unprocessable("volume_name is required");
    if (body.region === undefined) throw unprocessable("region is required");
    return startAction(api, namedVolume(api.store, body.volume_name, body.region), body);
  });
  api.get("/v2/volumes/:volume/actions", (request) => {
    const actions = api.actions.list(ofVolume(wanted(api.store, request)));
    return page(request, "actions", actions, actionObject);
  });
  api.post("/v2/volumes/:volume/actions", (request) => {
    const volume = wanted(api.store, request);
    return startAction(api, volume, parseBody(actionBody, request.body));
  });
  api.get("/v2/volumes/:volume/actions/:action", (request) => {
    const volume = wanted(api.store, request);
    return ok({ action: actionObject(api.actions.get(param(request, "action"), ofVolume(volume))) });
  });
}

function startAction(api: Api, volume: VolumeRecord, body: ActionBody): Answer {
  refusePending(api, volume);
  if (body.region !== undefined && body.region !== volume.region) {
    throw unprocessable(`region: the volume is in ${volume.region}`);
  }
  const { type, parameters } = checkedAction(api, volume, body);
  const action = api.actions.start({
    type,
    resource_type: "volume",
    resource_id: volume.id,
    region_slug: volume.region,
    parameters,
  });
  return accepted({ action: actionObject(action) });
}

function checkedAction(api: Api, volume: VolumeRecord, body: ActionBody) {
  if (body.type === "resize") {
    const { size_gigabytes } = body;
    if (size_gigabytes === undefined) throw unprocessable("size_gigabytes is required");
    if (size_gigabytes <= volume.size_gigabytes) {
      throw unprocessable(`size_gigabytes: must be more than the present ${volume.size_gigabytes}`);
    }
    return { type: "resize", parameters: { size_gigabytes } };
  }
  if (body.droplet_id === undefined) throw unprocessable("droplet_id is required");
  const droplet = findDroplet(api.store, body.droplet_id);
  if (!droplet) throw unprocessable(`droplet_id: there is no droplet ${body.droplet_id}`);
  if (body.type === "attach") refuseAttach(api, volume, droplet);
  else if (volume.droplet_id !== droplet.id) throw unprocessable("Attachment not found");
  return { type: `${body.type}_volume`, parameters: { droplet_id: droplet.id } };
}

function registerSnapshots(api: Api): void {
  api.get("/v2/volumes/:volume/snapshots", (request) => {
    const volume = wanted(api.store, request);
    const snapshots = volumeSnapshotTable(api.store)
      .values()
      .filter(({ resource_id }) => resource_id === volume.id);
    return page(request, "snapshots", snapshots, snapshotObject);
  });
  api.post("/v2/volumes/:volume/snapshots", (request) => {
    const volume = wanted(api.store, request);
    return created({
      snapshot: snapshotObject(addVolumeSnapshot(api, volume, parseBody(snapshotBody, request.body))),
    });
  });
}

function wanted(store: Store, request: ApiRequest): VolumeRecord {
  const volume = volumeTable(store).get(param(request, "volume"));
  if (!volume) throw notFound();
  return volume;
}

function namedVolume(store: Store, name: string, region: string): VolumeRecord {
  const volume = volumeTable(store)
    .values()
    .find((one) => one.name === name && one.region === region);
  if (!volume) throw notFound();
  return volume;
}

function refusePending(api: Api, volume: VolumeRecord): void {
  if (api.actions.inProgress("volume", volume.id)) throw unprocessable("Volume already has a pending event.");
}

const summary = ({ id, name, created_at, tags }: VolumeRecord): ResourceSummary => ({
  id,
  name,
  created_at,
  tags,
});

function volumeObject({ droplet_id, region, ...volume }: VolumeRecord): object {
  return { ...volume, region: regionObject(region), droplet_ids: droplet_id === null ? [] : [droplet_id] };
}
