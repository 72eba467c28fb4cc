import { computed, integer, required, string } from "../../provider/fields";
import type { ResourceType } from "../../provider/resource";
import type { Client } from "../client";
import { tagName } from "../common";
import { text } from "../inputs";

interface Counted {
  readonly count?: number;
}

interface ApiTag {
  readonly name: string;
  readonly resources?: Counted & {
    readonly droplets?: Counted;
    readonly images?: Counted;
    readonly volumes?: Counted;
    readonly volume_snapshots?: Counted;
    readonly databases?: Counted;
  };
}

export const tag: ResourceType<Client> = {
  name: "Tag",
  fields: {
    name: required(string, { autoname: true, replaces: true, validate: [tagName] }),
    totalResourceCount: computed(integer),
    dropletsCount: computed(integer),
    imagesCount: computed(integer),
    volumesCount: computed(integer),
    volumeSnapshotsCount: computed(integer),
    databasesCount: computed(integer),
  },

  async create({ client }, inputs) {
    const { tag: made } = await client.post<{ tag: ApiTag }>("/v2/tags", { name: text(inputs, "name") });
    return { id: made.name };
  },

  async read({ client }, id) {
    const found = await client.find<{ tag: ApiTag }>(`/v2/tags/${encodeURIComponent(id)}`);
    if (found === undefined) return undefined;
    const { name, resources } = found.tag;
    return {
      state: {
        name,
        totalResourceCount: resources?.count ?? 0,
        dropletsCount: resources?.droplets?.count ?? 0,
        imagesCount: resources?.images?.count ?? 0,
        volumesCount: resources?.volumes?.count ?? 0,
        volumeSnapshotsCount: resources?.volume_snapshots?.count ?? 0,
        databasesCount: resources?.databases?.count ?? 0,
      },
    };
  },

  async delete({ client }, id) {
    await client.remove(`/v2/tags/${encodeURIComponent(id)}`);
  },
};
