import { readFileSync } from "node:fs";
import tls from "node:tls";

const LIST = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----\n?/g;

/** Without a list, no certificate is trusted: an empty list of CAs, and not Node.js's own. */
function check(read: () => string[]): tls.SecureContextOptions {
  try {
    const crl = read();
    return crl.length > 0 ? { crl } : { ca: [] };
  } catch {
    return { ca: [] };
  }
}

/** The lists in a PEM file; OpenSSL reads one of a text. */
export function readLists(path: string): string[] {
  return readFileSync(path, "utf8").match(LIST) ?? [];
}

/**
 * From now on, each TLS connection of this process as a client checks the server's certificate against lists of revoked
 * ones, which must be there for each CA.
 *
 * mysql2 3.24.6 has no option for them (lib/base/connection.js, getSecureContext), so they are added where it asks
 * Node.js for its context.
 *
 * @param read called for each connection
 * @returns a function that takes the check away again
 */
export function refuseRevoked(read: () => string[]): () => void {
  const { createSecureContext } = tls;
  tls.createSecureContext = (options) => createSecureContext({ ...options, ...check(read) });
  return () => {
    tls.createSecureContext = createSecureContext;
  };
}
