/** Placeholders for secrets that do not exist yet. With them, a preview can calculate the size of user data. */
import type { HostContext, HostSecrets, KeyPair, ReleaseAccess } from "./types";

/**
 * Bytes of base64 in a PEM block, more than in the internal CA's P-256 certificates (under 1,500 with long names) and
 * keys (about 170).
 */
const certificateLength = 1600;
const keyLength = 320;

function pem(kind: string, length: number): string {
  return `-----BEGIN ${kind}-----\n${"A".repeat(length)}\n-----END ${kind}-----\n`;
}

/** An address has a bucket's name (at most 63 characters), a region, Spaces' domain and a host's name. */
const address = `https://${"0".repeat(120)}`;
const placeholderRelease: ReleaseAccess = {
  releasesUrl: address,
  statusUrl: address,
  region: "0000",
  publicKey: pem("PUBLIC KEY", 64),
  accessKeyId: "0".repeat(20),
  secretAccessKey: "0".repeat(64),
  sealingKey: Buffer.alloc(64).toString("base64"),
};

/**
 * Secrets of at least the size of the real ones.
 *
 * @param given the key pair from the settings (passthrough), with its real size
 */
export function placeholderSecrets({ host, settings }: HostContext, given: KeyPair | undefined): HostSecrets {
  const pair: KeyPair = {
    certificate: pem("CERTIFICATE", certificateLength),
    privateKey: pem("EC PRIVATE KEY", keyLength),
  };
  const password = "0".repeat(32);
  const isWeb = host.roles.includes("web");
  const isDatabase = host.roles.includes("database");
  return {
    caCertificate: pair.certificate,
    passwords: { app: password, health: password, ...(isDatabase ? { replication: password } : {}) },
    ...(isWeb ? { web: given ?? pair, app: pair } : {}),
    ...(isDatabase ? { database: pair } : {}),
    ...(settings.monitoring.agent === "datadog" ? { datadogApiKey: password } : {}),
    ...(settings.monitoring.agent === "sumologic" ? { sumologicUrl: `https://${"0".repeat(400)}` } : {}),
    ...(settings.releases ? { release: placeholderRelease } : {}),
  };
}
