/** Makes X.509 certificates and certificate requests, with @peculiar/x509 and Node's WebCrypto. */
import "reflect-metadata";
import { createPublicKey, type KeyObject, randomBytes, webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";
import { type Algorithm, readPrivateKey } from "./keys";

x509.cryptoProvider.set(webcrypto);

export interface Subject {
  readonly country?: string;
  readonly organization?: string;
  readonly organizationalUnit?: string;
  readonly locality?: string;
  readonly province?: string;
  readonly streetAddresses?: readonly string[];
  readonly postalCode?: string;
  readonly commonName?: string;
  readonly serialNumber?: string;
  readonly emailAddress?: string;
}

export interface Names {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly uris: readonly string[];
}

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface CertificateOptions extends Validity {
  readonly allowedUses: readonly string[];
  readonly isCa: boolean;
  /** Negative for no limit. */
  readonly maxPathLength: number;
  readonly setSubjectKeyId: boolean;
}

export interface Issued {
  readonly pem: string;
  /** Decimal. */
  readonly serialNumber: string;
  readonly keyAlgorithm: Algorithm;
}

const keyUsages: Readonly<Record<string, x509.KeyUsageFlags>> = {
  digital_signature: x509.KeyUsageFlags.digitalSignature,
  content_commitment: x509.KeyUsageFlags.nonRepudiation,
  key_encipherment: x509.KeyUsageFlags.keyEncipherment,
  data_encipherment: x509.KeyUsageFlags.dataEncipherment,
  key_agreement: x509.KeyUsageFlags.keyAgreement,
  cert_signing: x509.KeyUsageFlags.keyCertSign,
  crl_signing: x509.KeyUsageFlags.cRLSign,
  encipher_only: x509.KeyUsageFlags.encipherOnly,
  decipher_only: x509.KeyUsageFlags.decipherOnly,
};

/** RFC 5280 section 4.2.1.12, and the vendors' own. */
const extendedUsages: Readonly<Record<string, string>> = {
  any_extended: "2.5.29.37.0",
  server_auth: "1.3.6.1.5.5.7.3.1",
  client_auth: "1.3.6.1.5.5.7.3.2",
  code_signing: "1.3.6.1.5.5.7.3.3",
  email_protection: "1.3.6.1.5.5.7.3.4",
  ipsec_end_system: "1.3.6.1.5.5.7.3.5",
  ipsec_tunnel: "1.3.6.1.5.5.7.3.6",
  ipsec_user: "1.3.6.1.5.5.7.3.7",
  timestamping: "1.3.6.1.5.5.7.3.8",
  ocsp_signing: "1.3.6.1.5.5.7.3.9",
  microsoft_server_gated_crypto: "1.3.6.1.4.1.311.10.3.3",
  netscape_server_gated_crypto: "2.16.840.1.113730.4.1",
  microsoft_commercial_code_signing: "1.3.6.1.4.1.311.2.1.22",
  microsoft_kernel_code_signing: "1.3.6.1.4.1.311.61.1.1",
};

/** Object identifiers of a name's attributes, in their order in a name. */
const attributes = [
  ["country", "2.5.4.6"],
  ["organization", "2.5.4.10"],
  ["organizationalUnit", "2.5.4.11"],
  ["locality", "2.5.4.7"],
  ["province", "2.5.4.8"],
  ["streetAddresses", "2.5.4.9"],
  ["postalCode", "2.5.4.17"],
  ["commonName", "2.5.4.3"],
  ["serialNumber", "2.5.4.5"],
  ["emailAddress", "1.2.840.113549.1.9.1"],
] as const;

/** Makes a certificate that is signed with its own key. */
export async function selfSigned(
  privateKeyPem: string,
  subject: Subject,
  names: Names,
  options: CertificateOptions & { readonly setAuthorityKeyId: boolean },
): Promise<Issued> {
  const signer = await importKey(privateKeyPem);
  const name = nameOf(subject);
  const extensions = await extensionsFor(options, signer.publicKey, sanOf(names, name));
  if (options.setAuthorityKeyId) {
    extensions.push(await x509.AuthorityKeyIdentifierExtension.create(signer.publicKey));
  }
  return issue({
    ...options,
    subject: name,
    issuer: name,
    publicKey: signer.publicKey,
    signer,
    extensions,
    keyAlgorithm: signer.algorithm,
  });
}

/** Makes a certificate request. */
export async function request(
  privateKeyPem: string,
  subject: Subject,
  names: Names,
): Promise<{ pem: string; keyAlgorithm: Algorithm }> {
  const signer = await importKey(privateKeyPem);
  const name = nameOf(subject);
  const san = sanOf(names, name);
  const made = await x509.Pkcs10CertificateRequestGenerator.create({
    name,
    keys: { privateKey: signer.privateKey, publicKey: signer.publicKey },
    signingAlgorithm: signer.signing,
    extensions: san === undefined ? [] : [san],
  });
  return { pem: `${made.toString("pem")}\n`, keyAlgorithm: signer.algorithm };
}

/**
 * Makes a certificate for a request, signed by a CA.
 *
 * @throws Error if the request's signature is wrong, or if the CA's key does not match the CA's certificate
 */
export async function locallySigned(
  requestPem: string,
  caKeyPem: string,
  caCertPem: string,
  options: CertificateOptions,
): Promise<Issued & { readonly caKeyAlgorithm: Algorithm }> {
  const csr = parse("certificate request", () => new x509.Pkcs10CertificateRequest(requestPem));
  if (!(await csr.verify())) throw new Error("the certificate request's signature does not match its key");
  const ca = parse("CA certificate", () => new x509.X509Certificate(caCertPem));
  const signer = await importKey(caKeyPem);
  await assertSameKey(ca, signer);
  const publicKey = await csr.publicKey.export();
  const san = csr.extensions.find((extension) => extension.type === subjectAlternativeName);
  const extensions = await extensionsFor(options, publicKey, san);
  const caKeyId = ca.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  if (caKeyId !== undefined) extensions.push(new x509.AuthorityKeyIdentifierExtension(caKeyId));
  const keyAlgorithm = algorithmOf(createPublicKey(csr.publicKey.toString("pem")));
  const issued = await issue({
    ...options,
    subject: csr.subjectName,
    issuer: ca.subjectName,
    publicKey,
    signer,
    extensions,
    keyAlgorithm,
  });
  return { ...issued, caKeyAlgorithm: signer.algorithm };
}

const subjectAlternativeName = "2.5.29.17";

function parse<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch {
    throw new Error(`the ${what} is not valid PEM`);
  }
}

