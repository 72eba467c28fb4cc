import type { WorldHost } from "../world/worldHost";
import type { Issued } from "./pki";

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
