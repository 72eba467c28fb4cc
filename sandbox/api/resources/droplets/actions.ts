import { z } from "zod";
import { type ActionRecord, actionObject } from "../../core/actions";
import type { Api } from "../../core/api";
import { timestamp } from "../../core/clock";
import { notFound, unprocessable } from "../../core/errors";
import { created, ok, param } from "../../core/http";
import { page } from "../../core/pagination";
import { findSize } from "../../core/sizes";
import { findTag, hasTag } from "../../core/tags";
import { optional, parseBody, parseQuery, text, yesOrNo } from "../../core/validation";
import { addImage, findImage, nextImageId } from "../images";
import { backupPolicy, DEFAULT_BACKUP_POLICY } from "./backups";
import { hostname, imageFor, imageReference } from "./create";
import { changeDroplet, type DropletRecord, dropletTable, findDroplet, wantedDroplet } from "./record";

const body = z.object({
  type: z.string(),
  name: text().optional(),
  size: z.string().optional(),
  disk: yesOrNo.optional(),
  image: imageReference.optional(),
  kernel: z.number().optional(),
  backup_policy: optional(backupPolicy),
});
type Body = z.output<typeof body>;
const tagQuery = z.object({ tag_name: text() });
type Parameters = Readonly<Record<string, unknown>>;

/** One type of action: its condition, parameters and result. */
interface Kind {
  /** The only status in which DigitalOcean accepts it, and its refusal in any other. */
  readonly when?: { readonly status: DropletRecord["status"]; readonly refusal: string };
  /** It can be sent to all droplets of a tag. */
  readonly byTag?: true;
  /** Reads the parameters from the body. Throws 422. */
  parameters?(api: Api, droplet: DropletRecord, body: Body): Parameters;
  /** The change of the record when the action completes. */
  result?(droplet: DropletRecord, parameters: Parameters, api: Api): Partial<DropletRecord>;
}

const ON = (): Partial<DropletRecord> => ({ status: "active" });
const OFF = (): Partial<DropletRecord> => ({ status: "off" });

// The official provider looks for this text when it powers a droplet off.
const POWERED = { status: "active", refusal: "Droplet is already powered off." } as const;
const NOT_OFF = {
  status: "active",
  refusal: "Droplet is currently off. Please power it on to run this event.",
} as const;
const NOT_ON = {
  status: "off",
  refusal: "Droplet is currently on. Please power it off to run this event.",
} as const;

const KINDS: Readonly<Record<string, Kind>> = {
  // Also accepted for an active droplet, because Ansible's module always powers on a droplet that it has waited for.
  power_on: { byTag: true, result: ON },
  power_off: { when: POWERED, byTag: true, result: OFF },
  // Also accepted for a droplet that is off: the official provider relies on it when it deletes one
  // (terraform-provider-digitalocean, resource_droplet.go).
  shutdown: { byTag: true, result: OFF },
  power_cycle: { when: NOT_OFF, byTag: true },
  reboot: { when: NOT_OFF },
  password_reset: {},
  rename: {
    parameters: (_api, _droplet, { name }) => ({ name: checkedHostname(name) }),
    result: (_droplet, { name }) => ({ name: String(name) }),
  },
  // "This command automatically powers off the Droplet before resizing it" (doctl's reference, droplet-action resize).
  resize: { parameters: resizeParameters, result: resized },
  snapshot: {
    byTag: true,
    // The image's id is assigned at the start, so that a host driver can store the disk under it.
    parameters: (api, droplet, { name }) => ({
      name: name ?? `${droplet.name}-${timestamp()}`,
      image: nextImageId(api.store),
    }),
    result: (droplet, { name, image }, api) => {
      addDropletImage(api, droplet, String(name), Number(image));
      return {};
    },
  },
  rebuild: {
    parameters: (api, droplet, { image }) => {
      if (image === undefined) throw unprocessable("image is required");
      return { image: imageFor(api, image, droplet.region, droplet.disk).id };
    },
    result: withImage,
  },
  restore: {
    parameters: (api, droplet, { image }) => {
      if (image === undefined) throw unprocessable("image is required");
      const own = findImage(api.store, image);
      if (own?.droplet_id !== droplet.id) {
        throw unprocessable(`image: "${image}" is no backup of this droplet`);
      }
      return { image: own.id };
    },
    result: withImage,
  },
  enable_backups: {
    byTag: true,
    parameters: (_api, droplet, { backup_policy }) => {
      if (droplet.backup_policy) throw unprocessable("Backups are already enabled.");
      return { policy: backup_policy ?? DEFAULT_BACKUP_POLICY };
    },
    result: withPolicy,
  },
  disable_backups: {
    byTag: true,
    parameters: (_api, droplet) => {
      if (!droplet.backup_policy) throw unprocessable("Backups are not enabled.");
      return {};
    },
    result: () => ({ backup_policy: null }),
  },
  change_backup_policy: {
    parameters: (_api, droplet, { backup_policy }) => {
      if (!droplet.backup_policy) throw unprocessable("Backups are not enabled.");
      if (!backup_policy) throw unprocessable("backup_policy is required");
      return { policy: backup_policy };
    },
    result: withPolicy,
  },
  enable_ipv6: {
    when: NOT_ON, // digitalocean/openapi#1217
    byTag: true,
    parameters: (_api, droplet) => {
      if (droplet.ipv6) throw unprocessable("IPv6 is already enabled.");
      return {};
    },
    result: () => ({ ipv6: true }),
  },
  enable_private_networking: {
    parameters: () => {
      // Every droplet is in a VPC since its creation.
      throw unprocessable("Private networking is already enabled.");
    },
  },
  change_kernel: {
    parameters: () => {
      throw unprocessable(
        "kernel: this droplet manages its own kernel, which cannot be changed from outside",
      );
    },
  },
};

