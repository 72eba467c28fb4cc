import { computed, required, string } from "../../provider/fields";
import type { ResourceType } from "../../provider/resource";
import { notEmpty } from "../../provider/validators";
import type { Client } from "../client";
import { text } from "../inputs";

export interface ApiSshKey {
  readonly id: number;
  readonly name: string;
  readonly public_key: string;
  readonly fingerprint: string;
}

export const sshKey: ResourceType<Client> = {
  name: "SshKey",
  fields: {
    name: required(string, { autoname: true, validate: [notEmpty] }),
    publicKey: required(string, {
      replaces: true,
      validate: [notEmpty],
      sameAs: (input, state) => String(input).trim() === String(state).trim(),
    }),
    fingerprint: computed(string),
  },

  async create({ client }, inputs) {
    const body = { name: text(inputs, "name"), public_key: text(inputs, "publicKey") };
    const { ssh_key: made } = await client.post<{ ssh_key: ApiSshKey }>("/v2/account/keys", body);
    return { id: String(made.id) };
  },

  async read({ client }, id) {
    const found = await client.find<{ ssh_key: ApiSshKey }>(`/v2/account/keys/${id}`);
    if (found === undefined) return undefined;
    const { name, public_key, fingerprint } = found.ssh_key;
    return { state: { name, publicKey: public_key, fingerprint } };
  },

  async update({ client }, id, inputs) {
    await client.put(`/v2/account/keys/${id}`, { name: text(inputs, "name") });
  },

  async delete({ client }, id) {
    await client.remove(`/v2/account/keys/${id}`);
  },
};
