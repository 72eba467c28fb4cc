/**
 * The object that a host fetches: its release, signed. The form is DSSE (github.com/secure-systems-lab/dsse, protocol
 * and envelope of version 1.0), because its signature covers the payload's type and bytes as they are, so that a host
 * decompresses and parses only what it has verified.
 */
import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { gzipped } from "../userdata/gzip";
import { documentText, type ReleaseDocument } from "./document";
import { ReleaseError } from "./releaseError";

export const releasePayloadType = "application/vnd.secured-web.release.v1+gzip";

/** Content type of the object, by which the policies recognize it (policy/releases.md). */
export const releaseContentType = "application/vnd.secured-web.release+json";

/** A host refuses a larger object. */
export const releaseLimitBytes = 1_048_576;

/**
 * The text of a host's release object. The same arguments result in the same bytes: Ed25519 is deterministic (RFC
 * 8032), and the compressor is pinned.
 *
 * @param number Unix time in milliseconds; a host refuses a number that is not larger than that of its release
 * @param privateKeyPem the stack's Ed25519 key, PKCS #8
 * @throws ReleaseError if the number or the key is malformed, or the object is larger than a host accepts
 */
export function envelope(document: ReleaseDocument, number: number, privateKeyPem: string): string {
  if (!Number.isSafeInteger(number) || number <= 0) {
    throw new ReleaseError(
      `release of ${document.host}: expected a positive integer as its number, got ${number}`,
    );
  }
  const key = signingKey(privateKeyPem);
  const payload = gzipped(documentText(document, number));
  const signature = sign(null, preAuthenticationEncoding(releasePayloadType, payload), key);
  const text = JSON.stringify({
    payloadType: releasePayloadType,
    payload: payload.toString("base64"),
    signatures: [{ sig: signature.toString("base64") }],
  });
  if (text.length > releaseLimitBytes) {
    throw new ReleaseError(
      `the release of ${document.host} has ${text.length} bytes, and a host accepts at most ${releaseLimitBytes}. Shorten its content (infra/payload, app).`,
    );
  }
  return text;
}

/** The bytes that are signed ("PAE" in DSSE's protocol). */
function preAuthenticationEncoding(type: string, payload: Uint8Array): Buffer {
  const head = `DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `;
  return Buffer.concat([Buffer.from(head, "utf8"), payload]);
}

/** The error of Node's parser is dropped, because it could quote the key. */
function signingKey(pem: string): KeyObject {
  const wrong = new ReleaseError(
    "the key that signs releases: expected an Ed25519 private key (PKCS #8, PEM)",
  );
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw wrong;
  }
  if (key.asymmetricKeyType !== "ed25519") throw wrong;
  return key;
}
