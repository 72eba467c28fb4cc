import { z } from "zod";
import { unprocessable } from "../core/errors";
import type { RecordType } from "./zones";

const DNS_NAME = /^(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
/** DigitalOcean's limit for a TXT record (DNS documentation, Limits). */
const MAX_TXT = 4096;

/**
 * A record's data in the stored form. Throws 422, in DigitalOcean's words if they are known. A name must be fully
 * qualified with its dot, `@` (the domain), or one label (inside the domain).
 */
export function recordDataOf(
  domain: string,
  type: RecordType,
  data: string,
  tag: string | undefined,
): string {
  switch (type) {
    case "A":
      if (!z.ipv4().safeParse(data).success)
        throw unprocessable("IP address did not match IPv4 format (e.g. 127.0.0.1).");
      return data;
    case "AAAA":
      if (!z.ipv6().safeParse(data).success) {
        throw unprocessable("IP address did not match IPv6 format (e.g. 2001:db8::ff00:42:8329).");
      }
      return data;
    case "TXT":
      if (data.length > MAX_TXT) throw unprocessable(`data: must be at most ${MAX_TXT} characters`);
      return data;
    case "CAA":
      return caa(domain, data, tag);
    default:
      return name(domain, data);
  }
}

/**
 * RFC 8659: `;` forbids every authority; iodef is a URL; the others name the authority, with a dot at the end at
 * DigitalOcean.
 */
function caa(domain: string, data: string, tag: string | undefined): string {
  if (tag === "iodef") {
    if (!/^(mailto:|https?:\/\/)\S+$/.test(data))
      throw unprocessable("data: must be a mailto:, http or https URL");
    return data;
  }
  if (data === ";") return data;
  return name(domain, data);
}

function name(domain: string, data: string): string {
  const lower = data.toLowerCase();
  if (lower === "@" || lower === `${domain}.`) return "@";
  if (!lower.endsWith(".")) {
    if (lower.includes(".")) throw unprocessable("Data needs to end with a dot (.)");
    if (DNS_NAME.test(lower)) return `${lower}.${domain}`;
  }
  const bare = lower.replace(/\.$/, "");
  if (bare.length > 253 || !DNS_NAME.test(bare)) throw unprocessable("data: is not a valid host name");
  return bare;
}
