/**
 * Lists of revoked certificates (CRL, RFC 5280). The same arguments give the same bytes, because Ed25519 signatures
 * contain nothing random: an update that revokes nothing changes no file.
 */
import { createPrivateKey, sign, X509Certificate } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AuthorityKeyIdentifier,
  Certificate,
  CertificateList,
  CRLNumber,
  Extension,
  id_ce_authorityKeyIdentifier,
  id_ce_cRLNumber,
  id_ce_subjectKeyIdentifier,
  RevokedCertificate,
  SubjectKeyIdentifier,
  TBSCertList,
  Time,
  Version,
} from "@peculiar/asn1-x509";
import type { Revoked } from "../config/revoked";
import { ReleaseError } from "./releaseError";

/** A certificate authority, PEM. Its key is Ed25519, PKCS #8. */
export interface Authority {
  readonly key: string;
  readonly certificate: string;
}

const ed25519 = "1.3.101.112";

/**
 * The list of an authority, PEM.
 *
 * It begins and ends with the authority's certificate. With the usual validity of a few days, a service would have to renew
 * it. If it began at the time of the revocation, a host whose clock is behind would not accept it. Its number is the time
 * of the newest revocation, and a host does not accept a smaller one.
 *
 * @param revoked also certificates of another authority: serial numbers are random and do not repeat
 */
export function revocationList({ key, certificate }: Authority, revoked: readonly Revoked[]): string {
  const { tbsCertificate } = AsnConvert.parse(new X509Certificate(certificate).raw, Certificate);
  const { subject, validity, extensions = [] } = tbsCertificate;
  const keyId = extensions.find(({ extnID }) => extnID === id_ce_subjectKeyIdentifier);
  if (keyId === undefined) throw new ReleaseError("the certificate of the CA has no subject key identifier");
  const signature = new AlgorithmIdentifier({ algorithm: ed25519 });
  const number = Math.max(0, ...revoked.map(({ revokedAt }) => revokedAt));
  const list = new TBSCertList({
    version: Version.v2,
    signature,
    issuer: subject,
    thisUpdate: validity.notBefore,
    nextUpdate: validity.notAfter,
    ...(revoked.length === 0 ? {} : { revokedCertificates: revoked.map(entry) }),
    crlExtensions: [
      // A rotation's two authorities have the same name; this says whose list it is.
      extension(
        id_ce_authorityKeyIdentifier,
        new AuthorityKeyIdentifier({
          keyIdentifier: AsnConvert.parse(keyId.extnValue.buffer, SubjectKeyIdentifier),
        }),
      ),
      extension(id_ce_cRLNumber, new CRLNumber(number)),
    ],
  });
  const signed = sign(null, Buffer.from(AsnConvert.serialize(list)), createPrivateKey(key));
  const whole = new CertificateList({
    tbsCertList: list,
    signatureAlgorithm: signature,
    signature: bytes(signed),
  });
  return pem(Buffer.from(AsnConvert.serialize(whole)));
}

function entry({ serial, revokedAt }: Revoked): RevokedCertificate {
  const even = serial.length % 2 === 0 ? serial : `0${serial}`;
  // An integer's first bit is its sign.
  const positive = Number.parseInt(even.slice(0, 2), 16) < 0x80 ? even : `00${even}`;
  return new RevokedCertificate({
    userCertificate: bytes(Buffer.from(positive, "hex")),
    revocationDate: new Time(new Date(revokedAt * 1000)),
  });
}

function extension(extnID: string, value: unknown): Extension {
  return new Extension({ extnID, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function bytes(buffer: Buffer): ArrayBuffer {
  return new Uint8Array(buffer).buffer;
}

function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN X509 CRL-----", ...lines, "-----END X509 CRL-----", ""].join("\n");
}
