import { randomUUID } from "node:crypto";
import { z } from "zod";
import { type Api, optionally, type ResourceSummary } from "../core/api";
import { timestamp } from "../core/clock";
import { notFound } from "../core/errors";
import { noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import { OPEN_REGIONS } from "../core/regions";
import type { Store, Table } from "../core/store";
import { ensureTags } from "../core/tags";
import { oneOf, parseQuery, tags, text } from "../core/validation";
import { deleteImage, type ImageRecord, imageTable } from "./images";

/** A volume's snapshot, in the API's format. A droplet's snapshot is an image. */
export interface VolumeSnapshot {
  readonly id: string;
  readonly name: string;
  readonly created_at: string;
  readonly regions: readonly string[];
  readonly min_disk_size: number;
  readonly size_gigabytes: number;
  readonly resource_id: string;
  readonly resource_type: "volume";
  readonly tags: readonly string[];
}

export const volumeSnapshotTable = (store: Store): Table<VolumeSnapshot> =>
  store.table<VolumeSnapshot>("volume_snapshots");

export const findVolumeSnapshot = (store: Store, id: string): VolumeSnapshot | undefined =>
  volumeSnapshotTable(store).get(id);

const listQuery = z.object({ resource_type: oneOf("droplet", "volume").optional() });

export const snapshotBody = z.object({ name: text(), tags });

/** Creates a snapshot of a volume. It is complete at once. */
export function addVolumeSnapshot(
  api: Api,
  volume: { id: string; region: string; size_gigabytes: number },
  body: z.output<typeof snapshotBody>,
): VolumeSnapshot {
  const id = randomUUID();
  return volumeSnapshotTable(api.store).put(id, {
    id,
    name: body.name,
    created_at: timestamp(),
    regions: [volume.region],
    min_disk_size: volume.size_gigabytes,
    size_gigabytes: 0,
    resource_id: volume.id,
    resource_type: "volume",
    tags: ensureTags(api.store, body.tags),
  });
}

/** `/v2/snapshots`: of droplets and of volumes; and `/v2/volumes/snapshots`. */
export function registerSnapshots(api: Api): void {
  const ofVolumes = volumeSnapshotTable(api.store);
  api.addKind({
    urnType: "volumesnapshot",
    list: () => ofVolumes.values().map(summary),
    find: (id) => optionally(ofVolumes.get(id), summary),
    taggable: {
      resourceType: "volume_snapshot",
      setTags: (id, names) => {
        const snapshot = ofVolumes.get(id);
        if (snapshot) ofVolumes.put(id, { ...snapshot, tags: [...names] });
      },
    },
  });

  api.get("/v2/snapshots", (request) => {
    const { resource_type: type } = parseQuery(listQuery, request);
    const droplets = type === "volume" ? [] : dropletSnapshots(api.store);
    const volumes = type === "droplet" ? [] : ofVolumes.values();
    return page(request, "snapshots", [...droplets, ...volumes], snapshotObject);
  });
  api.get("/v2/snapshots/:snapshot", (request) =>
    ok({ snapshot: snapshotObject(find(api.store, param(request, "snapshot"))) }),
  );
  api.delete("/v2/snapshots/:snapshot", (request) => {
    deleteSnapshot(api, find(api.store, param(request, "snapshot")));
    return noContent();
  });
  const ofVolume = (id: string): VolumeSnapshot => {
    const snapshot = ofVolumes.get(id);
    if (!snapshot) throw notFound();
    return snapshot;
  };
  api.get("/v2/volumes/snapshots/:snapshot", (request) =>
    ok({ snapshot: snapshotObject(ofVolume(param(request, "snapshot"))) }),
  );
  api.delete("/v2/volumes/snapshots/:snapshot", (request) => {
    deleteSnapshot(api, ofVolume(param(request, "snapshot")));
    return noContent();
  });
}

/** Removes a snapshot of a droplet or of a volume. */
export function deleteSnapshot(api: Api, snapshot: ImageRecord | VolumeSnapshot): void {
  if ("resource_type" in snapshot) {
    volumeSnapshotTable(api.store).delete(snapshot.id);
    api.deleted("volumesnapshot", snapshot.id);
  } else {
    deleteImage(api, snapshot);
  }
}

const dropletSnapshots = (store: Store): ImageRecord[] =>
  imageTable(store)
    .values()
    .filter(({ type, droplet_id }) => type === "snapshot" && droplet_id !== null);

function find(store: Store, id: string): ImageRecord | VolumeSnapshot {
  const snapshot =
    findVolumeSnapshot(store, id) ?? dropletSnapshots(store).find((image) => String(image.id) === id);
  if (!snapshot) throw notFound();
  return snapshot;
}

/** A droplet's or a volume's snapshot in the format of `/v2/snapshots`. */
export function snapshotObject(snapshot: ImageRecord | VolumeSnapshot): object {
  if ("resource_type" in snapshot) return snapshot;
  return {
    id: String(snapshot.id),
    name: snapshot.name,
    created_at: snapshot.created_at,
    regions: snapshot.regions ?? OPEN_REGIONS,
    min_disk_size: snapshot.min_disk_size,
    size_gigabytes: snapshot.size_gigabytes,
    resource_id: String(snapshot.droplet_id),
    resource_type: "droplet",
    tags: snapshot.tags,
  };
}

const summary = ({ id, name, created_at, tags }: VolumeSnapshot): ResourceSummary => ({
  id,
  name,
  created_at,
  tags,
});
