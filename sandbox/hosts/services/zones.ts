import type { Answer, RecordType, StringAnswer } from "dns-packet";
import { DNS_ADDRESS, SPACES_ADDRESS } from "../network/addresses";
import type { Domain, DomainRecord } from "../world";

/** An answer: a code of RFC 1035 and the answer's sections. */
export interface Reply {
  readonly rcode: "NOERROR" | "NXDOMAIN" | "NOTIMP";
  readonly authoritative: boolean;
  readonly answers: readonly Answer[];
  readonly authorities: readonly Answer[];
}

/** Values of TXT records that answer an ACME challenge, by full name. */
export type Challenges = Readonly<Record<string, readonly string[]>>;

/** The names of DigitalOcean's name servers. Here each of them is this server, for hosts that ask a zone's own. */
const NAME_SERVERS = ["ns1.digitalocean.com", "ns2.digitalocean.com", "ns3.digitalocean.com"];
/** A loop of CNAMEs ends after this number of steps. */
const MAX_ALIASES = 8;

/**
 * Answers a request from the account's domains. Names outside of them do not exist, because the sandbox's internet
 * contains nothing else.
 *
 * As in DigitalOcean's own zones, a negative answer can be cached for 1,800 seconds (SOA minimum; RFC 2308). So a
 * host that asks for a name before its record exists sees the same delay as at DigitalOcean.
 */
export function reply(
  domains: readonly Domain[],
  challenges: Challenges,
  type: RecordType | "ANY",
  question: string,
): Reply {
  const name = lower(question);
  if (NAME_SERVERS.includes(name)) return nameServerReply(type, name);
  const domain = domainOf(domains, name);
  if (!domain) return { rcode: "NXDOMAIN", authoritative: false, answers: [], authorities: [] };
  const answers: Answer[] = [];
  let asked = name;
  for (let step = 0; step < MAX_ALIASES; step++) {
    const records = recordsAt(domain, challenges, asked);
    if (records === undefined) {
      const rcode = answers.length > 0 ? "NOERROR" : "NXDOMAIN";
      return {
        rcode,
        authoritative: true,
        answers,
        authorities: inDomain(domain, asked) ? [soa(domain)] : [],
      };
    }
    answers.push(...records.filter((record) => record.type === type || type === "ANY"));
    const alias = type === "CNAME" ? undefined : records.find((r): r is StringAnswer => r.type === "CNAME");
    if (!alias) break;
    if (type !== "ANY") answers.push(alias);
    asked = lower(alias.data);
    if (!inDomain(domain, asked)) break;
  }
  const authorities = answers.length > 0 ? [] : [soa(domain)];
  return { rcode: "NOERROR", authoritative: true, answers, authorities };
}

const nameServerReply = (type: RecordType | "ANY", name: string): Reply =>
  addressReply(type, name, DNS_ADDRESS);

/** The DNS names of DigitalOcean Spaces; undefined for any other. */
export function spacesReply(type: RecordType | "ANY", question: string): Reply | undefined {
  const name = lower(question);
  return name.endsWith(".digitaloceanspaces.com") ? addressReply(type, name, SPACES_ADDRESS) : undefined;
}

function addressReply(type: RecordType | "ANY", name: string, data: string): Reply {
  const answers: Answer[] = type === "A" || type === "ANY" ? [{ type: "A", name, ttl: 1800, data }] : [];
  return { rcode: "NOERROR", authoritative: true, answers, authorities: [] };
}

const lower = (name: string): string => name.toLowerCase().replace(/\.$/, "");
const inDomain = (domain: Domain, name: string): boolean =>
  name === domain.name || name.endsWith(`.${domain.name}`);

/** The longest domain that contains a name. */
function domainOf(domains: readonly Domain[], name: string): Domain | undefined {
  return domains.filter((d) => inDomain(d, name)).sort((a, b) => b.name.length - a.name.length)[0];
}

/** The records of a name, or those of a wildcard if it has none; undefined if the name does not exist. */
function recordsAt(domain: Domain, challenges: Challenges, name: string): Answer[] | undefined {
  if (!inDomain(domain, name)) return undefined;
  const all = domain.records.map((record) => ({ owner: ownerOf(domain, record), record }));
  const own = all.filter(({ owner }) => owner === name);
  const challenge = (challenges[name] ?? []).map((data): Answer => ({ type: "TXT", name, ttl: 0, data }));
  if (name === domain.name) return [soa(domain), ...nameServers(domain), ...toAnswers(domain, own, name)];
  if (own.length > 0 || challenge.length > 0) return [...toAnswers(domain, own, name), ...challenge];
  // A name between two others exists, but has no records (RFC 8020).
  if (all.some(({ owner }) => owner.endsWith(`.${name}`))) return [];
  const wildcard = `*.${name.slice(name.indexOf(".") + 1)}`;
  const matching = all.filter(({ owner }) => owner === wildcard);
  return matching.length > 0 ? toAnswers(domain, matching, name) : undefined;
}

const ownerOf = (domain: Domain, { name }: DomainRecord): string =>
  lower(name === "@" ? domain.name : `${name}.${domain.name}`);

/** "@" and names without a dot at the end are in the domain, as in the API. */
function target(domain: Domain, data: string): string {
  return data === "@" ? domain.name : lower(data);
}

function toAnswers(domain: Domain, records: readonly { record: DomainRecord }[], name: string): Answer[] {
  return records.flatMap(({ record }) => toAnswer(domain, record, name) ?? []);
}

function toAnswer(domain: Domain, record: DomainRecord, name: string): Answer | undefined {
  const { data, ttl } = record;
  switch (record.type) {
    case "A":
    case "AAAA":
      return { type: record.type, name, ttl, data };
    case "CNAME":
      return { type: "CNAME", name, ttl, data: target(domain, data) };
    case "MX":
      return {
        type: "MX",
        name,
        ttl,
        data: { preference: record.priority ?? 0, exchange: target(domain, data) },
      };
    case "TXT":
      return { type: "TXT", name, ttl, data };
    case "SRV": {
      const { port, priority, weight } = record;
      const srv = {
        port: port ?? 0,
        priority: priority ?? 0,
        weight: weight ?? 0,
        target: target(domain, data),
      };
      return { type: "SRV", name, ttl, data: srv };
    }
    case "CAA": {
      const tag = record.tag;
      if (tag !== "issue" && tag !== "issuewild" && tag !== "iodef") return undefined;
      return { type: "CAA", name, ttl, data: { flags: record.flags ?? 0, tag, value: data } };
    }
    case "NS":
      return name === domain.name ? undefined : { type: "NS", name, ttl, data: target(domain, data) };
    default:
      return undefined;
  }
}

function nameServers(domain: Domain): Answer[] {
  return NAME_SERVERS.map((data) => ({ type: "NS", name: domain.name, ttl: domain.ttl, data }));
}

function soa(domain: Domain): Answer {
  const data = {
    mname: "ns1.digitalocean.com",
    rname: `hostmaster.${domain.name}`,
    serial: 1,
    refresh: 10800,
    retry: 3600,
    expire: 604800,
    minimum: 1800,
  };
  return { type: "SOA", name: domain.name, ttl: 1800, data };
}
