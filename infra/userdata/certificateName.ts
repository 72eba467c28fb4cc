/** The purpose of a certificate from the internal CA. It determines the certificate's names and key usages. */
export type Service = "web" | "app" | "database";

/**
 * The common name, and whole subject, of all certificates of one purpose. MySQL's accounts require it: the application's
 * certificate opens no account of replication, and the other way round.
 */
export function certificateName(service: Service): string {
  return `secured-web ${service}`;
}
