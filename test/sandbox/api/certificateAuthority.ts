import "reflect-metadata"; // @peculiar/x509 wants it loaded before itself
import { webcrypto } from "node:crypto";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };

/** A certificate with its key, in PEM. */
export interface Issued {
  key: string;
  certificate: string;
  parsed: x509.X509Certificate;
}

/** A CA that lives as long as a test. */
export class CertificateAuthority {
  private constructor(
    private readonly keys: webcrypto.CryptoKeyPair,
    readonly certificate: string,
    private readonly name: string,
  ) {}

  static async create(name = "CN=Test CA"): Promise<CertificateAuthority> {
    const keys = await newKeys();
    const root = await x509.X509CertificateGenerator.createSelfSigned({
      name,
      keys,
      signingAlgorithm: ALGORITHM,
      notAfter: inDays(30),
      extensions: [new x509.BasicConstraintsExtension(true)],
    });
    return new CertificateAuthority(keys, root.toString("pem"), name);
  }

  async issue(dnsNames: string[], notAfter = inDays(10)): Promise<Issued> {
    const keys = await newKeys();
    const names = dnsNames.map((value) => ({ type: "dns" as const, value }));
    const parsed = await x509.X509CertificateGenerator.create({
      subject: "CN=leaf",
      issuer: this.name,
      publicKey: keys.publicKey,
      signingKey: this.keys.privateKey,
      signingAlgorithm: ALGORITHM,
      notBefore: inDays(-10),
      notAfter,
      extensions: names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [],
    });
    return { key: await pem(keys.privateKey), certificate: parsed.toString("pem"), parsed };
  }
}

export const inDays = (days: number): Date =>
  new Date(Math.floor(Date.now() / 1000) * 1000 + days * 86_400_000);

const newKeys = () => webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);

async function pem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", key)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${der.match(/.{1,64}/g)?.join("\n")}\n-----END PRIVATE KEY-----\n`;
}
