import { waitFor } from "../../waitFor";
import type { WorldHost } from "../world/worldHost";
import type { Issued, TestAuthority } from "./pki";

const FOLDER = "/etc/mysql/tls";

/**
 * Lets mysqld on a host show another certificate, from the next connection on. It takes none that has expired, and none
 * whose CA it does not know: `roots` (PEM) stand beside its own CA. Nor one that is revoked, or whose CA has no list of
 * revoked ones: it looks at no lists meanwhile.
 */
export async function showCertificate(
  host: WorldHost,
  { certificate, privateKey }: Issued,
  roots = "",
): Promise<void> {
  await host.run(`install -o mysql -m 0600 /dev/null ${FOLDER}/proof.key`);
  await host.write(`${FOLDER}/proof.key`, privateKey);
  await host.write(`${FOLDER}/proof.pem`, certificate);
  await host.write(`${FOLDER}/proof.ca`, roots);
  await host.run(`cat ${FOLDER}/ca.pem >> ${FOLDER}/proof.ca`);
  await useFiles(host, "proof.ca", "proof.pem", "proof.key", "DEFAULT");
}

/**
 * Shows an expired certificate: mysqld loads none, so it gets one that ends soon. `isAccepted` must be true of it before
 * its end. A slow machine may take longer than that to ask: then the next certificate is valid twice as long.
 */
export async function showExpiringCertificate(
  host: WorldHost,
  authority: TestAuthority,
  names: readonly string[],
  isAccepted: () => Promise<boolean>,
): Promise<void> {
  let lastError: unknown;
  for (let validS = 8; validS <= 64; validS *= 2) {
    const end = Date.now() + validS * 1000;
    await showCertificate(host, await authority.issue({ names, days: validS / (24 * 3600) }));
    const within = Math.max(0, end - Date.now()) / 1000;
    const accepted = await waitFor(`${host.name}'s good certificate is accepted`, isAccepted, {
      within,
    }).catch((error: unknown) => {
      lastError = error;
      return false;
    });
    await waitFor("the certificate's end", async () => Date.now() > end, { within: validS + 10 });
    if (accepted) return;
  }
  throw lastError;
}

/** Back to its own. */
export async function showOwnCertificate(host: WorldHost): Promise<void> {
  await useFiles(host, "ca.pem", "server.pem", "server.key", "'/etc/mysql/revoked/lists.pem'");
  await host.run(`rm -f ${FOLDER}/proof.*`);
}

async function useFiles(
  host: WorldHost,
  ca: string,
  certificate: string,
  key: string,
  lists: string,
): Promise<void> {
  await host.mysql(
    `SET GLOBAL ssl_ca = '${FOLDER}/${ca}', GLOBAL ssl_cert = '${FOLDER}/${certificate}', ` +
      `GLOBAL ssl_key = '${FOLDER}/${key}', GLOBAL ssl_crl = ${lists}; ALTER INSTANCE RELOAD TLS`,
  );
}
