import { computed, required, string } from "../provider/fields";
import type { ResourceType } from "../provider/resource";
import type { PropertyValue } from "../provider/values";
import type { Client } from "./client";

/** The keys that the API adds to a dashboard. */
const apiKeys = new Set([
  "id",
  "url",
  "author_handle",
  "author_name",
  "created_at",
  "modified_at",
  "is_read_only",
]);

export const dashboardJson: ResourceType<Client> = {
  name: "DashboardJson",
  fields: {
    dashboard: required(string, { validate: [json], sameAs: sameJson }),
    url: computed(string),
  },

  async create({ client }, inputs) {
    const made = await client.requireAnswer<{ id: string }>(
      "POST",
      "/api/v1/dashboard",
      parsed(inputs.dashboard),
    );
    return { id: made.id };
  },

  async read({ client }, id) {
    const found = await client.request<Record<string, unknown>>("GET", `/api/v1/dashboard/${id}`);
    if (found === undefined) return undefined;
    const kept = Object.entries(found).filter(([key]) => !apiKeys.has(key));
    return { state: { dashboard: stable(Object.fromEntries(kept)), url: String(found.url ?? "") } };
  },

  async update({ client }, id, inputs) {
    await client.requireAnswer("PUT", `/api/v1/dashboard/${id}`, parsed(inputs.dashboard));
  },

  async delete({ client }, id) {
    await client.request("DELETE", `/api/v1/dashboard/${id}`);
  },
};

function parsed(text: PropertyValue | undefined): object {
  return JSON.parse(String(text)) as object;
}

function json(value: PropertyValue): string | undefined {
  try {
    const found: unknown = JSON.parse(String(value));
    return typeof found === "object" && found !== null ? undefined : "must be a JSON object";
  } catch {
    return "must be JSON";
  }
}

function sameJson(input: PropertyValue, state: PropertyValue): boolean {
  return stable(parsed(input)) === stable(parsed(state));
}

/** JSON with sorted keys. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
