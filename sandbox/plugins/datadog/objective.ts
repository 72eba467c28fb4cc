import { list, number, object, optional, required, set, string } from "../provider/fields";
import type { ResourceType } from "../provider/resource";
import { items, notEmpty, oneOf } from "../provider/validators";
import type { PropertyMap } from "../provider/values";
import type { Client } from "./client";

interface ApiObjective {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly description?: string | null;
  readonly query: { readonly numerator: string; readonly denominator: string };
  readonly thresholds: readonly { timeframe: string; target: number; warning?: number | null }[];
  readonly tags?: readonly string[];
}

/** Objectives based on event counts ("metric"). Datadog also has objectives based on monitors and on time slices. */
export const serviceLevelObjective: ResourceType<Client> = {
  name: "ServiceLevelObjective",
  fields: {
    name: required(string, { validate: [notEmpty] }),
    type: required(string, { validate: [oneOf("metric")], replaces: true }),
    description: optional(string),
    query: required(
      object("ServiceLevelObjectiveQuery", { numerator: required(string), denominator: required(string) }),
    ),
    thresholds: required(
      list(
        object("ServiceLevelObjectiveThreshold", {
          timeframe: required(string, { validate: [oneOf("7d", "30d", "90d")] }),
          target: required(number),
          warning: optional(number),
        }),
        items(1),
      ),
    ),
    tags: optional(set(string)),
  },

  async create({ client }, inputs) {
    const { data } = await client.requireAnswer<{ data: ApiObjective[] }>(
      "POST",
      "/api/v1/slo",
      body(inputs),
    );
    const [made] = data;
    if (made === undefined) throw new Error("POST /api/v1/slo: the answer contains no objective");
    return { id: made.id };
  },

  async read({ client }, id) {
    const found = await client.request<{ data: ApiObjective }>("GET", `/api/v1/slo/${id}`);
    if (found === undefined) return undefined;
    const { name, type, description, query, thresholds, tags = [] } = found.data;
    return {
      state: {
        name,
        type,
        ...(description ? { description } : {}),
        query: { numerator: query.numerator, denominator: query.denominator },
        thresholds: thresholds.map(({ timeframe, target, warning }) => ({
          timeframe,
          target,
          ...(warning ? { warning } : {}),
        })),
        tags: [...tags],
      },
    };
  },

  async update({ client }, id, inputs) {
    await client.requireAnswer("PUT", `/api/v1/slo/${id}`, body(inputs));
  },

  async delete({ client }, id) {
    await client.request("DELETE", `/api/v1/slo/${id}`);
  },
};

function body(inputs: PropertyMap): object {
  const { name, type, description, query, thresholds, tags } = inputs;
  return { name, type, description: description ?? null, query, thresholds, tags: tags ?? [] };
}
