import { createHash } from "node:crypto";

/** RFC 9562, section 6.6: the namespace for fully qualified domain names. */
const dnsNamespace = Buffer.from("6ba7b8109dad11d180b400c04fd430c8", "hex");

/**
 * The UUID of a site's replication group. It is derived (UUID version 5, RFC 9562) from the label and the internal
 * zone, not random, so that my.cnf is known at preview and the policies can read it.
 */
export function groupName(label: string, internalZone: string): string {
  const hash = createHash("sha1")
    .update(dnsNamespace)
    .update(`${label}.${internalZone}`)
    .digest()
    .subarray(0, 16);
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
