/** A certification authority for proofs: certificates that are right, and those that must be refused. */
import "reflect-metadata"; // @peculiar/x509 wants it loaded before itself
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

x509.cryptoProvider.set(webcrypto);

/** Of hosts' keys, and of authorities: as the program has them. */
const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const authorityAlgorithm = { name: "Ed25519" };
const dayMs = 24 * 3600 * 1000;

type Keys = webcrypto.CryptoKeyPair;

/** A certificate and its key, PEM. */
export interface Issued {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface Request {
  readonly names: readonly string[];
  /** The common name; the first DNS name by default. */
  readonly commonName?: string;
  /** Days from now until it ends; negative: it has ended. 30 by default. */
  readonly days?: number;
}

/** Signs for servers and clients alike. */
export class TestAuthority {
  private constructor(
    readonly certificate: string,
    private readonly keys: Keys,
    private readonly issuer: string,
    readonly key: string,
  ) {}

  static async create(name: string): Promise<TestAuthority> {
    const keys = await newKeys(authorityAlgorithm);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: "01",
      name: `CN=${name}`,
      notBefore: new Date(Date.now() - 60 * dayMs),
      notAfter: new Date(Date.now() + 60 * dayMs),
      signingAlgorithm: authorityAlgorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new TestAuthority(`${certificate.toString("pem")}\n`, keys, `CN=${name}`, await pkcs8(keys));
  }

  /** An authority that is there already: its certificate and its key (PKCS #8). */
  static async of({ certificate, privateKey }: Issued): Promise<TestAuthority> {
    const der = Buffer.from(privateKey.replace(/-----[^-]+-----|\s/g, ""), "base64");
    const signingKey = await webcrypto.subtle.importKey("pkcs8", der, authorityAlgorithm, false, ["sign"]);
    const { subject, publicKey } = new x509.X509Certificate(certificate);
    const keys = { privateKey: signingKey, publicKey: await publicKey.export() };
    return new TestAuthority(certificate, keys, subject, privateKey);
  }

  async issue({ names, commonName = names[0], days = 30 }: Request): Promise<Issued> {
    const keys = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: Buffer.from(webcrypto.getRandomValues(new Uint8Array(8))).toString("hex"),
      subject: `CN=${commonName}`,
      issuer: this.issuer,
      notBefore: new Date(Date.now() - 60 * dayMs),
      notAfter: new Date(Date.now() + days * dayMs),
      signingAlgorithm: authorityAlgorithm,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      extensions: [
        new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: "dns", value }))),
        new x509.BasicConstraintsExtension(false),
        new x509.ExtendedKeyUsageExtension([
          x509.ExtendedKeyUsage.serverAuth,
          x509.ExtendedKeyUsage.clientAuth,
        ]),
        await x509.AuthorityKeyIdentifierExtension.create(this.keys.publicKey),
      ],
    });
    return { certificate: `${certificate.toString("pem")}\n`, privateKey: await pkcs8(keys) };
  }
}

function newKeys(kind: webcrypto.AlgorithmIdentifier | webcrypto.EcKeyGenParams = algorithm): Promise<Keys> {
  return webcrypto.subtle.generateKey(kind, true, ["sign", "verify"]) as Promise<Keys>;
}

async function pkcs8(keys: Keys): Promise<string> {
  const text = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  return [
    "-----BEGIN PRIVATE KEY-----",
    ...(text.match(/.{1,64}/g) ?? []),
    "-----END PRIVATE KEY-----",
    "",
  ].join("\n");
}
