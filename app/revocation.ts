import { readFileSync } from "node:fs";

import tls = require("node:tls");

/** The lists of revoked certificates on a host, PEM. OpenSSL reads one of a text. */
export function readLists(): string[] {
  return readFileSync("/etc/secured-web/revoked/lists.pem", "utf8").match(/-+BEGIN(?:.|\n)+?-+END.+/g) ?? [];
}

/**
 * From now on, each TLS connection of this process as a client checks the server's certificate against lists of revoked
 * ones. A list must be there for each CA; without any list, no certificate is trusted.
 *
 * mysql2 3.24.6 has no option for them (lib/base/connection.js, getSecureContext), so they are added where it asks
 * Node.js for its context.
 *
 * @param read called for each connection
 * @returns a function that takes the check away again
 */
export function refuseRevoked(read: () => string[]): () => void {
  const { createSecureContext } = tls;
  tls.createSecureContext = (options) => createSecureContext({ ...options, ...listsOrNoCa(read) });
  return () => {
    tls.createSecureContext = createSecureContext;
  };
}

/** An empty list of CAs means none, and not Node.js's own. */
function listsOrNoCa(read: () => string[]): tls.SecureContextOptions {
  try {
    const crl = read();
    if (crl.length > 0) return { crl };
  } catch {}
  return { ca: [] };
}
