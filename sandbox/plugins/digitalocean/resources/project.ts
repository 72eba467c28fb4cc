import {
  boolean,
  computed,
  integer,
  optional,
  optionalComputed,
  required,
  set,
  string,
} from "../../provider/fields";
import type { ResourceType } from "../../provider/resource";
import { length, notEmpty, oneOfAnyCase } from "../../provider/validators";
import type { PropertyMap } from "../../provider/values";
import type { Client } from "../client";
import { removeWhenFree, sameIgnoringCase } from "../common";
import { apiBody, flag, strings, text } from "../inputs";

interface ApiProject {
  readonly id: string;
  readonly name: string;
  readonly description?: string;
  readonly purpose?: string;
  readonly environment?: string;
  readonly is_default: boolean;
  readonly owner_uuid?: string;
  readonly owner_id?: number;
  readonly created_at?: string;
  readonly updated_at?: string;
}

const deleteTimeoutMs = 3 * 60_000;

export const project: ResourceType<Client> = {
  name: "Project",
  fields: {
    name: required(string, { autoname: true, validate: [notEmpty, length(1, 175)] }),
    description: optional(string, { default: "", validate: [length(0, 255)] }),
    purpose: optional(string, { default: "Web Application", validate: [length(0, 255)] }),
    environment: optional(string, {
      validate: [oneOfAnyCase("development", "staging", "production")],
      sameAs: sameIgnoringCase,
    }),
    isDefault: optional(boolean, { default: false }),
    resources: optionalComputed(set(string)),
    ownerUuid: computed(string),
    ownerId: computed(integer),
    createdAt: computed(string),
    updatedAt: computed(string),
  },

  async create({ client }, inputs) {
    const { project: made } = await client.post<{ project: ApiProject }>("/v2/projects", body(inputs));
    return { id: made.id };
  },

  /** Assigns resources after the project exists, so that a failure here keeps the project in the state. */
  async settle(op, id, prior, inputs) {
    if (inputs.resources !== undefined && prior.createdAt === undefined) {
      await assign(op.client, id, strings(inputs, "resources"));
      if (flag(inputs, "isDefault")) await put(op.client, id, inputs);
    }
    const found = await readProject(op.client, id);
    if (found === undefined) throw new Error(`project ${op.name} (${id}) no longer exists`);
    return found;
  },

  async read({ client }, id) {
    const state = await readProject(client, id);
    return state && { state };
  },

  async update(op, id, inputs, state, changed) {
    await put(op.client, id, inputs);
    if (changed.has("resources"))
      await move(op.client, id, strings(state, "resources"), strings(inputs, "resources"));
  },

  async delete(op, id, state) {
    const resources = strings(state, "resources");
    if (resources.length > 0) await assignToDefault(op.client, resources);
    await removeWhenFree(op, `/v2/projects/${id}`, {
      refusals: [412],
      what: `project ${id} to be empty`,
      timeoutMs: deleteTimeoutMs,
    });
  },
};

function body(inputs: PropertyMap): Record<string, unknown> {
  return apiBody(inputs, "name", "description", "purpose", "environment");
}

async function put(client: Client, id: string, inputs: PropertyMap): Promise<void> {
  await client.put(`/v2/projects/${id}`, {
    name: text(inputs, "name"),
    description: text(inputs, "description"),
    purpose: text(inputs, "purpose"),
    environment: text(inputs, "environment"),
    is_default: flag(inputs, "isDefault"),
  });
}

async function readProject(client: Client, id: string): Promise<PropertyMap | undefined> {
  const found = await client.find<{ project: ApiProject }>(`/v2/projects/${id}`);
  if (found === undefined) return undefined;
  const { project: current } = found;
  return {
    name: current.name,
    // The API adds this prefix to a purpose that is not on its own list.
    purpose: (current.purpose ?? "").replace(/^Other: /, ""),
    description: current.description ?? "",
    environment: current.environment ?? "",
    isDefault: current.is_default,
    ownerUuid: current.owner_uuid ?? "",
    ownerId: current.owner_id ?? 0,
    createdAt: current.created_at ?? "",
    updatedAt: current.updated_at ?? "",
    resources: await urns(client, id),
  };
}

async function urns(client: Client, id: string): Promise<string[]> {
  const found = await client.all<{ urn: string }>(`/v2/projects/${id}/resources`, "resources");
  return found.map(({ urn }) => urn);
}

async function assign(client: Client, id: string, resources: readonly string[]): Promise<void> {
  const named = resources.filter((urn) => urn !== "");
  if (named.length > 0) await client.post(`/v2/projects/${id}/resources`, { resources: named });
}

/** Every resource is in exactly one project, so removing it from one means assigning it to the default project. */
async function assignToDefault(client: Client, resources: readonly string[]): Promise<void> {
  const { project: fallback } = await client.get<{ project: ApiProject }>("/v2/projects/default");
  await assign(client, fallback.id, resources);
}

async function move(
  client: Client,
  id: string,
  old: readonly string[],
  wanted: readonly string[],
): Promise<void> {
  const [away, here] = [
    old.filter((urn) => !wanted.includes(urn)),
    wanted.filter((urn) => !old.includes(urn)),
  ];
  if (away.length > 0) await assignToDefault(client, away);
  await assign(client, id, here);
}

export const projectResources: ResourceType<Client> = {
  name: "ProjectResources",
  fields: {
    project: required(string, { replaces: true, validate: [notEmpty] }),
    resources: required(set(string)),
  },

  async create({ client }, inputs) {
    const id = text(inputs, "project");
    await client.get(`/v2/projects/${id}`);
    await assign(client, id, strings(inputs, "resources"));
    return { id };
  },

  async read({ client }, id, prior) {
    if ((await client.find(`/v2/projects/${id}`)) === undefined) return undefined;
    const there = await urns(client, id);
    const isImport = prior.resources === undefined;
    const resources = isImport ? there : strings(prior, "resources").filter((urn) => there.includes(urn));
    return { state: { project: id, resources } };
  },

  async update({ client }, id, inputs, state) {
    await client.get(`/v2/projects/${id}`);
    await move(client, id, strings(state, "resources"), strings(inputs, "resources"));
  },

  async delete({ client }, _id, state) {
    const id = text(state, "project");
    if ((await client.find(`/v2/projects/${id}`)) === undefined) return;
    const resources = strings(state, "resources");
    if (resources.length > 0) await assignToDefault(client, resources);
  },
};
