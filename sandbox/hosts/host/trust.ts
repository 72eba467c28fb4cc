import { appendFile, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../run";

/** Where Debian and Ubuntu look for CAs that the machine's owner adds (update-ca-certificates(8)). */
const ADDED = "usr/local/share/ca-certificates/sandbox.crt";
const BUNDLE = "etc/ssl/certs/ca-certificates.crt";

/**
 * Makes a host trust the sandbox's own CA as every machine trusts the public ones: on the internet of the sandbox it
 * certifies what DigitalOcean itself serves. It writes what `update-ca-certificates` would, into the host's disk
 * (`upper`, while it is not mounted) over the base root filesystem.
 */
export async function trustAuthority(upper: string, rootfs: string, certificateFile: string): Promise<void> {
  const certificate = await readFile(certificateFile, "utf8");
  // A snapshot of a host of this sandbox trusts it already, and may have changed its bundle since.
  const known = await readFile(join(upper, ADDED), "utf8").catch(() => undefined);
  if (known === certificate) return;
  for (const path of [ADDED, BUNDLE]) await mkdir(dirname(join(upper, path)), { recursive: true });
  await writeFile(join(upper, ADDED), certificate);
  await copyFile(join(rootfs, BUNDLE), join(upper, BUNDLE));
  await appendFile(join(upper, BUNDLE), certificate);
  // OpenSSL finds a CA in the folder by the hash of its subject.
  const hash = (await run("openssl", ["x509", "-noout", "-subject_hash", "-in", certificateFile])).trim();
  await writeFile(join(upper, dirname(BUNDLE), `${hash}.0`), certificate);
}
