/** Judges the certificate that the settings bring for tls passthrough, before a web host would. */
import { createPrivateKey, X509Certificate } from "node:crypto";

/** What is wrong with a key pair for a site, each in words that fit behind the setting's name; empty = nothing. */
export interface CertificateProblems {
  readonly certificate: readonly string[];
  readonly privateKey: readonly string[];
}

/**
 * Checks that a PEM certificate is valid now, is for the site, and belongs to the key.
 *
 * @param siteName the name that clients ask for, e.g. "www.foobar.com"
 */
export function judgeCertificate(
  certificate: string,
  privateKey: string,
  siteName: string,
  now: Date,
): CertificateProblems {
  const leaf = attempt(() => new X509Certificate(certificate));
  const key = attempt(() => createPrivateKey(privateKey));
  const forCertificate: string[] = [];
  if (leaf === undefined) {
    forCertificate.push("must be a certificate that can be read (PEM, the site's own first, then its chain)");
  } else {
    if (leaf.checkHost(siteName) === undefined) {
      forCertificate.push(`must be for ${siteName}, is for ${leaf.subjectAltName ?? leaf.subject}`);
    }
    if (now < new Date(leaf.validFrom) || now > new Date(leaf.validTo)) {
      forCertificate.push(`must be valid now, is valid from ${leaf.validFrom} to ${leaf.validTo}`);
    }
  }
  const forKey: string[] = [];
  if (key === undefined) forKey.push("must be a private key that can be read (PEM, without a passphrase)");
  else if (leaf !== undefined && !leaf.checkPrivateKey(key))
    forKey.push("must be the key of passthrough.certificate");
  return { certificate: forCertificate, privateKey: forKey };
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
