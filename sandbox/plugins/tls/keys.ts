/** Key pairs, in each form that the official plugin outputs. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { promisify } from "node:util";

const generate = promisify(generateKeyPair);

export type Algorithm = "RSA" | "ECDSA" | "ED25519";

/** The names of each curve in the plugin, in OpenSSL and in SSH (which has none for P-224). */
const curves = {
  P224: { openssl: "secp224r1", ssh: undefined, bytes: 28 },
  P256: { openssl: "prime256v1", ssh: "nistp256", bytes: 32 },
  P384: { openssl: "secp384r1", ssh: "nistp384", bytes: 48 },
  P521: { openssl: "secp521r1", ssh: "nistp521", bytes: 66 },
} as const;
export type Curve = keyof typeof curves;
export const curveNames = Object.keys(curves) as Curve[];

export interface KeyOptions {
  readonly algorithm: Algorithm;
  readonly rsaBits: number;
  readonly ecdsaCurve: Curve;
}

export interface KeyForms {
  readonly privateKeyPem: string;
  readonly privateKeyPemPkcs8: string;
  readonly privateKeyOpenssh: string;
  readonly publicKeyPem: string;
  readonly publicKeyOpenssh: string;
  readonly publicKeyFingerprintMd5: string;
  readonly publicKeyFingerprintSha256: string;
}

export async function makeKey({ algorithm, rsaBits, ecdsaCurve }: KeyOptions): Promise<KeyForms> {
  switch (algorithm) {
    case "RSA":
      return formsOf((await generate("rsa", { modulusLength: rsaBits })).privateKey, "RSA");
    case "ECDSA":
      return formsOf((await generate("ec", { namedCurve: curves[ecdsaCurve].openssl })).privateKey, "ECDSA");
    case "ED25519":
      return formsOf((await generate("ed25519")).privateKey, "ED25519");
  }
}

function formsOf(key: KeyObject, algorithm: Algorithm): KeyForms {
  const pkcs8 = key.export({ type: "pkcs8", format: "pem" }).toString();
  const traditional = { RSA: "pkcs1", ECDSA: "sec1", ED25519: "pkcs8" } as const;
  const ssh = sshParts(key);
  return {
    privateKeyPem: key.export({ type: traditional[algorithm], format: "pem" }).toString(),
    privateKeyPemPkcs8: pkcs8,
    privateKeyOpenssh: ssh === undefined ? "" : opensshPem(ssh),
    publicKeyPem: createPublicKey(key).export({ type: "spki", format: "pem" }).toString(),
    publicKeyOpenssh: ssh === undefined ? "" : `${ssh.type} ${ssh.publicBlob.toString("base64")}\n`,
    publicKeyFingerprintMd5:
      ssh === undefined ? "" : colons(createHash("md5").update(ssh.publicBlob).digest("hex")),
    publicKeyFingerprintSha256:
      ssh === undefined
        ? ""
        : `SHA256:${createHash("sha256").update(ssh.publicBlob).digest("base64").replace(/=+$/, "")}`,
  };
}

/** Reads a private key of any of the three algorithms. @throws Error, whose message contains nothing of the key */
export function readPrivateKey(pem: string): { key: KeyObject; algorithm: Algorithm } {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    throw new Error("the private key is not valid PEM (expected PKCS#1, SEC 1 or PKCS#8)");
  }
  const algorithm = ({ rsa: "RSA", ec: "ECDSA", ed25519: "ED25519" } as const)[
    key.asymmetricKeyType as "rsa" | "ec" | "ed25519"
  ];
  if (algorithm === undefined)
    throw new Error(`expected an RSA, ECDSA or ED25519 private key, got ${key.asymmetricKeyType}`);
  return { key, algorithm };
}

function colons(hex: string): string {
  return hex.match(/../g)?.join(":") ?? "";
}

/** A key in SSH's wire form (RFC 4253 section 6.6, RFC 5656 section 3.1, RFC 8709 section 4). */
interface SshParts {
  readonly type: string;
  readonly publicBlob: Buffer;
  /** The private section of openssh-key-v1, after the type. */
  readonly privateFields: readonly Buffer[];
}

function sshParts(key: KeyObject): SshParts | undefined {
  const curve = Object.values(curves).find(({ openssl }) => openssl === key.asymmetricKeyDetails?.namedCurve);
  if (curve !== undefined && curve.ssh === undefined) return undefined; // JWK has no P-224 either
  const jwk = key.export({ format: "jwk" });
  const part = (name: "n" | "e" | "d" | "p" | "q" | "qi" | "x" | "y") =>
    Buffer.from(jwk[name] ?? "", "base64url");
  if (jwk.kty === "RSA") {
    const publicBlob = Buffer.concat([sshString("ssh-rsa"), mpint(part("e")), mpint(part("n"))]);
    return {
      type: "ssh-rsa",
      publicBlob,
      privateFields: (["n", "e", "d", "qi", "p", "q"] as const).map((name) => mpint(part(name))),
    };
  }
  if (jwk.kty === "OKP") {
    const [seed, point] = [part("d"), part("x")];
    const publicBlob = Buffer.concat([sshString("ssh-ed25519"), sshString(point)]);
    return {
      type: "ssh-ed25519",
      publicBlob,
      privateFields: [sshString(point), sshString(Buffer.concat([seed, point]))],
    };
  }
  if (curve?.ssh === undefined) return undefined;
  const point = Buffer.concat([
    Buffer.from([4]),
    padded(part("x"), curve.bytes),
    padded(part("y"), curve.bytes),
  ]);
  const type = `ecdsa-sha2-${curve.ssh}`;
  const publicFields = [sshString(curve.ssh), sshString(point)];
  return {
    type,
    publicBlob: Buffer.concat([sshString(type), ...publicFields]),
    privateFields: [...publicFields, mpint(part("d"))],
  };
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function sshString(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function padded(value: Buffer, size: number): Buffer {
  return Buffer.concat([Buffer.alloc(Math.max(0, size - value.length)), value]);
}

/** A positive number without leading zeros, except the one that keeps it from being read as negative. */
function mpint(value: Buffer): Buffer {
  const start = value.findIndex((byte) => byte !== 0);
  const digits = start === -1 ? Buffer.alloc(0) : value.subarray(start);
  const isHigh = (digits[0] ?? 0) >= 0x80;
  return sshString(isHigh ? Buffer.concat([Buffer.from([0]), digits]) : digits);
}

/** openssh-key-v1, unencrypted, without a comment (OpenSSH: PROTOCOL.key). */
function opensshPem({ type, publicBlob, privateFields }: SshParts): string {
  const check = randomBytes(4);
  const section = Buffer.concat([check, check, sshString(type), ...privateFields, sshString("")]);
  const padding = Buffer.from(
    Array.from({ length: (8 - (section.length % 8)) % 8 }, (_, index) => index + 1),
  );
  const body = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    sshString("none"),
    sshString("none"),
    sshString(""),
    uint32(1),
    sshString(publicBlob),
    sshString(Buffer.concat([section, padding])),
  ]);
  const lines = body.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN OPENSSH PRIVATE KEY-----", ...lines, "-----END OPENSSH PRIVATE KEY-----", ""].join(
    "\n",
  );
}
