/** OpenSSH public keys, as they are in a file whose name ends in .pub: a type, base64, and a comment. Pure. */

/** RSA keys below this size are weak (NIST SP 800-57 part 1: 128 bits of security need 3072). */
const rsaBits = 3072;

export interface PublicKey {
  readonly type: string;
  /** Base64. The same for two lines that differ only in the comment. */
  readonly data: string;
  readonly comment: string;
}

/** The error in a key, in words that fit after "expected a public key ..., got". They contain nothing of the key. */
export class NoPublicKey {
  constructor(readonly got: string) {}
}

/** Reads a value of the wire format (RFC 4251, section 5): fields that each start with their length. */
class Fields {
  #offset = 0;

  constructor(private readonly bytes: Buffer) {}

  get isAtEnd(): boolean {
    return this.#offset === this.bytes.length;
  }

  next(): Buffer {
    const start = this.#offset + 4;
    const length = start > this.bytes.length ? Number.NaN : this.bytes.readUInt32BE(this.#offset);
    const end = start + length;
    if (!(end <= this.bytes.length)) throw new RangeError("cut short");
    this.#offset = end;
    return this.bytes.subarray(start, end);
  }
}

/** Each type with the check of its fields: true if they have the right form, or words that say why the key is weak. */
const types: Readonly<Record<string, (fields: Fields) => boolean | string>> = {
  "ssh-ed25519": (fields) => fields.next().length === 32,
  "sk-ssh-ed25519@openssh.com": (fields) => fields.next().length === 32 && fields.next().length > 0,
  "ecdsa-sha2-nistp256": ellipticCurve("nistp256", 65),
  "ecdsa-sha2-nistp384": ellipticCurve("nistp384", 97),
  "ecdsa-sha2-nistp521": ellipticCurve("nistp521", 133),
  "sk-ecdsa-sha2-nistp256@openssh.com": (fields) =>
    ellipticCurve("nistp256", 65)(fields) && fields.next().length > 0,
  "ssh-rsa": rsa,
};

export const publicKeyTypes = "ssh-ed25519, ecdsa-sha2-nistp*, sk-*, or ssh-rsa of 3072 bits or more";

/** Reads one line. Options before the type ("command=...") are refused: only the release decides what a key may do. */
export function readPublicKey(text: string): PublicKey | NoPublicKey {
  if (/PRIVATE KEY|^PuTTY-User-Key/m.test(text))
    return new NoPublicKey(
      "a private key. Anyone who can read this configuration can use it: make a new key pair (ssh-keygen -t ed25519), and set the line of its .pub file",
    );
  const line = text.trim();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u001f\u007f]/.test(line))
    return new NoPublicKey("a text with line breaks or control characters");
  const [type = "", data = "", ...comment] = line.split(/ +/);
  if (type === "ssh-dss") return new NoPublicKey("a key of the weak type ssh-dss");
  const check = Object.hasOwn(types, type) ? types[type] : undefined;
  if (check === undefined) return new NoPublicKey("a text that does not start with one of these types");
  const blob = Buffer.from(data, "base64");
  const isWhole = blob.toString("base64") === data;
  const found = isWhole && checkFields(type, blob, check);
  if (typeof found === "string") return new NoPublicKey(found);
  if (!found)
    return new NoPublicKey(`a damaged key of the type ${type}. Copy the whole line of the .pub file`);
  return { type, data, comment: comment.join(" ") };
}

function checkFields(
  type: string,
  blob: Buffer,
  check: (fields: Fields) => boolean | string,
): boolean | string {
  const fields = new Fields(blob);
  try {
    if (fields.next().toString("latin1") !== type) return false;
    const found = check(fields);
    return fields.isAtEnd ? found : false;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function ellipticCurve(curve: string, pointLength: number): (fields: Fields) => boolean {
  return (fields) => {
    const name = fields.next().toString("latin1");
    const point = fields.next();
    return name === curve && point.length === pointLength && point[0] === 4;
  };
}

function rsa(fields: Fields): boolean | string {
  const exponent = fields.next();
  const modulus = fields.next();
  // A positive number whose first bit is set has a zero byte before it.
  const digits = modulus[0] === 0 ? modulus.subarray(1) : modulus;
  const first = digits[0] ?? 0;
  if (exponent.length === 0 || first === 0) return false;
  const bits = digits.length * 8 - (Math.clz32(first) - 24);
  return bits >= rsaBits || `a weak RSA key of ${bits} bits`;
}
