import type { DnsRecord } from "./zones";

/** The zone in the format of RFC 1035, section 5, as the API shows it with a domain. */
export function zoneFile(domain: string, createdAt: string, records: readonly DnsRecord[]): string {
  const fqdn = (name: string) => (name === "@" ? `${domain}.` : `${name}.${domain}.`);
  const lines = records.map((record) => {
    const owner = fqdn(record.name);
    if (record.type === "SOA") return `${owner} IN SOA ${soa(domain, createdAt, record)}`;
    return `${owner} ${record.ttl} IN ${record.type} ${recordData(domain, record)}`;
  });
  const ttl = records.find(({ type }) => type === "SOA")?.ttl ?? 1800;
  return `${[`$ORIGIN ${domain}.`, `$TTL ${ttl}`, ...lines].join("\n")}\n`;
}

/** The serial number is the domain's creation time in seconds since 1970, as at DigitalOcean. */
function soa(domain: string, createdAt: string, { ttl }: DnsRecord): string {
  const serial = Math.floor(Date.parse(createdAt) / 1000);
  return `ns1.digitalocean.com. hostmaster.${domain}. ${serial} 10800 3600 604800 ${ttl}`;
}

function recordData(domain: string, record: DnsRecord): string {
  const host = record.data === "@" ? `${domain}.` : `${record.data}.`;
  switch (record.type) {
    case "CNAME":
    case "NS":
      return host;
    case "MX":
      return `${record.priority} ${host}`;
    case "SRV":
      return `${record.priority} ${record.weight} ${record.port} ${host}`;
    case "CAA":
      return `${record.flags} ${record.tag} "${record.data}"`;
    case "TXT":
      return quoted(record.data);
    default:
      return record.data;
  }
}

/** A character string has at most 255 bytes (RFC 1035, section 3.3), so a longer text is split. */
function quoted(text: string): string {
  const bytes = Buffer.from(text);
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += 255) parts.push(bytes.subarray(at, at + 255).toString("latin1"));
  return parts.map((part) => `"${part.replace(/["\\]/g, "\\$&")}"`).join(" ");
}