async function assertSameKey(ca: x509.X509Certificate, signer: Signer): Promise<void> {
  const [inCertificate, ofKey] = [
    ca.publicKey.rawData,
    await webcrypto.subtle.exportKey("spki", signer.publicKey),
  ];
  if (!Buffer.from(inCertificate).equals(Buffer.from(ofKey))) {
    throw new Error("the CA's private key does not match the CA's certificate");
  }
}

interface Issue extends Validity {
  readonly subject: x509.Name;
  readonly issuer: x509.Name;
  readonly publicKey: webcrypto.CryptoKey;
  readonly signer: Signer;
  readonly extensions: x509.Extension[];
  readonly keyAlgorithm: Algorithm;
}

async function issue(options: Issue): Promise<Issued> {
  const serial = randomBytes(16);
  serial.writeUInt8(serial.readUInt8(0) & 0x7f, 0); // a serial number is positive
  const made = await x509.X509CertificateGenerator.create({
    serialNumber: serial.toString("hex"),
    subject: options.subject,
    issuer: options.issuer,
    notBefore: options.notBefore,
    notAfter: options.notAfter,
    publicKey: options.publicKey,
    signingKey: options.signer.privateKey,
    signingAlgorithm: options.signer.signing,
    extensions: options.extensions,
  });
  const serialNumber = BigInt(`0x${serial.toString("hex")}`).toString();
  return { pem: `${made.toString("pem")}\n`, serialNumber, keyAlgorithm: options.keyAlgorithm };
}

