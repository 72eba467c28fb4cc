import { createPrivateKey, type KeyObject, randomBytes, randomUUID, X509Certificate } from "node:crypto";
import { z } from "zod";
import type { Api } from "../core/api";
import { timestamp } from "../core/clock";
import { forbidden, notFound, unprocessable } from "../core/errors";
import { type ApiRequest, created, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import type { Store, Table } from "../core/store";
import { optional, parseBody, parseQuery, text } from "../core/validation";
import { certificateUsers } from "./loadBalancerRecord";
import { managedDomain } from "./zones";

export interface CertificateRecord {
  readonly id: string;
  readonly name: string;
  readonly type: "custom" | "lets_encrypt";
  readonly state: "pending" | "verified" | "error";
  readonly dns_names: readonly string[];
  readonly not_after: string;
  /** 40 hexadecimal digits; empty while there is no certificate yet. */
  readonly sha1_fingerprint: string;
  readonly created_at: string;
}

/**
 * The content of `Store.readFile(certificateFile(id))` for a certificate, as JSON with PEM texts. A custom certificate
 * has this file from the start. For one from Let's Encrypt, a host driver that issues certificates writes it before its
 * `apply` of `certificates` returns. Without such a driver there is no file.
 */
export interface CertificateFile {
  readonly private_key: string;
  readonly leaf_certificate: string;
  readonly certificate_chain: string;
}

export const certificateTable = (store: Store): Table<CertificateRecord> =>
  store.table<CertificateRecord>("certificates");

export const certificateFile = (id: string): string => `certificate-${id}.json`;

/** The validity of Let's Encrypt's certificates. */
const LETS_ENCRYPT_DAYS = 90;
/** Go's zero time, which DigitalOcean shows before the certificate is issued. */
const NO_TIME = "0001-01-01T00:00:00Z";
const ACTION = "certificate";

const dnsName = z
  .string()
  .max(253)
  .transform((name) => name.toLowerCase())
  .refine((name) => z.hostname().safeParse(name.replace(/^\*\./, "")).success && name.includes("."), {
    error: "must be a fully qualified domain name",
  });
const pem = text(65_536);

const body = z.object({
  name: z
    .string()
    .regex(/^[\w.-]{1,255}$/, "may only contain letters, digits, periods, dashes and underscores"),
  type: z.enum(["custom", "lets_encrypt", ""]).optional(),
  dns_names: optional(z.array(dnsName)),
  private_key: optional(pem),
  leaf_certificate: optional(pem),
  certificate_chain: optional(z.string().max(262_144)),
});
type Given = z.output<typeof body>;
const listQuery = z.object({ name: text().optional() });

/** `/v2/certificates`: uploaded certificates, and those from Let's Encrypt for the account's domains. */
export function registerCertificates(api: Api): void {
  const certificates = certificateTable(api.store);
  const wanted = (request: ApiRequest): CertificateRecord => {
    const certificate = certificates.get(param(request, "certificate"));
    if (!certificate) throw notFound();
    return certificate;
  };

  api.actions.define(ACTION, {
    unlisted: true,
    perform: () => api.applyToHost({ kind: "certificates" }),
    complete: ({ resource_id }) => issue(api, String(resource_id)),
    fail: ({ resource_id }) => {
      const certificate = certificates.get(resource_id);
      if (certificate) certificates.put(certificate.id, { ...certificate, state: "error" });
    },
  });

  api.get("/v2/certificates", (request) => {
    const { name } = parseQuery(listQuery, request);
    return page(
      request,
      "certificates",
      certificates.values().filter((certificate) => name === undefined || certificate.name === name),
    );
  });

  api.post("/v2/certificates", (request) => {
    const given = parseBody(body, request.body);
    if (certificates.values().some(({ name }) => name === given.name)) {
      throw unprocessable("name: a certificate of this name exists already");
    }
    return created({
      certificate: isLetsEncrypt(given) ? addLetsEncrypt(api, given) : addCustom(api, given),
    });
  });

  api.get("/v2/certificates/:certificate", (request) => ok({ certificate: wanted(request) }));

  api.delete("/v2/certificates/:certificate", (request) => {
    const { id } = wanted(request);
    if (certificateUsers(api.store, id).length > 0) {
      throw forbidden("Make sure the certificate is not in use before deleting it");
    }
    certificates.delete(id);
    api.store.deleteFile(certificateFile(id));
    api.actions.abandon(ACTION, id);
    api.deleted("certificate", id);
    api.changed({ kind: "certificates" });
    return noContent();
  });
}

/** Without a `type`, the given fields decide. */
function isLetsEncrypt({ type, dns_names }: Given): boolean {
  return type ? type === "lets_encrypt" : dns_names !== undefined;
}

function addLetsEncrypt(api: Api, { name, dns_names = [] }: Given): CertificateRecord {
  if (dns_names.length === 0)
    throw unprocessable("dns_names is required for a certificate of type lets_encrypt");
  const unmanaged = dns_names.find((dns) => !managedDomain(api.store, dns.replace(/^\*\./, "")));
  if (unmanaged) {
    throw unprocessable(
      `dns_names: ${unmanaged} is not managed by DigitalOcean DNS; add its domain to the account first`,
    );
  }
  const id = randomUUID();
  const certificate = certificateTable(api.store).put(id, {
    id,
    name,
    type: "lets_encrypt",
    state: "pending",
    dns_names: [...new Set(dns_names)],
    not_after: NO_TIME,
    sha1_fingerprint: "",
    created_at: timestamp(),
  });
  api.actions.start({ type: "issue", resource_id: id, resource_type: ACTION, region_slug: null });
  return certificate;
}

/** Completes the issuing: the certificate shows the result, or an error if a domain no longer exists. */
function issue(api: Api, id: string): void {
  const certificate = certificateTable(api.store).get(id);
  if (!certificate) return;
  const managed = certificate.dns_names.every((name) => managedDomain(api.store, name.replace(/^\*\./, "")));
  certificateTable(api.store).put(
    id,
    managed
      ? { ...certificate, state: "verified", ...issued(api.store, id) }
      : { ...certificate, state: "error" },
  );
}

/**
 * Reads both values from the issued certificate. If no driver has issued one, it computes a time and generates a
 * fingerprint.
 */
function issued(store: Store, id: string): Pick<CertificateRecord, "not_after" | "sha1_fingerprint"> {
  const file = store.readFile(certificateFile(id));
  if (file) return shownOf(parseLeaf((JSON.parse(file) as CertificateFile).leaf_certificate));
  const not_after = timestamp(new Date(Date.now() + LETS_ENCRYPT_DAYS * 86_400_000));
  return { not_after, sha1_fingerprint: randomBytes(20).toString("hex") };
}

const shownOf = (leaf: X509Certificate): Pick<CertificateRecord, "not_after" | "sha1_fingerprint"> => ({
  not_after: timestamp(new Date(leaf.validTo)),
  sha1_fingerprint: leaf.fingerprint.replaceAll(":", "").toLowerCase(),
});

function addCustom(api: Api, given: Given): CertificateRecord {
  const { name, private_key, leaf_certificate, certificate_chain = "" } = given;
  if (!private_key) throw unprocessable("private_key is required for a certificate of type custom");
  if (!leaf_certificate) throw unprocessable("leaf_certificate is required for a certificate of type custom");
  const leaf = parseLeaf(leaf_certificate);
  if (!leaf.checkPrivateKey(parseKey(private_key))) {
    throw unprocessable("private_key: does not belong to leaf_certificate");
  }
  checkChain(leaf, certificate_chain);
  const id = randomUUID();
  const file: CertificateFile = { private_key, leaf_certificate, certificate_chain };
  api.store.putFile(certificateFile(id), JSON.stringify(file));
  api.changed({ kind: "certificates" });
  return certificateTable(api.store).put(id, {
    id,
    name,
    type: "custom",
    state: "verified",
    dns_names: dnsNames(leaf),
    ...shownOf(leaf),
    created_at: timestamp(),
  });
}

function parseLeaf(text: string): X509Certificate {
  const [first, ...rest] = blocks(text);
  if (first === undefined) throw unprocessable("leaf_certificate: is no certificate in PEM form");
  if (rest.length > 0)
    throw unprocessable("leaf_certificate: holds more than one; the rest is certificate_chain");
  const leaf = parseCertificate("leaf_certificate", first);
  if (new Date(leaf.validTo) <= new Date()) throw unprocessable("leaf_certificate: has expired");
  return leaf;
}

/** Throws 422 for an invalid key. The message does not contain the key. */
function parseKey(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    throw unprocessable("private_key: is no unencrypted private key in PEM form");
  }
}

function checkChain(leaf: X509Certificate, text: string): void {
  if (text.trim() === "") return;
  const chain = blocks(text).map((block) => parseCertificate("certificate_chain", block));
  if (chain.length === 0) throw unprocessable("certificate_chain: holds no certificate in PEM form");
  if (!chain.some((issuer) => leaf.checkIssued(issuer) && leaf.verify(issuer.publicKey))) {
    throw unprocessable("certificate_chain: holds no certificate that issued leaf_certificate");
  }
}

const blocks = (text: string): string[] =>
  text.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];

function parseCertificate(field: string, block: string): X509Certificate {
  try {
    return new X509Certificate(block);
  } catch {
    throw unprocessable(`${field}: is no certificate in PEM form`);
  }
}

/** The DNS names of the certificate: only those in the extension, if it has one (RFC 6125). */
function dnsNames(leaf: X509Certificate): string[] {
  const alternatives = leaf.subjectAltName?.split(", ") ?? [];
  return alternatives.filter((name) => name.startsWith("DNS:")).map((name) => name.slice(4));
}
