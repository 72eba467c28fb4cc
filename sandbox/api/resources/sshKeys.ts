import { createHash } from "node:crypto";
import { z } from "zod";
import type { Api } from "../core/api";
import { notFound, unprocessable } from "../core/errors";
import { type ApiRequest, created, noContent, ok, param } from "../core/http";
import { page } from "../core/pagination";
import type { Store, Table } from "../core/store";
import { parseBody, text } from "../core/validation";

export interface SshKey {
  readonly id: number;
  readonly name: string;
  readonly public_key: string;
  readonly fingerprint: string;
}

const createBody = z.object({ name: text(), public_key: text(16_384) });
const updateBody = z.object({ name: text() });

const keyTable = (store: Store): Table<SshKey> => store.table<SshKey>("ssh_keys");

/** The key with that id or fingerprint. The API accepts either everywhere. */
export function findSshKey(store: Store, idOrFingerprint: string | number): SshKey | undefined {
  const keys = keyTable(store);
  return keys.get(idOrFingerprint) ?? keys.values().find((key) => key.fingerprint === idOrFingerprint);
}

/** `/v2/account/keys`: SSH keys, by id or by fingerprint. */
export function registerSshKeys(api: Api): void {
  const keys = keyTable(api.store);
  const wanted = (request: ApiRequest): SshKey => {
    const key = findSshKey(api.store, param(request, "key"));
    if (!key) throw notFound();
    return key;
  };

  api.get("/v2/account/keys", (request) => page(request, "ssh_keys", keys.values()));

  api.post("/v2/account/keys", (request) => {
    const { name, public_key } = parseBody(createBody, request.body);
    const fingerprint = fingerprintOf(public_key);
    if (findSshKey(api.store, fingerprint)) throw unprocessable("SSH Key is already in use on your account");
    const id = api.store.nextId("ssh_key", 40_000_001);
    return created({ ssh_key: keys.put(id, { id, fingerprint, public_key: public_key.trim(), name }) });
  });

  api.get("/v2/account/keys/:key", (request) => ok({ ssh_key: wanted(request) }));

  api.put("/v2/account/keys/:key", (request) => {
    const key = wanted(request);
    const { name } = parseBody(updateBody, request.body);
    return ok({ ssh_key: keys.put(key.id, { ...key, name }) });
  });

  api.delete("/v2/account/keys/:key", (request) => {
    keys.delete(wanted(request).id);
    return noContent();
  });
}

const KEY_TYPES = [
  "ssh-rsa",
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
];

/** The MD5 fingerprint (RFC 4716, section 4) of a public key line. Throws 422 if it is not a key. */
function fingerprintOf(publicKey: string): string {
  const [type = "", base64 = ""] = publicKey.trim().split(/\s+/);
  const blob = Buffer.from(base64, "base64");
  // The blob repeats its type, as a length and that many characters (RFC 4253, section 6.6).
  const named = blob.length > 4 ? blob.subarray(4, 4 + blob.readUInt32BE(0)).toString("latin1") : "";
  if (!KEY_TYPES.includes(type) || named !== type) {
    throw unprocessable("public_key: Key invalid, key should be of the format `type key [comment]`");
  }
  const digest = createHash("md5").update(blob).digest("hex");
  return (digest.match(/../g) ?? []).join(":");
}
