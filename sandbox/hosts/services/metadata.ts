/** One droplet's metadata in DigitalOcean's format: the answer to `/metadata/v1.json`. */
export interface Metadata {
  readonly droplet_id: number;
  readonly hostname: string;
  readonly user_data: string;
  readonly vendor_data: string;
  readonly public_keys: readonly string[];
  readonly region: string;
  readonly interfaces: Readonly<Record<string, readonly object[]>>;
  readonly floating_ip: object;
  readonly reserved_ip: object;
  readonly dns: { readonly nameservers: readonly string[] };
  readonly tags: readonly string[];
  readonly features: object;
}

/**
 * The text of a path in `/metadata/v1`. A folder lists its entries, one per line and folders with a slash. A leaf is
 * its value, and a list has one value per line. Undefined if it does not exist. Source: DigitalOcean's metadata API
 * reference: the index names differ from the JSON's (`id`, `user-data`).
 */
export function metadataText(metadata: Metadata, path: string): string | undefined {
  const { droplet_id, hostname, user_data, vendor_data, public_keys, ...rest } = metadata;
  let node: unknown = {
    id: droplet_id,
    hostname,
    "user-data": user_data,
    "vendor-data": vendor_data,
    "public-keys": public_keys,
    ...rest,
  };
  for (const part of path.split("/").filter((p) => p !== "")) {
    if (typeof node !== "object" || node === null || !Object.hasOwn(node, part)) return undefined;
    node = (node as Record<string, unknown>)[part];
  }
  return isFolder(node) ? listing(node) : leaf(node);
}

function isFolder(node: unknown): node is object {
  if (typeof node !== "object" || node === null) return false;
  return !Array.isArray(node) || node.some((item) => typeof item === "object");
}

const listing = (node: object): string =>
  Object.entries(node)
    .map(([name, value]) => (isFolder(value) ? `${name}/` : name))
    .join("\n");

const leaf = (node: unknown): string => (Array.isArray(node) ? node.join("\n") : String(node));
