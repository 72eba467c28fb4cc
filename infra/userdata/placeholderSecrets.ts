/** Placeholders for secrets that do not exist yet. With them, a preview can calculate the size of user data. */
import { createHash } from "node:crypto";
import type { HostContext, HostSecrets, KeyPair, Password, ReleaseAccess } from "./types";

/**
 * Bytes of base64 in a PEM block, more than in the internal CA's P-256 certificates (under 1,500 with long names) and
 * keys (about 170).
 */
const certificateLength = 1600;
const keyLength = 320;

/** Of two lists during a rotation of the CA. */
const listLength = 1000;

/** Letters and digits that compress no better than a key, and are the same each time. Each `use` gives others. */
function noise(use: string, length: number): string {
  const parts: string[] = [];
  for (let size = 0; size < length; size += 64)
    parts.push(createHash("sha512").update(`${use}.${size}`).digest("base64").replaceAll(/[+/=]/g, "0"));
  return parts.join("").slice(0, length);
}

function pem(kind: string, use: string, length: number): string {
  return `-----BEGIN ${kind}-----\n${noise(use, length)}\n-----END ${kind}-----\n`;
}

function pair(use: string): KeyPair {
  return {
    certificate: pem("CERTIFICATE", `${use} certificate`, certificateLength),
    privateKey: pem("EC PRIVATE KEY", `${use} key`, keyLength),
  };
}

/** With two passwords, as during a rotation, user data is largest. */
function password(use: string): Password {
  const used = noise(use, 32);
  return { used, accepted: [used, noise(`next ${use}`, 32)] };
}

/** An address has a bucket's name (at most 63 characters), a region, Spaces' domain and a host's name. */
const address = `https://${noise("address", 120)}`;
const placeholderRelease: ReleaseAccess = {
  releasesUrl: address,
  statusUrl: address,
  region: "0000",
  publicKey: pem("PUBLIC KEY", "release key", 64),
  accessKeyId: noise("access key", 20),
  secretAccessKey: noise("secret access key", 64),
  sealingKey: createHash("sha512").update("sealing key").digest("base64"),
};

/**
 * Secrets of at least the size of the real ones.
 *
 * @param given the key pair from the settings (passthrough), with its real size
 */
export function placeholderSecrets({ host, settings }: HostContext, given: KeyPair | undefined): HostSecrets {
  const isWeb = host.roles.includes("web");
  const isDatabase = host.roles.includes("database");
  return {
    caCertificate: pair("ca").certificate,
    revocationLists: pem("X509 CRL", "revoked certificates", listLength),
    sshHostKey: pem("PRIVATE KEY", "ssh host key", 64),
    passwords: {
      app: password("app"),
      health: password("health"),
      ...(isDatabase ? { replication: password("replication") } : {}),
    },
    ...(isWeb ? { web: given ?? pair("web"), app: pair("app") } : {}),
    ...(isDatabase ? { database: pair("database") } : {}),
    ...(settings.monitoring.agent === "datadog" ? { datadogApiKey: noise("datadog", 32) } : {}),
    ...(settings.monitoring.agent === "sumologic"
      ? { sumologicUrl: `https://${noise("sumologic", 400)}` }
      : {}),
    ...(settings.releases ? { release: placeholderRelease } : {}),
  };
}
