import "reflect-metadata"; // must be loaded before @peculiar/x509
import { webcrypto } from "node:crypto";
import { chmod, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const DAY_MS = 86_400_000;
const NAME = "CN=digitalocean-sandbox CA (not a public authority), O=digitalocean-sandbox";

/** A certificate with its chain, and the key, PEM. */
export interface Issued {
  readonly certificates: string;
  readonly privateKey: string;
}

/**
 * The sandbox's own certificate authority. It signs the certificate of the test ACME server, and site certificates if
 * no ACME server is available. Its name says that it is not a public authority. It is created at first use and kept in
 * `dir`.
 */
export class Authority {
  constructor(private readonly dir: string) {}

  /** The CA's own certificate, for clients that must trust it. */
  get certificateFile(): string {
    return join(this.dir, "ca.pem");
  }

  /** Creates the CA if it does not exist. */
  async ensure(): Promise<void> {
    await this.#open();
  }

  /** A certificate for these names (DNS names or IPv4 addresses), valid for `days`. */
  async issue(names: readonly string[], days = 90): Promise<Issued> {
    const ca = await this.#open();
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const subjectNames = names.map((value) => ({
      type: /^[\d.]+$/.test(value) ? ("ip" as const) : ("dns" as const),
      value,
    }));
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      subject: "",
      issuer: ca.certificate.subject,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + days * DAY_MS),
      signingAlgorithm: ALGORITHM,
      signingKey: ca.key,
      publicKey: keys.publicKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(["1.3.6.1.5.5.7.3.1"]),
        new x509.SubjectAlternativeNameExtension(subjectNames, true),
        await x509.AuthorityKeyIdentifierExtension.create(ca.certificate.publicKey),
      ],
    });
    return { certificates: `${certificate.toString("pem")}\n`, privateKey: await exportKey(keys.privateKey) };
  }

  async #open(): Promise<{ certificate: x509.X509Certificate; key: webcrypto.CryptoKey }> {
    const keyFile = join(this.dir, "ca.key");
    const present = await readFile(this.certificateFile, "utf8").catch(() => undefined);
    if (present === undefined) await this.#create(keyFile);
    const certificate = new x509.X509Certificate(await readFile(this.certificateFile, "utf8"));
    const pem = x509.PemConverter.decode(await readFile(keyFile, "utf8"))[0] ?? new ArrayBuffer(0);
    return { certificate, key: await webcrypto.subtle.importKey("pkcs8", pem, ALGORITHM, false, ["sign"]) };
  }

  /** Writes the key before the certificate, because an existing certificate means that the CA is complete. */
  async #create(keyFile: string): Promise<void> {
    await mkdir(this.dir, { recursive: true, mode: 0o700 });
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(),
      name: NAME,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 3650 * DAY_MS),
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    await writeFile(keyFile, await exportKey(keys.privateKey), { mode: 0o600 });
    await chmod(keyFile, 0o600);
    await writeFile(`${this.certificateFile}.new`, `${certificate.toString("pem")}\n`);
    await rename(`${this.certificateFile}.new`, this.certificateFile);
  }
}

const serial = (): string =>
  Buffer.from(webcrypto.getRandomValues(new Uint8Array(16)))
    .toString("hex")
    .replace(/^[89a-f]/, "7");

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return `${x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY")}\n`;
}
