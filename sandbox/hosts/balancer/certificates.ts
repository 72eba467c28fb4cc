import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Instance } from "../instance";
import type { Certificate } from "../world";
import type { Authority, Issued } from "./authority";

/** The issuer of certificates of type lets_encrypt. */
export interface Issuer {
  /** One line for the operator: the issuer's name. */
  readonly name: string;
  issue(domains: readonly string[]): Promise<Issued & { readonly roots: string }>;
}

/** The site certificates of the load balancers as PEM files. */
export class Certificates {
  readonly #dir: string;

  constructor(
    instance: Instance,
    private readonly issuer: Issuer,
  ) {
    this.#dir = join(instance.dir, "certificates");
  }

  /** The roots that clients must trust for certificates of type lets_encrypt, in one PEM file. */
  get rootsFile(): string {
    return join(this.#dir, "roots.pem");
  }

  /** Writes new certificates, issues missing ones and removes old ones. Returns the files by certificate id. */
  async update(certificates: readonly Certificate[]): Promise<ReadonlyMap<string, string>> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const wanted = new Set(certificates.map(({ id }) => `${id}.pem`));
    for (const name of await readdir(this.#dir)) {
      if (/^[0-9a-f-]{36}\.pem$/.test(name) && !wanted.has(name)) await rm(join(this.#dir, name));
    }
    for (const certificate of certificates) await this.#ensure(certificate);
    return this.files(certificates);
  }

  /** The existing files; a certificate that is not issued yet has none. */
  async files(certificates: readonly Certificate[]): Promise<ReadonlyMap<string, string>> {
    const present = new Set(await readdir(this.#dir).catch(() => []));
    const files = certificates
      .map(({ id }) => [id, `${id}.pem`] as const)
      .filter(([, name]) => present.has(name));
    return new Map(files.map(([id, name]) => [id, join(this.#dir, name)]));
  }

  async #ensure(certificate: Certificate): Promise<void> {
    const path = join(this.#dir, `${certificate.id}.pem`);
    const present = await readFile(path, "utf8").catch(() => undefined);
    if (certificate.type === "custom") {
      const text = [certificate.certificate, certificate.chain, certificate.privateKey]
        .map(withNewline)
        .join("");
      if (present !== text) await this.#write(path, text);
    } else if (present === undefined) {
      const { certificates, privateKey, roots } = await this.issuer.issue(certificate.domains);
      await this.#trust(roots);
      await this.#write(path, withNewline(certificates) + withNewline(privateKey));
    }
  }

  async #trust(roots: string): Promise<void> {
    const known = await readFile(this.rootsFile, "utf8").catch(() => "");
    if (!known.includes(roots.trim())) await this.#write(this.rootsFile, known + withNewline(roots));
  }

  async #write(path: string, text: string): Promise<void> {
    await writeFile(`${path}.new`, text, { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}

/** Signs with the sandbox's own CA, if there is no ACME server. */
export function authorityIssuer(authority: Authority): Issuer {
  return {
    name: "the sandbox's own CA (no ACME server is available)",
    issue: async (domains) => ({
      ...(await authority.issue(domains)),
      roots: await readFile(authority.certificateFile, "utf8"),
    }),
  };
}

const withNewline = (text: string): string => (text === "" || text.endsWith("\n") ? text : `${text}\n`);
