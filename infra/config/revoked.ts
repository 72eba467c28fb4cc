/** Revoked certificates, in the form that settings and the state have. */
import { X509Certificate } from "node:crypto";

/** One revoked certificate. Times in seconds since 1970. */
export interface Revoked {
  /** Hexadecimal. */
  readonly serial: string;
  readonly revokedAt: number;
  /** The certificate's own end. */
  readonly endsAt: number;
}

const form = /^([0-9a-f]{1,40}):(\d{1,12}):(\d{1,12})$/;

/** True for a text of the form `SERIAL:REVOKED_AT:ENDS_AT`, in which settings and the state have them. */
export function isRevoked(text: string): boolean {
  return form.test(text);
}

/** @throws Error if the text has another form */
export function parseRevoked(text: string): Revoked {
  const [, serial, revokedAt, endsAt] = form.exec(text) ?? [];
  if (serial === undefined)
    throw new Error(`expected SERIAL:REVOKED_AT:ENDS_AT of a revoked certificate, got "${text}"`);
  return { serial, revokedAt: Number(revokedAt), endsAt: Number(endsAt) };
}

export function formatRevoked({ serial, revokedAt, endsAt }: Revoked): string {
  return `${serial}:${revokedAt}:${endsAt}`;
}

/** A certificate as it is revoked. */
export function revocationOf(certificatePem: string, revokedAt: number): Revoked {
  const { serialNumber, validTo } = new X509Certificate(certificatePem);
  return { serial: serialNumber.toLowerCase(), revokedAt, endsAt: Math.floor(Date.parse(validTo) / 1000) };
}
