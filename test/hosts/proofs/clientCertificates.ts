import type { WorldHost } from "../world/worldHost";
import type { Issued } from "./pki";

const FOLDER = "/root/proof";

/** Lays client certificates on a host for as long as the work takes; `show` gives the options of mysql for one of them. */
export async function withClientCertificates<Name extends string>(
  host: WorldHost,
  certificates: Readonly<Record<Name, Issued>>,
  work: (show: (name: Name) => string) => Promise<void>,
): Promise<void> {
  await host.run(`install -d -m 0700 ${FOLDER}`);
  try {
    for (const [name, { certificate, privateKey }] of Object.entries<Issued>(certificates)) {
      await host.write(`${FOLDER}/${name}.pem`, certificate);
      await host.write(`${FOLDER}/${name}.key`, privateKey);
    }
    await work((name) => `--ssl-cert=${FOLDER}/${name}.pem --ssl-key=${FOLDER}/${name}.key`);
  } finally {
    await host.run(`rm -rf ${FOLDER}`);
  }
}
