import type { Problem } from "../../provider/check";
import {
  boolean,
  computed,
  integer,
  number,
  object,
  optional,
  optionalComputed,
  required,
  set,
  string,
} from "../../provider/fields";
import type { Operation, ResourceType } from "../../provider/resource";
import { between, notEmpty, oneOf } from "../../provider/validators";
import { isUnknown, type PropertyMap } from "../../provider/values";
import { waitFor } from "../../provider/wait";
import { perform } from "../actions";
import { type Client, isStatus } from "../client";
import { lowerCase, retag, sha1, tags } from "../common";
import { amount, flag, inner, strings, text } from "../inputs";
import { detach } from "./volume";

interface Address {
  readonly ip_address: string;
  readonly type: "public" | "private";
}

export interface ApiDroplet {
  readonly id: number;
  readonly name: string;
  readonly status: "new" | "active" | "off" | "archive";
  readonly locked: boolean;
  readonly memory: number;
  readonly vcpus: number;
  readonly disk: number;
  readonly created_at: string;
  readonly features?: readonly string[] | null;
  readonly volume_ids?: readonly string[] | null;
  readonly tags?: readonly string[] | null;
  readonly size_slug: string;
  readonly size: { readonly slug: string; readonly price_hourly: number; readonly price_monthly: number };
  readonly image: { readonly id: number; readonly slug?: string | null };
  readonly region: { readonly slug: string };
  readonly vpc_uuid?: string;
  readonly networks: { readonly v4?: readonly Address[]; readonly v6?: readonly Address[] };
}

const longTimeoutMs = 60 * 60_000;
const deleteTimeoutMs = 60_000;
/** If the droplet is not active after this time, its create action is checked for an error. */
const checkActionAfterMs = 10_000;

const backupPolicy = object("DropletBackupPolicy", {
  plan: optional(string, { validate: [oneOf("daily", "weekly")] }),
  weekday: optional(string, { validate: [oneOf("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")] }),
  hour: optional(integer, { validate: [between(0, 20)] }),
});