/** `/v2/droplets/…/actions`, one droplet's or a tag's. */
export function registerDropletActions(api: Api): void {
  api.actions.define("droplet", {
    perform: ({ type, resource_id, parameters }) =>
      api.applyToHost({ kind: "droplet_action", type, dropletId: Number(resource_id), parameters }),
    complete: (action) => complete(api, action),
    // A droplet that did not boot is not active. With `new`, clients would continue to wait for it.
    fail: ({ type, resource_id }) => {
      if (type === "create") changeDroplet(api.store, resource_id, { status: "off" });
    },
  });
  const ofDroplet = (droplet: DropletRecord) => (action: ActionRecord) =>
    action.resource_type === "droplet" && action.resource_id === droplet.id;

  api.get("/v2/droplets/:droplet/actions", (request) => {
    const droplet = wantedDroplet(api.store, request);
    return page(request, "actions", api.actions.list(ofDroplet(droplet)), actionObject);
  });
  api.get("/v2/droplets/:droplet/actions/:action", (request) => {
    const droplet = wantedDroplet(api.store, request);
    return ok({ action: actionObject(api.actions.get(param(request, "action"), ofDroplet(droplet))) });
  });
  api.post("/v2/droplets/:droplet/actions", (request) => {
    const droplet = wantedDroplet(api.store, request);
    return created({ action: actionObject(start(api, droplet, parseBody(body, request.body))) });
  });
  api.post("/v2/droplets/actions", (request) => {
    const given = parseBody(body, request.body);
    const { tag_name: tag } = parseQuery(tagQuery, request);
    if (!findTag(api.store, tag)) throw notFound();
    if (!kindOf(given.type)?.byTag)
      throw unprocessable(`type: "${given.type}" cannot be sent to a tag's droplets`);
    const droplets = dropletTable(api.store)
      .values()
      .filter(({ tags }) => hasTag(tags, tag));
    return created({ actions: droplets.map((droplet) => actionObject(start(api, droplet, given))) });
  });
}

/** Undefined for an unknown word, including properties of every object such as "constructor". */
const kindOf = (type: string): Kind | undefined => (Object.hasOwn(KINDS, type) ? KINDS[type] : undefined);

function start(api: Api, droplet: DropletRecord, given: Body): ActionRecord {
  const kind = kindOf(given.type);
  if (!kind) {
    throw unprocessable(`type: "${given.type}" is no action; there are ${Object.keys(KINDS).join(", ")}`);
  }
  if (api.actions.inProgress("droplet", droplet.id))
    throw unprocessable("Droplet already has a pending event.");
  if (kind.when !== undefined && droplet.status !== kind.when.status) throw unprocessable(kind.when.refusal);
  return api.actions.start({
    type: given.type,
    resource_type: "droplet",
    resource_id: droplet.id,
    region_slug: droplet.region,
    parameters: { ...kind.parameters?.(api, droplet, given) },
  });
}

function complete(api: Api, { type, resource_id, parameters }: ActionRecord): void {
  const droplet = findDroplet(api.store, resource_id);
  const result = type === "create" ? ON : kindOf(type)?.result;
  if (droplet && result) changeDroplet(api.store, droplet.id, result(droplet, parameters, api));
}

function checkedHostname(name: string | undefined): string {
  if (name === undefined) throw unprocessable("name is required");
  return parseBody(z.object({ name: hostname }), { name }).name;
}

function resizeParameters(_api: Api, droplet: DropletRecord, given: Body): Parameters {
  if (given.size === undefined) throw unprocessable("size is required");
  const size = findSize(given.size);
  if (!size) throw unprocessable(`size: there is no size "${given.size}"`);
  if (size.slug === droplet.size) throw unprocessable(`size: the droplet is a ${size.slug} already`);
  if (size.disk < droplet.disk) {
    throw unprocessable(
      `size: Size can not decrease size of Droplet's disk image: ${droplet.disk} GiB, and this size has ${size.disk}`,
    );
  }
  return { size: size.slug, disk: given.disk ?? false };
}

/** Without `disk`, only the CPU and memory change, so that the droplet can return to its old size. */
function resized(droplet: DropletRecord, { size, disk }: Parameters): Partial<DropletRecord> {
  const slug = String(size);
  return {
    status: "off",
    size: slug,
    disk: disk === true ? (findSize(slug)?.disk ?? droplet.disk) : droplet.disk,
  };
}

function withImage(_droplet: DropletRecord, { image }: Parameters, api: Api): Partial<DropletRecord> {
  const record = findImage(api.store, Number(image));
  return record ? { image: record, status: "active" } : { status: "active" };
}

const POLICY = z.object({ policy: backupPolicy });

function withPolicy(_droplet: DropletRecord, parameters: Parameters): Partial<DropletRecord> {
  return { backup_policy: POLICY.parse(parameters).policy };
}

function addDropletImage(api: Api, droplet: DropletRecord, name: string, id: number): void {
  addImage(api.store, id, {
    name,
    type: "snapshot",
    distribution: droplet.image.distribution,
    regions: [droplet.region],
    min_disk_size: droplet.disk,
    size_gigabytes: droplet.image.size_gigabytes,
    description: "",
    tags: [],
    status: "available",
    error_message: "",
    droplet_id: droplet.id,
  });
}
