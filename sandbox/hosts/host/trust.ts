import { appendFile, copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { run } from "../run";

/** The folder for additional CAs in Debian and Ubuntu (update-ca-certificates(8)). */
const ADDED = "usr/local/share/ca-certificates/sandbox.crt";
const BUNDLE = "etc/ssl/certs/ca-certificates.crt";

/**
 * Makes a host trust the sandbox's own CA like a public one, because this CA signs the certificates of DigitalOcean's
 * own services in the sandbox. It writes the same files as `update-ca-certificates` to the host's disk (`upper`, while
 * it is not mounted), on top of the base root filesystem.
 */
export async function trustAuthority(upper: string, rootfs: string, certificateFile: string): Promise<void> {
  const certificate = await readFile(certificateFile, "utf8");
  // A snapshot of this sandbox's host already trusts it, and its bundle may have changed since.
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
