/** Access to Spaces: compares the grants of a key with one S3 request. Pure. */

import type { Grant } from "../api/core/spaces";

/** The parts of an S3 request that decide about access. Names are percent-decoded. */
export interface S3Request {
  readonly method: string;
  /** Undefined for the list of all buckets. */
  readonly bucket: string | undefined;
  /** Empty for a request about the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  /** The bucket that a copy reads from (`x-amz-copy-source`). */
  readonly copySource: string | undefined;
}

/** A request that S3 itself would take for another than it seems. */
export class UnclearRequest extends Error {}

/** Settings of an object that decide who may read or change it: a limited key may not change them. */
const PROTECTED_SETTINGS = ["acl", "policy", "retention", "legal-hold"];

/** Whether a key with these grants may make the request. The signature is the gateway's business. */
export function isAllowed(grants: readonly Grant[], request: S3Request): boolean {
  if (grants.some(({ permission }) => permission === "fullaccess")) return true;
  const { bucket, copySource } = request;
  if (bucket === undefined) return false;
  const granted = (name: string) => grants.find((grant) => grant.bucket === name)?.permission;
  if (isRead(request.method)) return granted(bucket) === "read" || granted(bucket) === "readwrite";
  if (granted(bucket) !== "readwrite" || !changesObjects(request)) return false;
  return copySource === undefined || ["read", "readwrite"].includes(granted(copySource) ?? "");
}

const isRead = (method: string): boolean => method === "GET" || method === "HEAD";

/** Objects, their parts and deletion in bulk; not the bucket itself, nor who may use it. */
function changesObjects({ method, key, query }: S3Request): boolean {
  if (PROTECTED_SETTINGS.some((name) => query.has(name))) return false;
  return key !== "" || (method === "POST" && query.has("delete"));
}

/**
 * The parts of a request for a host name and a path.
 *
 * @param domain the region's own name, such as `nyc3.digitaloceanspaces.com`; a bucket's name may stand before it
 * @throws UnclearRequest where a path could name another bucket than it shows
 */
export function readRequest(
  method: string,
  host: string,
  target: string,
  copySource: string | undefined,
  domain: string,
): S3Request {
  const end = target.indexOf("?");
  const path = decode(end === -1 ? target : target.slice(0, end));
  const query = new URLSearchParams(end === -1 ? "" : target.slice(end + 1));
  refuseUnclear(path);
  const hosted = host.endsWith(`.${domain}`) ? host.slice(0, -domain.length - 1) : undefined;
  const [first = "", ...rest] = path.slice(1).split("/");
  return {
    method,
    bucket: hosted ?? (first === "" ? undefined : first),
    key: hosted === undefined ? rest.join("/") : path.slice(1),
    query,
    copySource: copySource === undefined ? undefined : decode(copySource).replace(/^\//, "").split("/")[0],
  };
}

function refuseUnclear(path: string): void {
  if (!path.startsWith("/")) throw new UnclearRequest("the path must begin with a slash");
  if (path.startsWith("//") || path.split("/").some((part) => part === "." || part === ".."))
    throw new UnclearRequest("a path must not hold the parts . and .., or begin with two slashes");
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new UnclearRequest("the path holds a percent sign that begins no character");
  }
}
