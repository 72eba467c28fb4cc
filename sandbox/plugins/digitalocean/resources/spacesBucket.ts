import type { Problem } from "../../provider/check";
import {
  boolean,
  computed,
  integer,
  list,
  object,
  optional,
  optionalComputed,
  required,
  string,
} from "../../provider/fields";
import type { ResourceType } from "../../provider/resource";
import { oneOfAnyCase } from "../../provider/validators";
import type { PropertyMap } from "../../provider/values";
import type { Client } from "../client";
import { lowerCase } from "../common";
import { flag, inner, text } from "../inputs";
import { elements, escaped, type SpacesCall, SpacesError, versions, xml } from "../spacesClient";

/** Regions with Spaces that the official provider accepts. */
export const spacesRegion = oneOfAnyCase(
  ...["ams3", "atl1", "blr1", "fra1", "lon1", "nyc3", "ric1", "sfo2", "sfo3", "sgp1", "syd1", "tor1"],
);

const corsRule = object("SpacesBucketCorsRule", {
  allowedMethods: required(list(string)),
  allowedOrigins: required(list(string)),
  allowedHeaders: optional(list(string)),
  maxAgeSeconds: optional(integer),
});
const lifecycleRule = object("SpacesBucketLifecycleRule", {
  id: optionalComputed(string),
  prefix: optional(string),
  enabled: required(boolean),
  abortIncompleteMultipartUploadDays: optional(integer),
  expiration: optional(
    object("SpacesBucketLifecycleRuleExpiration", {
      date: optional(string),
      days: optional(integer),
      expiredObjectDeleteMarker: optional(boolean),
    }),
  ),
  noncurrentVersionExpiration: optional(
    object("SpacesBucketLifecycleRuleNoncurrentVersionExpiration", { days: optional(integer) }),
  ),
});
const versioning = object("SpacesBucketVersioning", { enabled: optional(boolean, { default: false }) });

const NOT_IN_THE_SANDBOX = ["corsRules", "lifecycleRules"];

export const spacesBucket: ResourceType<Client> = {
  name: "SpacesBucket",
  fields: {
    name: required(string, { autoname: true }),
    region: optional(string, {
      default: "nyc3",
      replaces: true,
      validate: [spacesRegion],
      stateOf: lowerCase,
    }),
    acl: optional(string, { default: "private" }),
    corsRules: optional(list(corsRule), {
      deprecated: "Use the resource SpacesBucketCorsConfiguration instead.",
    }),
    forceDestroy: optional(boolean, { default: false }),
    lifecycleRules: optional(list(lifecycleRule)),
    versioning: optional(versioning, { staysWhenAbsent: true }),
    bucketDomainName: computed(string),
    bucketUrn: computed(string),
    endpoint: computed(string),
  },

  problems(inputs): Problem[] {
    return NOT_IN_THE_SANDBOX.filter((key) => inputs[key] !== undefined).map((key) => ({
      path: key,
      reason: `the sandbox's stand-in does not support "${key}", because its S3 server does not; only the official plugin does`,
    }));
  },

  async create({ client }, inputs) {
    const [region, bucket] = [text(inputs, "region"), text(inputs, "name")];
    const headers = { "x-amz-acl": text(inputs, "acl") };
    await client.spaces.call(region, { method: "PUT", bucket, headers });
    await client.spaces.call(region, { method: "HEAD", bucket });
    unsettled.add(bucket);
    return { id: bucket };
  },

  async settle({ client }, id, prior, inputs) {
    const isNew = unsettled.delete(id);
    if (isNew)
      await configure(client, id, inputs, { acl: true, versioning: inputs.versioning !== undefined });
    return stateOf(client, id, prior);
  },

  async read({ client }, id, prior) {
    const { name, region } =
      prior.region === undefined ? fromImportId(id) : { name: id, region: prior.region };
    const known = { ...prior, name: prior.name ?? name, region, forceDestroy: prior.forceDestroy ?? false };
    try {
      await client.spaces.call(text(known, "region"), { method: "HEAD", bucket: name });
    } catch (error) {
      if (error instanceof SpacesError && error.status === 404) return undefined;
      throw error;
    }
    return { id: name, state: await stateOf(client, name, known) };
  },

  async update({ client }, id, inputs, _state, changed) {
    await configure(client, id, inputs, { acl: changed.has("acl"), versioning: changed.has("versioning") });
  },

  async delete({ client }, id, state) {
    const region = text(state, "region");
    for (;;) {
      try {
        await client.spaces.call(region, { method: "DELETE", bucket: id });
        return;
      } catch (error) {
        const isFull = error instanceof SpacesError && error.code === "BucketNotEmpty";
        if (!isFull || !flag(state, "forceDestroy")) throw error;
        await empty(client, region, id);
      }
    }
  },
};

/** Buckets that this process created and whose settings are not made yet: if one fails, the engine keeps the bucket. */
const unsettled = new Set<string>();

async function configure(
  client: Client,
  bucket: string,
  inputs: PropertyMap,
  changed: { acl: boolean; versioning: boolean },
): Promise<void> {
  const put = (call: Partial<SpacesCall>) =>
    client.spaces.call(text(inputs, "region"), { ...call, method: "PUT", bucket });
  if (changed.acl) await put({ query: "acl", headers: { "x-amz-acl": text(inputs, "acl") } });
  if (!changed.versioning) return;
  const status = flag(inner(inputs, "versioning") ?? {}, "enabled") ? "Enabled" : "Suspended";
  await put({ query: "versioning", body: xml("VersioningConfiguration", `<Status>${status}</Status>`) });
}

async function stateOf({ spaces }: Client, bucket: string, prior: PropertyMap): Promise<PropertyMap> {
  const get = (query: string, bucketInPath = false) =>
    spaces.call(text(prior, "region"), { method: "GET", bucket, query, bucketInPath });
  // The same requests as the official provider, which does not repeat the HEAD request after an update.
  const location = (await get("location", true)).body.toString();
  const status = (await get("versioning")).body.toString();
  await get("lifecycle").catch((error: unknown) => {
    if (!(error instanceof SpacesError) || error.code !== "NoSuchLifecycleConfiguration") throw error;
  });
  const region = elements(location, "LocationConstraint")[0] || text(prior, "region");
  const endpoint = `${region}.digitaloceanspaces.com`;
  const name = text(prior, "name");
  return {
    name,
    region,
    versioning: { enabled: elements(status, "Status")[0] === "Enabled" },
    bucketDomainName: `${name}.${endpoint}`,
    bucketUrn: `do:space:${name}`,
    endpoint,
  };
}

/** Deletes what one list shows: the caller repeats it until the bucket is empty. */
async function empty({ spaces }: Client, region: string, bucket: string): Promise<void> {
  const objects = (await versions(spaces, region, bucket)).map(
    ({ key, versionId }) =>
      `<Object><Key>${escaped(key)}</Key><VersionId>${escaped(versionId)}</VersionId></Object>`,
  );
  const body = xml("Delete", objects.join(""));
  await spaces.call(region, { method: "POST", bucket, query: "delete", body });
}

function fromImportId(id: string): { region: string; name: string } {
  const [region = "", name = "", ...rest] = id.split(",");
  if (region === "" || name === "" || rest.length > 0) {
    throw new Error(`to import a bucket use "region,name", such as "nyc3,releases", not "${id}"`);
  }
  return { region, name };
}
