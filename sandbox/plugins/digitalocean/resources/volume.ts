import { computed, integer, optional, optionalComputed, required, set, string } from "../../provider/fields";
import type { Operation, Read, ResourceType } from "../../provider/resource";
import { atLeast, notEmpty, notZero, oneOf } from "../../provider/validators";
import type { PropertyMap } from "../../provider/values";
import { perform } from "../actions";
import { type Client, isStatus } from "../client";
import { lowerCase, retag, tags } from "../common";
import { amount, strings, text } from "../inputs";

export interface ApiVolume {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly region: { readonly slug: string };
  readonly size_gigabytes: number;
  readonly droplet_ids?: readonly number[] | null;
  readonly filesystem_type?: string;
  readonly filesystem_label?: string;
  readonly tags?: readonly string[] | null;
}

const filesystems = oneOf("ext4", "xfs");

export const volume: ResourceType<Client> = {
  name: "Volume",
  fields: {
    region: required(string, { replaces: true, stateOf: lowerCase }),
    name: required(string, { autoname: true, replaces: true, validate: [notEmpty] }),
    size: required(integer, { validate: [atLeast(1)] }),
    description: optional(string, { replaces: true, validate: [notEmpty] }),
    snapshotId: optional(string, { replaces: true, validate: [notEmpty] }),
    initialFilesystemType: optional(string, { replaces: true, validate: [filesystems] }),
    initialFilesystemLabel: optional(string, { replaces: true, validate: [notEmpty] }),
    filesystemType: optionalComputed(string, {
      validate: [filesystems],
      conflictsWith: ["initialFilesystemType"],
      deprecated: "Use initialFilesystemType. As an output, this remains the volume's current filesystem.",
    }),
    tags,
    volumeUrn: computed(string),
    dropletIds: computed(set(integer)),
    filesystemLabel: computed(string),
  },

  refuses(state, inputs) {
    const [old, size] = [amount(state, "size"), inputs.size];
    return typeof size === "number" && size < old
      ? `a volume can only grow: "size" is ${size} GiB, but the volume already has ${old} GiB`
      : undefined;
  },

  async create({ client }, inputs) {
    const { volume: made } = await client.post<{ volume: ApiVolume }>("/v2/volumes", {
      region: text(inputs, "region").toLowerCase(),
      name: text(inputs, "name"),
      description: text(inputs, "description"),
      size_gigabytes: amount(inputs, "size"),
      snapshot_id: text(inputs, "snapshotId"),
      filesystem_type: text(inputs, "initialFilesystemType") || text(inputs, "filesystemType"),
      filesystem_label: text(inputs, "initialFilesystemLabel"),
      tags: strings(inputs, "tags"),
    });
    return { id: made.id };
  },

  async read({ client }, id) {
    const found = await client.find<{ volume: ApiVolume }>(`/v2/volumes/${id}`);
    return found && { state: stateOf(found.volume) };
  },

  async update(op, id, inputs, state, changed) {
    if (changed.has("size")) {
      const size = amount(inputs, "size");
      const body = { type: "resize", size_gigabytes: size, region: text(inputs, "region").toLowerCase() };
      await perform(op, `/v2/volumes/${id}/actions`, body, `resizing volume ${op.name} (${id})`);
    }
    if (changed.has("tags")) await retag(op.client, { id, type: "volume" }, state, inputs);
  },

  async delete({ client }, id) {
    await client.remove(`/v2/volumes/${id}`);
  },
};

/** Keeps the old value of a property that the API returns empty, as the official provider does. */
function stateOf(found: ApiVolume): PropertyMap {
  const { filesystem_type: filesystem, filesystem_label: label } = found;
  return {
    name: found.name,
    region: found.region.slug,
    size: found.size_gigabytes,
    volumeUrn: `do:volume:${found.id}`,
    tags: [...(found.tags ?? [])],
    dropletIds: [...(found.droplet_ids ?? [])],
    filesystemType: filesystem ?? "",
    filesystemLabel: label ?? "",
    ...(found.description ? { description: found.description } : {}),
    ...(filesystem ? { initialFilesystemType: filesystem } : {}),
    ...(label ? { initialFilesystemLabel: label } : {}),
  };
}

export const volumeAttachment: ResourceType<Client> = {
  name: "VolumeAttachment",
  fields: {
    dropletId: required(integer, { replaces: true, validate: [notZero] }),
    volumeId: required(string, { replaces: true, validate: [notEmpty] }),
  },

  async create(op, inputs) {
    const [dropletId, volumeId] = [amount(inputs, "dropletId"), text(inputs, "volumeId")];
    const { volume: found } = await op.client.get<{ volume: ApiVolume }>(`/v2/volumes/${volumeId}`);
    if (found.droplet_ids?.[0] !== dropletId) {
      const what = `attaching volume ${found.name} (${volumeId}) to droplet ${dropletId}`;
      await perform(op, `/v2/volumes/${volumeId}/actions`, { droplet_id: dropletId, type: "attach" }, what);
    }
    return { id: `${dropletId}-${volumeId}-${uniqueSuffix()}` };
  },

  /** The inputs describe the whole attachment, so nothing is read from the API after the action completes. */
  async settle(_op, _id, prior) {
    return prior;
  },

  async read({ client }, id, prior): Promise<Read | undefined> {
    const { dropletId, volumeId } = prior.volumeId === undefined ? fromImportId(id) : ids(prior);
    const found = await client.find<{ volume: ApiVolume }>(`/v2/volumes/${volumeId}`);
    if (found?.volume.droplet_ids?.[0] !== dropletId) return undefined;
    return { state: { dropletId, volumeId } };
  },

  async delete(op, _id, state) {
    const { dropletId, volumeId } = ids(state);
    await detach(op, volumeId, dropletId);
  },
};

/** Detaches a volume from a droplet. Succeeds if it is not attached, or if either no longer exists. */
export async function detach(op: Operation<Client>, volumeId: string, dropletId: number): Promise<void> {
  const what = `detaching volume ${volumeId} from droplet ${dropletId}`;
  try {
    await perform(op, `/v2/volumes/${volumeId}/actions`, { droplet_id: dropletId, type: "detach" }, what);
  } catch (error) {
    const notAttached = isStatus(error, 422) && /attachment not found|not attached/i.test(error.apiMessage);
    if (!notAttached && !isStatus(error, 404)) throw error;
  }
}

interface AttachmentIds {
  readonly dropletId: number;
  readonly volumeId: string;
}

function ids(state: PropertyMap): AttachmentIds {
  return { dropletId: amount(state, "dropletId"), volumeId: text(state, "volumeId") };
}

function fromImportId(id: string): AttachmentIds {
  const [droplet = "", volumeId = "", ...rest] = id.split(",");
  if (!/^\d+$/.test(droplet) || volumeId === "" || rest.length > 0) {
    throw new Error(`to import a volume attachment use "droplet_id,volume_id", not "${id}"`);
  }
  return { dropletId: Number(droplet), volumeId };
}

let made = 0;

/** A unique id in Terraform's form: the time, padded to 18 digits, and a hexadecimal counter. */
export function uniqueSuffix(): string {
  const time = new Date().toISOString().replace(/\D/g, "").padEnd(18, "0");
  made += 1;
  return `${time}${made.toString(16).padStart(8, "0")}`;
}