export const droplet: ResourceType<Client> = {
  name: "Droplet",
  fields: {
    image: required(string, { replaces: true, validate: [notEmpty] }),
    name: required(string, { autoname: true, validate: [notEmpty] }),
    region: optionalComputed(string, { replaces: true, validate: [notEmpty], stateOf: lowerCase }),
    size: required(string, { validate: [notEmpty], stateOf: lowerCase }),
    gracefulShutdown: optional(boolean, { default: false }),
    resizeDisk: optional(boolean, { default: true }),
    backups: optional(boolean, { default: false }),
    backupPolicy: optional(backupPolicy),
    // IPv6 cannot be switched off.
    ipv6: optional(boolean, { default: false, replaces: (input, state) => state === true && input !== true }),
    ipv6Address: optionalComputed(string),
    privateNetworking: optionalComputed(boolean, {
      deprecated:
        "Every droplet is in a VPC. Set vpcUuid; without it, DigitalOcean uses the region's default VPC.",
    }),
    publicNetworking: optionalComputed(boolean, { replaces: true }),
    sshKeys: optional(set(string, notEmpty), { replaces: true }),
    userData: optional(string, { replaces: true, validate: [notEmpty], stateOf: sha1 }),
    volumeIds: optionalComputed(set(string)),
    monitoring: optional(boolean, { replaces: true, default: false }),
    dropletAgent: optional(boolean, { replaces: true }),
    tags,
    vpcUuid: optionalComputed(string, { replaces: true, validate: [notEmpty] }),
    createdAt: computed(string),
    dropletUrn: computed(string),
    disk: computed(integer),
    vcpus: computed(integer),
    memory: computed(integer),
    priceHourly: computed(number),
    priceMonthly: computed(number),
    status: computed(string),
    locked: computed(boolean),
    ipv4Address: computed(string),
    ipv4AddressPrivate: computed(string),
  },

  problems(inputs) {
    const problems: Problem[] = [];
    if (inputs.backupPolicy !== undefined && !isUnknown(inputs.backups) && !flag(inputs, "backups")) {
      problems.push({
        path: "backupPolicy",
        reason: "backupPolicy can only be set when backups are enabled",
      });
    }
    return problems;
  },

  async create({ client }, inputs) {
    const answer = await client.post<CreateAnswer>("/v2/droplets", createBody(inputs));
    const action = answer.links?.actions?.find((link) => link.rel === "create");
    createActions.set(String(answer.droplet.id), action?.id);
    return { id: String(answer.droplet.id) };
  },

  async settle(op, id) {
    const found = await waitForDroplet(op, id, {
      what: `droplet ${op.name} (${id}) to become active`,
      timeoutMs: op.timeoutMs ?? longTimeoutMs,
      // Like the official provider, accept a droplet that is off after an update.
      isDone: ({ status }) => status === "active" || (status === "off" && !createActions.has(id)),
      failure: ({ status }) => (status === "archive" || status === "off" ? `it is "${status}"` : undefined),
      lateFailure: () => failedCreate(op, id),
    });
    createActions.delete(id);
    return dropletState(found);
  },

  async read({ client }, id, prior) {
    const found = await client.find<{ droplet: ApiDroplet }>(`/v2/droplets/${numericId(id)}`);
    if (found === undefined) return undefined;
    const isImport = prior.image === undefined;
    return { state: { ...dropletState(found.droplet), ...(isImport ? importState(found.droplet) : {}) } };
  },

  async update(op, id, inputs, state, changed) {
    if (changed.has("size")) await resize(op, id, inputs);
    if (changed.has("name")) await rename(op, id, text(inputs, "name"));
    await updateBackups(op, id, inputs, changed);
    if (changed.has("privateNetworking") && flag(inputs, "privateNetworking")) {
      await act(op, id, { type: "enable_private_networking" });
    }
    if (changed.has("ipv6") && flag(inputs, "ipv6")) await enableIpv6(op, id);
    if (changed.has("tags")) await retag(op.client, { id, type: "droplet" }, state, inputs);
    if (changed.has("volumeIds"))
      await changeVolumes(op, id, strings(state, "volumeIds"), strings(inputs, "volumeIds"));
  },

  async delete(op, id, state) {
    const timeoutMs = op.timeoutMs ?? deleteTimeoutMs;
    const gone = await isGoneOrUnlocked(op, id, timeoutMs);
    if (gone) return;
    if (flag(state, "gracefulShutdown")) {
      await act(op, id, { type: "shutdown" });
      await waitForStatus(op, id, "off", timeoutMs);
    }
    for (const volume of strings(state, "volumeIds")) await detach(op, volume, Number(id));
    await op.client.remove(`/v2/droplets/${id}`);
    await waitFor({ what: `droplet ${id} to be gone`, timeoutMs, signal: op.signal }, async () => {
      const found = await op.client.find<{ droplet: ApiDroplet }>(`/v2/droplets/${id}`);
      return found === undefined || found.droplet.status === "archive" ? true : undefined;
    });
  },
};

interface CreateAnswer {
  readonly droplet: { readonly id: number };
  readonly links?: { readonly actions?: readonly { readonly id: number; readonly rel: string }[] };
}

/** The create actions of droplets that this process created and that are not active yet. */
const createActions = new Map<string, number | undefined>();

