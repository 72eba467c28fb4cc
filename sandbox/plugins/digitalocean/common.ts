/** Fields, rules and requests that several resource types use. */
import { createHash } from "node:crypto";
import { type Field, optional, set, string } from "../provider/fields";
import type { Operation } from "../provider/resource";
import { matching } from "../provider/validators";
import type { PropertyMap, PropertyValue } from "../provider/values";
import { waitFor } from "../provider/wait";
import { type Client, isStatus } from "./client";
import { strings } from "./inputs";

/** The API returns region and size slugs in lower case, however the program writes them. */
export function lowerCase(value: PropertyValue): PropertyValue {
  return String(value).toLowerCase();
}

/** The state keeps only the SHA-1 of user data and keys: it shows a change and contains no secret. */
export function sha1(value: PropertyValue): PropertyValue {
  return createHash("sha1").update(String(value)).digest("hex");
}

export const tagName = matching(
  /^[a-zA-Z0-9:\-_]{1,255}$/,
  "must be 1 to 255 letters, digits, colons, dashes and underscores",
);

export function sameIgnoringCase(input: PropertyValue, state: PropertyValue): boolean {
  return String(input).toLowerCase() === String(state).toLowerCase();
}

/** Tags that differ only in case are the same tag. */
export const tags: Field = optional(set(string, tagName), { sameAs: sameTags });

function sameTags(input: PropertyValue, state: PropertyValue): boolean {
  const [left, right] = [input, state].map((value) =>
    Array.isArray(value) ? [...new Set(value.map((tag) => String(tag).toLowerCase()))].sort() : [],
  );
  return JSON.stringify(left) === JSON.stringify(right);
}

/** Removes and adds the tags that changed, one request per tag, as the official provider does. */
export async function retag(
  client: Client,
  resource: { readonly id: string; readonly type: "droplet" | "volume" },
  state: PropertyMap,
  inputs: PropertyMap,
): Promise<void> {
  const [old, wanted] = [new Set(strings(state, "tags")), new Set(strings(inputs, "tags"))];
  const body = { resources: [{ resource_id: resource.id, resource_type: resource.type }] };
  for (const tag of old) {
    if (!wanted.has(tag)) await client.delete(`/v2/tags/${encodeURIComponent(tag)}/resources`, body);
  }
  for (const tag of wanted) {
    if (old.has(tag)) continue;
    await client.post("/v2/tags", { name: tag });
    await client.post(`/v2/tags/${encodeURIComponent(tag)}/resources`, body);
  }
}

/** A time in the form of Go's `time.Time.UTC().String()`, which the official provider uses for a VPC's creation. */
export function goTime(iso: string | undefined): string {
  if (iso === undefined) return "";
  const [date = "", time = ""] = iso.replace(/Z$/, "").split("T");
  const [seconds, fraction = ""] = time.split(".");
  const digits = fraction.replace(/0+$/, "");
  return `${date} ${seconds}${digits === "" ? "" : `.${digits}`} +0000 UTC`;
}

/**
 * Deletes a resource that the API refuses to delete while others still use it, such as a VPC whose members are being
 * deleted.
 *
 * @param refusals the statuses of that refusal
 * @param what completes "waiting for": `VPC v-1 to have no members`
 * @throws Error with the API's own reason if the refusals do not end in time
 */
export async function removeWhenFree(
  op: Operation<Client>,
  path: string,
  { refusals, what, timeoutMs }: { refusals: readonly number[]; what: string; timeoutMs: number },
): Promise<void> {
  let reason = "";
  const options = { what, timeoutMs: op.timeoutMs ?? timeoutMs, signal: op.signal };
  await waitFor(options, async () => {
    try {
      await op.client.remove(path);
      return true;
    } catch (error) {
      if (!isStatus(error) || !refusals.includes(error.status)) throw error;
      reason = `: ${error.message}`;
      return undefined;
    }
  }).catch((error: unknown) => {
    throw isStatus(error) || !(error instanceof Error)
      ? error
      : new Error(`${error.message}${reason}`, { cause: error });
  });
}
