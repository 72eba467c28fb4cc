import { computed, list, object, optional, required, string } from "../../provider/fields";
import type { ResourceType } from "../../provider/resource";
import type { PropertyMap } from "../../provider/values";
import type { Client } from "../client";
import { maps, text } from "../inputs";

interface ApiSpacesKey {
  readonly name: string;
  readonly access_key: string;
  /** Only in the answer to the creation. */
  readonly secret_key?: string;
  readonly grants?: readonly { readonly bucket: string; readonly permission: string }[] | null;
  readonly created_at: string;
}

const grant = object("SpacesKeyGrant", { bucket: required(string), permission: required(string) });

export const spacesKey: ResourceType<Client> = {
  name: "SpacesKey",
  fields: {
    name: required(string, { autoname: true }),
    grants: optional(list(grant)),
    accessKey: computed(string),
    secretKey: computed(string, { secret: true }),
    createdAt: computed(string),
  },

  async create({ client }, inputs) {
    const { key } = await client.post<{ key: ApiSpacesKey }>("/v2/spaces/keys", body(inputs));
    return { id: key.access_key, state: { ...stateOf(key), secretKey: key.secret_key ?? "" } };
  },

  /** Looks through the list, as the official provider does. */
  async read({ client }, id) {
    const keys = await client.all<ApiSpacesKey>("/v2/spaces/keys", "keys");
    const found = keys.find((key) => key.access_key === id);
    return found && { state: stateOf(found) };
  },

  async update({ client }, id, inputs) {
    await client.put(`/v2/spaces/keys/${id}`, body(inputs));
  },

  /** Fails if the key is already gone, as the official provider does. */
  async delete({ client }, id) {
    await client.delete(`/v2/spaces/keys/${id}`);
  },
};

function body(inputs: PropertyMap): object {
  const grants = maps(inputs, "grants").map((one) => ({
    bucket: text(one, "bucket"),
    permission: text(one, "permission"),
  }));
  return { name: text(inputs, "name"), grants };
}

function stateOf({ name, access_key, grants, created_at }: ApiSpacesKey): PropertyMap {
  return {
    name,
    accessKey: access_key,
    grants: (grants ?? []).map(({ bucket, permission }) => ({ bucket, permission })),
    createdAt: created_at,
  };
}