function createBody(inputs: PropertyMap): Record<string, unknown> {
  const image = text(inputs, "image");
  const volumes = strings(inputs, "volumeIds").filter((id) => id !== "");
  const policy = inner(inputs, "backupPolicy");
  return {
    name: text(inputs, "name"),
    region: text(inputs, "region"),
    size: text(inputs, "size"),
    image: isNumeric(image) ? Number(image) : image,
    ssh_keys: strings(inputs, "sshKeys").map((key) => (isNumeric(key) ? Number(key) : key)),
    backups: flag(inputs, "backups"),
    ipv6: flag(inputs, "ipv6"),
    private_networking: flag(inputs, "privateNetworking"),
    monitoring: flag(inputs, "monitoring"),
    ...(inputs.userData === undefined ? {} : { user_data: text(inputs, "userData") }),
    ...(volumes.length === 0 ? {} : { volumes }),
    tags: strings(inputs, "tags"),
    ...(inputs.vpcUuid === undefined ? {} : { vpc_uuid: text(inputs, "vpcUuid") }),
    ...(inputs.dropletAgent === undefined ? {} : { with_droplet_agent: flag(inputs, "dropletAgent") }),
    ...(inputs.publicNetworking === undefined ? {} : { public_networking: flag(inputs, "publicNetworking") }),
    ...(policy === undefined ? {} : { backup_policy: policyBody(policy) }),
  };
}

function policyBody(policy: PropertyMap): Record<string, unknown> {
  return { plan: text(policy, "plan"), weekday: text(policy, "weekday"), hour: amount(policy, "hour") };
}

function isNumeric(value: string): boolean {
  return /^\d+$/.test(value);
}

function numericId(id: string): string {
  if (!isNumeric(id)) throw new Error(`a droplet's id must be a number, got "${id}"`);
  return id;
}

export function dropletState(found: ApiDroplet): PropertyMap {
  const features = found.features ?? undefined;
  return {
    name: found.name,
    dropletUrn: `do:droplet:${found.id}`,
    region: found.region.slug,
    size: found.size?.slug ?? found.size_slug,
    priceHourly: found.size?.price_hourly ?? 0,
    priceMonthly: found.size?.price_monthly ?? 0,
    disk: found.disk,
    vcpus: found.vcpus,
    memory: found.memory,
    status: found.status,
    locked: found.locked,
    createdAt: found.created_at,
    vpcUuid: found.vpc_uuid ?? "",
    ipv4Address: addressOf(found.networks.v4, "public"),
    ipv4AddressPrivate: addressOf(found.networks.v4, "private"),
    ipv6Address: addressOf(found.networks.v6, "public").toLowerCase(),
    publicNetworking: addressOf(found.networks.v4, "public") !== "",
    volumeIds: [...(found.volume_ids ?? [])],
    tags: [...(found.tags ?? [])],
    ...(features === undefined
      ? {}
      : {
          backups: features.includes("backups"),
          ipv6: features.includes("ipv6"),
          privateNetworking: features.includes("private_networking"),
          monitoring: features.includes("monitoring"),
        }),
  };
}

function addressOf(addresses: readonly Address[] | undefined, type: Address["type"]): string {
  return addresses?.find((address) => address.type === type)?.ip_address ?? "";
}

/** The values that only an import reads: an image slug later names newer images, so a refresh does not read it. */
function importState(found: ApiDroplet): PropertyMap {
  return { image: found.image.slug || String(found.image.id), resizeDisk: true };
}

interface DropletWait {
  readonly what: string;
  readonly timeoutMs: number;
  isDone(found: ApiDroplet): boolean;
  /** The reason why the wait can no longer succeed, or `undefined`. */
  failure?(found: ApiDroplet): string | undefined;
  /** The same, asked only after some time, because it needs a separate request. */
  lateFailure?(): Promise<string | undefined>;
}

/** A locked droplet is busy with an action, so its status does not count yet. */
async function waitForDroplet(op: Operation<Client>, id: string, wait: DropletWait): Promise<ApiDroplet> {
  return waitFor({ what: wait.what, timeoutMs: wait.timeoutMs, signal: op.signal }, async (elapsedMs) => {
    const { droplet: found } = await op.client.get<{ droplet: ApiDroplet }>(`/v2/droplets/${id}`);
    if (!found.locked && wait.isDone(found)) return found;
    const failure =
      (found.locked ? undefined : wait.failure?.(found)) ??
      (elapsedMs > checkActionAfterMs ? await wait.lateFailure?.() : undefined);
    if (failure !== undefined) throw new Error(`stopped waiting for ${wait.what}: ${failure}`);
    return undefined;
  });
}

