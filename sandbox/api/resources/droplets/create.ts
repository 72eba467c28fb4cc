import { z } from "zod";
import type { ActionRecord } from "../../core/actions";
import type { Api } from "../../core/api";
import { timestamp } from "../../core/clock";
import { unprocessable } from "../../core/errors";
import { findRegion, OPEN_REGIONS } from "../../core/regions";
import { findSize, type Size } from "../../core/sizes";
import { ensureTags } from "../../core/tags";
import { optional, parseBody, tags, uuid, withDefault, yesOrNo } from "../../core/validation";
import { findImage, type ImageRecord, isInRegion } from "../images";
import { findSshKey } from "../sshKeys";
import { attachVolume, refuseAttach, volumeTable } from "../volumes";
import { defaultVpc, type VpcRecord, vpcTable } from "../vpcs";
import { backupPolicy, DEFAULT_BACKUP_POLICY } from "./backups";
import {
  type DropletRecord,
  dropletTable,
  freePrivateAddress,
  freePublicAddress,
  saveUserData,
} from "./record";

/** Source: API reference, Create a New Droplet: 64 KiB of user data, ten names at a time. */
const MAX_USER_DATA_BYTES = 64 * 1024;
const MAX_NAMES = 10;
export const DROPLET_LIMIT = 1500;

export const hostname = z
  .string()
  .max(255, "must be at most 255 characters")
  .regex(/^[a-zA-Z0-9]?[a-z0-9A-Z.-]*[a-z0-9A-Z]$/, {
    error: "Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)",
  });
export const imageReference = z.union([z.string().min(1), z.number().int()], {
  error: "must be an image's id or slug",
});
/** An id. DigitalOcean's Go client sends `{ "id": … }`, older versions also `{ "name": … }`. */
const volumeReference = z.union(
  [z.string().transform((id) => ({ id })), z.object({ id: z.string() }), z.object({ name: z.string() })],
  { error: "must be a volume's id" },
);
const names = z
  .array(hostname)
  .min(1, "must not be empty")
  .max(MAX_NAMES, `must be at most ${MAX_NAMES} names`);

const createBody = z.object({
  name: optional(hostname),
  names: optional(names),
  region: optional(z.string()),
  size: z.string(),
  image: imageReference,
  ssh_keys: withDefault(
    z.array(z.union([z.string(), z.number()], { error: "must be an id or a fingerprint" })),
    [],
  ),
  backups: withDefault(yesOrNo, false),
  backup_policy: optional(backupPolicy),
  ipv6: withDefault(yesOrNo, false),
  monitoring: withDefault(yesOrNo, false),
  tags,
  user_data: withDefault(z.string(), ""),
  private_networking: optional(yesOrNo),
  volumes: withDefault(z.array(volumeReference), []),
  vpc_uuid: optional(z.union([uuid, z.literal("")])),
  with_droplet_agent: optional(yesOrNo),
  public_networking: withDefault(yesOrNo, true),
});
type CreateBody = z.output<typeof createBody>;

/** A body whose references are resolved. */
interface Plan {
  body: CreateBody;
  region: string;
  size: Size;
  image: ImageRecord;
  vpc: VpcRecord;
  sshKeys: number[];
  tags: string[];
}

export interface CreatedDroplet {
  droplet: DropletRecord;
  action: ActionRecord;
}

/**
 * Creates the droplets of a body: one for `name`, or one for each of `names` (`several` is then true). They are `new`
 * until their action has completed. Throws 422 with the invalid field, without creating any droplet.
 */
export function createDroplets(api: Api, rawBody: unknown): { several: boolean; made: CreatedDroplet[] } {
  const body = parseBody(createBody, rawBody);
  const wanted = body.names ?? (body.name === undefined ? [] : [body.name]);
  if (wanted.length === 0) throw unprocessable("name is required");
  const { size: present } = dropletTable(api.store);
  if (present + wanted.length > DROPLET_LIMIT) {
    throw unprocessable("creating this/these droplet(s) will exceed your droplet limit");
  }
  const plan = makePlan(api, body, wanted.length);
  return { several: body.names !== undefined, made: wanted.map((name) => createOne(api, plan, name)) };
}

