/** Checks the certificate in the settings for tls passthrough, before it reaches a web host. */
import { createPrivateKey, X509Certificate } from "node:crypto";

/** Errors in a site's key pair, each in words that fit after the setting's name; empty = none. */
export interface CertificateProblems {
  readonly certificate: readonly string[];
  readonly privateKey: readonly string[];
}

/**
 * Checks that a PEM certificate is valid now, is issued for the site, and belongs to the key.
 *
 * @param siteName the name that clients use, for example "www.foobar.com"
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
    forCertificate.push("expected a readable certificate (PEM, the site's own first, then its chain)");
  } else {
    if (leaf.checkHost(siteName) === undefined) {
      forCertificate.push(
        `expected a certificate for ${siteName}, got one for ${leaf.subjectAltName ?? leaf.subject}`,
      );
    }
    if (now < new Date(leaf.validFrom) || now > new Date(leaf.validTo)) {
      forCertificate.push(
        `expected a certificate that is valid now, got one that is valid from ${leaf.validFrom} to ${leaf.validTo}`,
      );
    }
  }
  const forKey: string[] = [];
  if (key === undefined) forKey.push("expected a readable private key (PEM, without a passphrase)");
  else if (leaf !== undefined && !leaf.checkPrivateKey(key))
    forKey.push("expected the key of passthrough.certificate, got another key");
  return { certificate: forCertificate, privateKey: forKey };
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
