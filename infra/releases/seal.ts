/**
 * Sealed texts: AES-SIV (RFC 5297), which gives the same bytes for the same text, key and purpose. So an update that
 * changes nothing leaves the object in Spaces as it is. A reader of two sealed texts learns only whether they are equal.
 */
import { aessiv } from "@noble/ciphers/aes.js";
import { ReleaseError } from "./releaseError";

/** Half of the key is for the tag, half for AES-256. */
const keyBytes = 64;

/** The purpose of a sealed text. A text opens only for the stack, host and use that it was sealed for. */
export interface Purpose {
  /** The site's label. */
  readonly stack: string;
  /** The host's name in the topology ("web-1"). */
  readonly host: string;
  readonly use: "release" | "status";
}

/**
 * Seals a text.
 *
 * @param key base64 of 64 bytes, the host's own
 * @returns base64
 * @throws ReleaseError if the key has another form
 */
export function seal(text: string, key: string, purpose: Purpose): string {
  return Buffer.from(cipher(key, purpose).encrypt(Buffer.from(text, "utf8"))).toString("base64");
}

/**
 * Opens a sealed text.
 *
 * @param sealed base64
 * @param key base64 of 64 bytes
 * @throws ReleaseError if it was sealed with another key or for another purpose, or was changed
 */
export function open(sealed: string, key: string, purpose: Purpose): string {
  const opening = cipher(key, purpose);
  if (!/^[A-Za-z0-9+/]+={0,2}\n?$/.test(sealed))
    throw new ReleaseError(`the sealed ${named(purpose)} is not base64`);
  try {
    return Buffer.from(opening.decrypt(Buffer.from(sealed, "base64"))).toString("utf8");
  } catch {
    throw new ReleaseError(
      `the ${named(purpose)} does not open with the host's key: it was sealed with another key or for another host, or was changed`,
    );
  }
}

function cipher(key: string, { stack, host, use }: Purpose) {
  const bytes = Buffer.from(key, "base64");
  if (bytes.length !== keyBytes || bytes.toString("base64") !== key) {
    throw new ReleaseError(
      `the sealing key of ${host}: expected base64 of ${keyBytes} bytes, got ${bytes.length} bytes`,
    );
  }
  return aessiv(bytes, Buffer.from(`${stack}/${host}/${use}`, "utf8"));
}

function named({ stack, host, use }: Purpose): string {
  return `${use} of ${stack}/${host}`;
}
