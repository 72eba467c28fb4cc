import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import {
  boolean,
  computed,
  map,
  optional,
  optionalComputed,
  required,
  string,
  type Validator,
} from "../../provider/fields";
import type { ResourceType } from "../../provider/resource";
import { notEmpty, oneOf } from "../../provider/validators";
import { isMap, type PropertyMap } from "../../provider/values";
import type { Client } from "../client";
import { text } from "../inputs";
import { SpacesError, versions } from "../spacesClient";
import { spacesRegion } from "./spacesBucket";

/** The headers of an object that are properties of the resource. */
const HEADERS: Readonly<Record<string, string>> = {
  cacheControl: "cache-control",
  contentDisposition: "content-disposition",
  contentEncoding: "content-encoding",
  contentLanguage: "content-language",
  contentType: "content-type",
  websiteRedirect: "x-amz-website-redirect-location",
};
const METADATA = "x-amz-meta-";

const lowerCaseKeys: Validator = (value) =>
  isMap(value) && Object.keys(value).some((key) => key !== key.toLowerCase())
    ? "must have keys in lower case only"
    : undefined;

export const spacesBucketObject: ResourceType<Client> = {
  name: "SpacesBucketObject",
  fields: {
    region: required(string, { replaces: true, validate: [spacesRegion] }),
    bucket: required(string, { replaces: true, validate: [notEmpty] }),
    key: required(string, { replaces: true, validate: [notEmpty] }),
    acl: optional(string, { default: "private", validate: [oneOf("private", "public-read")] }),
    cacheControl: optional(string),
    contentDisposition: optional(string),
    contentEncoding: optional(string),
    contentLanguage: optional(string),
    contentType: optionalComputed(string),
    metadata: optional(map(string), { validate: [lowerCaseKeys] }),
    source: optional(string, { conflictsWith: ["content", "contentBase64"] }),
    content: optional(string, { conflictsWith: ["source", "contentBase64"] }),
    contentBase64: optional(string, { conflictsWith: ["source", "content"] }),
    etag: optionalComputed(string),
    versionId: computed(string),
    websiteRedirect: optional(string),
    forceDestroy: optional(boolean, { default: false }),
  },

  async create({ client }, inputs) {
    await put(client, inputs);
    return { id: text(inputs, "key") };
  },

  /** Reads the headers only: foreign content shows in the etag, which is not compared. */
  async read({ client }, _id, prior) {
    if (prior.bucket === undefined) throw new Error("a SpacesBucketObject cannot be imported");
    const at = { bucket: text(prior, "bucket"), key: text(prior, "key") };
    try {
      const { headers } = await client.spaces.call(text(prior, "region"), { ...at, method: "HEAD" });
      return { state: stateOf(headers) };
    } catch (error) {
      if (error instanceof SpacesError && error.status === 404) return undefined;
      throw error;
    }
  },

  async update({ client }, _id, inputs, _state, changed) {
    if ([...changed].some((key) => key !== "acl" && key !== "forceDestroy")) return put(client, inputs);
    if (!changed.has("acl")) return;
    const at = { bucket: text(inputs, "bucket"), key: text(inputs, "key") };
    const headers = { "x-amz-acl": text(inputs, "acl") };
    await client.spaces.call(text(inputs, "region"), { ...at, method: "PUT", query: "acl", headers });
  },

  /** With versioning, every version goes. */
  async delete({ client: { spaces } }, _id, state) {
    const [region, bucket] = [text(state, "region"), text(state, "bucket")];
    const key = text(state, "key").replace(/^\/+/, "");
    const remove = (query?: string) =>
      spaces
        .call(region, { method: "DELETE", bucket, key, ...(query === undefined ? {} : { query }) })
        .catch((error: unknown) => {
          const isGone = error instanceof SpacesError && ["NoSuchBucket", "NoSuchKey"].includes(error.code);
          if (!isGone) throw error;
        });
    if (text(state, "versionId") === "") return void (await remove());
    for (;;) {
      const own = (await versions(spaces, region, bucket, key)).filter((one) => one.key === key);
      if (own.length === 0) return;
      for (const { versionId } of own) await remove(`versionId=${encodeURIComponent(versionId)}`);
    }
  },
};

async function put({ spaces }: Client, inputs: PropertyMap): Promise<void> {
  const headers: Record<string, string> = { "x-amz-acl": text(inputs, "acl") };
  for (const [property, header] of Object.entries(HEADERS)) {
    if (text(inputs, property) !== "") headers[header] = text(inputs, property);
  }
  for (const [key, value] of Object.entries(isMap(inputs.metadata) ? inputs.metadata : {})) {
    if (!key.startsWith("__")) headers[`${METADATA}${key}`] = String(value);
  }
  const at = { bucket: text(inputs, "bucket"), key: text(inputs, "key") };
  const body = await contentOf(inputs);
  await spaces.call(text(inputs, "region"), { ...at, method: "PUT", headers, body });
}

async function contentOf(inputs: PropertyMap): Promise<Buffer> {
  const source = text(inputs, "source");
  if (source !== "") return readFile(source.replace(/^~(?=\/|$)/, homedir()));
  const base64 = text(inputs, "contentBase64");
  if (base64 === "") return Buffer.from(text(inputs, "content"));
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0)
    throw new Error("contentBase64 is not Base64");
  return Buffer.from(base64, "base64");
}

function stateOf(headers: Readonly<Record<string, string | string[] | undefined>>): PropertyMap {
  const header = (name: string) => String(headers[name] ?? "");
  const own = Object.entries(HEADERS).map(([property, name]) => [property, header(name)]);
  const metadata = Object.keys(headers)
    .filter((name) => name.startsWith(METADATA))
    .map((name) => [name.slice(METADATA.length), header(name)]);
  return {
    ...Object.fromEntries(own),
    metadata: Object.fromEntries(metadata),
    versionId: header("x-amz-version-id"),
    etag: header("etag").replace(/^"|"$/g, ""),
  };
}