function makePlan(api: Api, body: CreateBody, count: number): Plan {
  const size = findSize(body.size);
  if (!size) throw unprocessable("You specified an invalid size for Droplet creation.");
  refuseRegion(body.region);
  const givenVpc = findVpc(api, body);
  const region = body.region ?? givenVpc?.region ?? OPEN_REGIONS[0] ?? "nyc1";
  if (givenVpc && givenVpc.region !== region) {
    throw unprocessable(`vpc_uuid: the VPC is in ${givenVpc.region}, and the droplet would be in ${region}`);
  }
  const bytes = Buffer.byteLength(body.user_data);
  if (bytes > MAX_USER_DATA_BYTES) {
    throw unprocessable(`user_data: is ${bytes} bytes, and may be at most ${MAX_USER_DATA_BYTES} (64 KiB)`);
  }
  if (count > 1 && body.volumes.length > 0)
    throw unprocessable("volumes: cannot be given for several droplets");
  if (!findImage(api.store, body.image))
    throw unprocessable("You specified an invalid image for Droplet creation.");
  const image = imageFor(api, body.image, region, size.disk);
  const sshKeys = findKeys(api, body);
  const vpc = givenVpc ?? defaultVpc(api.store, region);
  return { body, region, size, image, vpc, sshKeys, tags: ensureTags(api.store, body.tags) };
}

/** In DigitalOcean's words, which clients look for. */
function refuseRegion(slug: string | undefined): void {
  if (slug === undefined) return;
  const region = findRegion(slug);
  if (!region) throw unprocessable("You specified an invalid region for Droplet creation.");
  if (!region.available) throw unprocessable("Region is not available");
}

/** The image of a body. Throws 422 if it is not available in the region, or does not fit on the disk. */
export function imageFor(api: Api, reference: string | number, region: string, disk: number): ImageRecord {
  const image = findImage(api.store, reference);
  if (!image) throw unprocessable(`image: there is no image "${reference}"`);
  if (image.status !== "available") throw unprocessable("image: the image is not available yet");
  if (!isInRegion(image, region)) throw unprocessable(`image: the image is not available in ${region}`);
  if (image.min_disk_size > disk) {
    throw unprocessable(`image: needs a disk of ${image.min_disk_size} GiB, and this size has ${disk}`);
  }
  return image;
}

function findVpc(api: Api, { vpc_uuid }: CreateBody): VpcRecord | undefined {
  if (!vpc_uuid) return undefined;
  const vpc = vpcTable(api.store).get(vpc_uuid);
  if (!vpc) throw unprocessable(`vpc_uuid: there is no VPC "${vpc_uuid}"`);
  return vpc;
}

function findKeys(api: Api, { ssh_keys }: CreateBody): number[] {
  return ssh_keys.map((reference) => {
    const key = findSshKey(api.store, reference);
    if (!key) throw unprocessable(`${reference} are invalid key identifiers for Droplet creation.`);
    return key.id;
  });
}

function createOne(api: Api, plan: Plan, name: string): CreatedDroplet {
  const { body, region, size, image, vpc, sshKeys } = plan;
  const { store } = api;
  const private_ipv4 = freePrivateAddress(store, vpc);
  if (!private_ipv4) throw unprocessable(`vpc_uuid: the VPC "${vpc.name}" has no address left`);
  const public_ipv4 = body.public_networking ? freePublicAddress(store, region) : null;
  if (public_ipv4 === undefined) throw unprocessable(`region: ${region} has no public address left`);
  const id = store.nextId("droplet", 500_000_001);
  const droplet = dropletTable(store).put(id, {
    id,
    name,
    status: "new",
    created_at: timestamp(),
    region,
    size: size.slug,
    disk: size.disk,
    image,
    vpc_uuid: vpc.id,
    private_ipv4,
    public_ipv4,
    ipv6: body.ipv6,
    ssh_keys: sshKeys,
    tags: plan.tags,
    monitoring: body.monitoring,
    droplet_agent: body.with_droplet_agent ?? true,
    backup_policy: body.backups ? (body.backup_policy ?? DEFAULT_BACKUP_POLICY) : null,
  });
  if (body.user_data !== "") saveUserData(store, id, body.user_data);
  for (const reference of body.volumes) attachNow(api, reference, droplet);
  const action = api.actions.start({
    type: "create",
    resource_type: "droplet",
    resource_id: id,
    region_slug: region,
  });
  return { droplet, action };
}

function attachNow(api: Api, reference: z.output<typeof volumeReference>, droplet: DropletRecord): void {
  const volumes = volumeTable(api.store);
  const volume =
    "id" in reference
      ? volumes.get(reference.id)
      : volumes.values().find(({ name, region }) => name === reference.name && region === droplet.region);
  if (!volume) throw unprocessable(`volumes: there is no volume "${Object.values(reference)[0]}"`);
  refuseAttach(api, volume, droplet);
  attachVolume(api, volume.id, droplet.id);
}