async function failedCreate(op: Operation<Client>, id: string): Promise<string | undefined> {
  const action = createActions.get(id);
  if (action === undefined) return undefined;
  const found = await op.client.find<{ action: { status: string } }>(`/v2/actions/${action}`);
  return found?.action.status === "errored" ? `its create action ${action} ended as "errored"` : undefined;
}

function waitForStatus(
  op: Operation<Client>,
  id: string,
  status: ApiDroplet["status"],
  timeoutMs: number,
): Promise<ApiDroplet> {
  return waitForDroplet(op, id, {
    what: `droplet ${op.name} (${id}) to be ${status}`,
    timeoutMs,
    isDone: (found) => found.status === status,
  });
}

async function isGoneOrUnlocked(op: Operation<Client>, id: string, timeoutMs: number): Promise<boolean> {
  const what = `droplet ${op.name} (${id}) to be unlocked`;
  return waitFor({ what, timeoutMs, signal: op.signal }, async () => {
    const found = await op.client.find<{ droplet: ApiDroplet }>(`/v2/droplets/${numericId(id)}`);
    if (found === undefined) return true;
    return found.droplet.locked ? undefined : false;
  });
}

async function act(
  op: Operation<Client>,
  id: string,
  body: { type: string } & Record<string, unknown>,
): Promise<void> {
  await perform(op, `/v2/droplets/${id}/actions`, body, `${body.type} of droplet ${op.name} (${id})`);
}

async function resize(op: Operation<Client>, id: string, inputs: PropertyMap): Promise<void> {
  const timeoutMs = op.timeoutMs ?? longTimeoutMs;
  try {
    await act(op, id, { type: "power_off" });
  } catch (error) {
    if (!(isStatus(error, 422) && /already powered off/i.test(error.apiMessage))) throw error;
  }
  await waitForStatus(op, id, "off", timeoutMs);
  try {
    await act(op, id, { type: "resize", size: text(inputs, "size"), disk: flag(inputs, "resizeDisk") });
  } finally {
    await act(op, id, { type: "power_on" });
    await waitForStatus(op, id, "active", timeoutMs);
  }
}

async function rename(op: Operation<Client>, id: string, name: string): Promise<void> {
  await act(op, id, { type: "rename", name });
  await waitForDroplet(op, id, {
    what: `droplet ${id} to be named ${name}`,
    timeoutMs: op.timeoutMs ?? longTimeoutMs,
    isDone: (found) => found.name === name,
  });
}

async function updateBackups(
  op: Operation<Client>,
  id: string,
  inputs: PropertyMap,
  changed: ReadonlySet<string>,
): Promise<void> {
  const policy = inner(inputs, "backupPolicy");
  const withPolicy = policy === undefined ? {} : { backup_policy: policyBody(policy) };
  if (changed.has("backups")) {
    if (flag(inputs, "backups")) await act(op, id, { type: "enable_backups", ...withPolicy });
    else await act(op, id, { type: "disable_backups" });
  }
  if (changed.has("backupPolicy") && policy !== undefined) {
    await act(op, id, { type: "change_backup_policy", ...withPolicy });
  }
}

async function enableIpv6(op: Operation<Client>, id: string): Promise<void> {
  await act(op, id, { type: "enable_ipv6" });
  await waitForDroplet(op, id, {
    what: `IPv6 on droplet ${op.name} (${id})`,
    timeoutMs: op.timeoutMs ?? longTimeoutMs,
    isDone: (found) => found.features?.includes("ipv6") === true,
  });
}

async function changeVolumes(
  op: Operation<Client>,
  id: string,
  old: string[],
  wanted: string[],
): Promise<void> {
  for (const volume of wanted.filter((candidate) => !old.includes(candidate))) {
    const body = { type: "attach", droplet_id: Number(id) };
    await perform(op, `/v2/volumes/${volume}/actions`, body, `attaching volume ${volume} to droplet ${id}`);
  }
  for (const volume of old.filter((candidate) => !wanted.includes(candidate)))
    await detach(op, volume, Number(id));
}
