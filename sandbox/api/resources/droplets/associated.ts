import { z } from "zod";
import type { Api } from "../../core/api";
import { timestamp } from "../../core/clock";
import { ApiError, notFound, unprocessable } from "../../core/errors";
import { accepted, ok, param } from "../../core/http";
import type { Store, Table } from "../../core/store";
import { parseBody, withDefault } from "../../core/validation";
import { imageTable } from "../images";
import { releaseReservedIp, reservedIpOf, reservedIpTable } from "../reservedIps";
import { deleteSnapshot, volumeSnapshotTable } from "../snapshots";
import { deleteVolume, volumesOf, volumeTable } from "../volumes";
import { type DropletRecord, deleteDroplet, wantedDroplet } from "./record";

const GROUPS = ["reserved_ips", "snapshots", "volumes", "volume_snapshots"] as const;
type Group = (typeof GROUPS)[number];
interface Associated {
  readonly id: string;
  readonly name: string;
  readonly cost: string;
}
interface Outcome {
  readonly id: string;
  readonly name: string;
  readonly destroyed_at: string | null;
  readonly error_message: string | null;
}
interface DestructionRecord {
  readonly droplet: Outcome;
  readonly resources: Readonly<Record<Group, readonly Outcome[]>>;
  readonly completed_at: string;
}

/** US dollars per GiB and month. Source: DigitalOcean's price list. */
const VOLUME_PRICE = 0.1;
const SNAPSHOT_PRICE = 0.06;

const ids = withDefault(z.array(z.string()), []);
const selectiveBody = z.object({
  reserved_ips: ids,
  floating_ips: ids,
  snapshots: ids,
  volumes: ids,
  volume_snapshots: ids,
});

/**
 * `/v2/droplets/…/destroy_with_associated_resources`. The resources are destroyed before the 202 is sent, so the status
 * can be read at once. At DigitalOcean this takes some time.
 */
export function registerAssociatedResources(api: Api): void {
  const path = "/v2/droplets/:droplet/destroy_with_associated_resources";
  const destructions: Table<DestructionRecord> = api.store.table("destructions");
  const wanted = (id: string): DestructionRecord => {
    const destruction = destructions.get(id);
    if (!destruction) throw notFound();
    return destruction;
  };

  api.get(path, (request) => {
    const associated = associatedWith(api.store, wantedDroplet(api.store, request));
    return ok({ ...associated, floating_ips: associated.reserved_ips });
  });

  api.delete(`${path}/selective`, (request) => {
    const droplet = wantedDroplet(api.store, request);
    // Without a body, only the droplet is destroyed.
    const chosen = parseBody(selectiveBody, request.body ?? {});
    const all = associatedWith(api.store, droplet);
    const selection = byGroup((group) => {
      const wantedIds =
        group === "reserved_ips" ? [...chosen.reserved_ips, ...chosen.floating_ips] : chosen[group];
      for (const id of wantedIds) {
        if (!all[group].some((one) => one.id === id))
          throw unprocessable(`${group}: "${id}" is not the droplet's`);
      }
      return all[group].filter(({ id }) => wantedIds.includes(id));
    });
    destructions.put(droplet.id, destroy(api, droplet, selection));
    return accepted();
  });

  api.delete(`${path}/dangerous`, (request) => {
    const droplet = wantedDroplet(api.store, request);
    if (request.headers["x-dangerous"] !== "true") {
      throw unprocessable("The header X-Dangerous must be true to destroy all associated resources.");
    }
    destructions.put(droplet.id, destroy(api, droplet, associatedWith(api.store, droplet)));
    return accepted();
  });

  api.get(`${path}/status`, (request) => ok(statusObject(wanted(param(request, "droplet")))));

  api.post(`${path}/retry`, (request) => {
    const id = param(request, "droplet");
    const { droplet, resources } = wanted(id);
    const again = byGroup((group) =>
      resources[group].map((one) => (one.destroyed_at ? one : attempt(api, group, one))),
    );
    destructions.put(id, { droplet, resources: again, completed_at: timestamp() });
    return accepted();
  });
}

function associatedWith(store: Store, droplet: DropletRecord): Record<Group, Associated[]> {
  const snapshots = imageTable(store)
    .values()
    .filter(({ droplet_id, type }) => droplet_id === droplet.id && type === "snapshot");
  const volumes = volumesOf(store, droplet.id);
  const ofVolumes = volumeSnapshotTable(store)
    .values()
    .filter(({ resource_id }) => volumes.some(({ id }) => id === resource_id));
  const reserved = reservedIpOf(store, droplet.id);
  const priced = (price: number) => (one: { id: number | string; name: string; size_gigabytes: number }) => ({
    id: String(one.id),
    name: one.name,
    cost: (price * one.size_gigabytes).toFixed(2),
  });
  return {
    // Free while it is assigned.
    reserved_ips: reserved ? [{ id: reserved.ip, name: reserved.ip, cost: "0.00" }] : [],
    snapshots: snapshots.map(priced(SNAPSHOT_PRICE)),
    volumes: volumes.map(priced(VOLUME_PRICE)),
    volume_snapshots: ofVolumes.map(priced(SNAPSHOT_PRICE)),
  };
}

function destroy(
  api: Api,
  droplet: DropletRecord,
  selection: Record<Group, Associated[]>,
): DestructionRecord {
  deleteDroplet(api, droplet);
  const resources = byGroup((group) => selection[group].map((one) => attempt(api, group, one)));
  const { id, name } = droplet;
  return {
    droplet: { id: String(id), name, destroyed_at: timestamp(), error_message: null },
    resources,
    completed_at: timestamp(),
  };
}

function attempt(api: Api, group: Group, { id, name }: { id: string; name: string }): Outcome {
  try {
    remove(api, group, id);
    return { id, name, destroyed_at: timestamp(), error_message: null };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { id, name, destroyed_at: null, error_message: error.message };
  }
}

function remove(api: Api, group: Group, id: string): void {
  const { store } = api;
  if (group === "reserved_ips") {
    const reserved = reservedIpTable(store).get(id);
    if (reserved) releaseReservedIp(api, reserved);
  } else if (group === "volumes") {
    const volume = volumeTable(store).get(id);
    if (volume) deleteVolume(api, volume);
  } else {
    const snapshot = group === "snapshots" ? imageTable(store).get(id) : volumeSnapshotTable(store).get(id);
    if (snapshot) deleteSnapshot(api, snapshot);
  }
}

function statusObject({ droplet, resources, completed_at }: DestructionRecord): object {
  const failed = GROUPS.flatMap((group) => resources[group]).filter((one) => one.destroyed_at === null);
  const shown = ({ destroyed_at, error_message, ...one }: Outcome) => ({
    ...one,
    ...(destroyed_at ? { destroyed_at } : {}),
    ...(error_message ? { error_message } : {}),
  });
  const groups = byGroup((group) => resources[group].map(shown));
  return {
    droplet: shown(droplet),
    resources: { ...groups, floating_ips: groups.reserved_ips },
    completed_at,
    failures: failed.length,
  };
}

function byGroup<T>(make: (group: Group) => T): Record<Group, T> {
  return {
    reserved_ips: make("reserved_ips"),
    snapshots: make("snapshots"),
    volumes: make("volumes"),
    volume_snapshots: make("volume_snapshots"),
  };
}