async function extensionsFor(
  options: CertificateOptions,
  publicKey: webcrypto.CryptoKey,
  san: x509.Extension | undefined,
): Promise<x509.Extension[]> {
  const usage = options.allowedUses.reduce((flags, use) => flags | (keyUsages[use] ?? 0), 0);
  const extended = options.allowedUses.map((use) => extendedUsages[use]).filter((oid) => oid !== undefined);
  const pathLength = options.isCa && options.maxPathLength >= 0 ? options.maxPathLength : undefined;
  const extensions: x509.Extension[] = [new x509.BasicConstraintsExtension(options.isCa, pathLength, true)];
  if (usage !== 0) extensions.push(new x509.KeyUsagesExtension(usage, true));
  if (extended.length > 0) extensions.push(new x509.ExtendedKeyUsageExtension(extended));
  if (options.isCa || options.setSubjectKeyId)
    extensions.push(await x509.SubjectKeyIdentifierExtension.create(publicKey));
  if (san !== undefined) extensions.push(san);
  return extensions;
}

function nameOf(subject: Subject): x509.Name {
  const parts: Record<string, string[]>[] = [];
  for (const [key, oid] of attributes) {
    const value = subject[key];
    const values = value === undefined ? [] : typeof value === "string" ? [value] : value;
    for (const each of values) if (each !== "") parts.push({ [oid]: [each] });
  }
  return new x509.Name(parts);
}

/** The extension is critical if the subject is empty, because then only it names the holder (RFC 5280 section 4.2.1.6). */
function sanOf(names: Names, subject: x509.Name): x509.SubjectAlternativeNameExtension | undefined {
  const all: x509.JsonGeneralNames = [
    ...names.dnsNames.map((value) => ({ type: "dns" as const, value })),
    ...names.ipAddresses.map((value) => ({ type: "ip" as const, value })),
    ...names.uris.map((value) => ({ type: "url" as const, value })),
  ];
  return all.length === 0
    ? undefined
    : new x509.SubjectAlternativeNameExtension(all, subject.toString() === "");
}

type Signing =
  | { name: "RSASSA-PKCS1-v1_5"; hash: string }
  | { name: "ECDSA"; hash: string; namedCurve: string }
  | { name: "Ed25519" };

interface Signer {
  readonly privateKey: webcrypto.CryptoKey;
  readonly publicKey: webcrypto.CryptoKey;
  readonly signing: Signing;
  readonly algorithm: Algorithm;
}

async function importKey(pem: string): Promise<Signer> {
  const { key, algorithm } = readPrivateKey(pem);
  const signing = signingFor(key, algorithm);
  const der = key.export({ type: "pkcs8", format: "der" });
  const spki = createPublicKey(key).export({ type: "spki", format: "der" });
  return {
    privateKey: await webcrypto.subtle.importKey("pkcs8", der, signing, true, ["sign"]),
    publicKey: await webcrypto.subtle.importKey("spki", spki, signing, true, ["verify"]),
    signing,
    algorithm,
  };
}

function signingFor(key: KeyObject, algorithm: Algorithm): Signing {
  if (algorithm === "RSA") return { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  if (algorithm === "ED25519") return { name: "Ed25519" };
  const curve = key.asymmetricKeyDetails?.namedCurve ?? "";
  const found = {
    prime256v1: ["P-256", "SHA-256"],
    secp384r1: ["P-384", "SHA-384"],
    secp521r1: ["P-521", "SHA-512"],
  }[curve];
  if (found === undefined) {
    throw new Error(
      `the sandbox's stand-in for the tls plugin cannot sign with a key on the curve ${curve}: set ecdsaCurve of the private key to P256, P384 or P521`,
    );
  }
  const [namedCurve = "", hash = ""] = found;
  return { name: "ECDSA", namedCurve, hash };
}

function algorithmOf(key: KeyObject): Algorithm {
  return key.asymmetricKeyType === "rsa" ? "RSA" : key.asymmetricKeyType === "ec" ? "ECDSA" : "ED25519";
}
