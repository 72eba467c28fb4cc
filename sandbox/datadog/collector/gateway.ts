/** The path from the sandbox's network to the Datadog stand-in on this machine's loopback address. */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Authority } from "../../hosts/balancer/authority";
import { Haproxy } from "../../hosts/balancer/haproxy";
import { type Instance, servicesNamespace } from "../../hosts/instance";
import { DNS_ADDRESS } from "../../hosts/network/addresses";

/**
 * The intake's address for hosts. They reach it in the way they would reach Datadog: through both firewalls, at port
 * 80.
 */
export const INTAKE_URL = `http://${DNS_ADDRESS}`;

/** The intake's address for hosts, and a PEM text that verifies its certificate. */
export interface Intake {
  readonly intakeUrl: string;
  readonly intakeRoots?: string;
}

export class Gateway {
  readonly #dir: string;
  readonly #haproxy: Haproxy;

  constructor(private readonly instance: Instance) {
    this.#dir = join(instance.dir, "datadog-gateway");
    this.#haproxy = new Haproxy(instance, this.#dir, "datadog", undefined);
  }

  /** Allows hosts to reach the stand-in at a port of the loopback address. */
  async open(port: number): Promise<void> {
    await this.#listen(80, port);
  }

  /**
   * The same over HTTPS, which the agent uses for Datadog. Returns the address, and the certificate that verifies it.
   */
  async openSecurely(port: number): Promise<Intake & { readonly intakeRoots: string }> {
    const authority = new Authority(join(this.instance.dir, "authority"));
    const { certificates, privateKey } = await authority.issue([DNS_ADDRESS]);
    const file = join(this.#dir, "intake.pem");
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    await writeFile(file, certificates + privateKey, { mode: 0o600 });
    await this.#listen(443, port, ` ssl crt ${file} ssl-min-ver TLSv1.2`);
    return {
      intakeUrl: `https://${DNS_ADDRESS}`,
      intakeRoots: await readFile(authority.certificateFile, "utf8"),
    };
  }

  async #listen(entryPort: number, port: number, tls = ""): Promise<void> {
    await this.#haproxy.apply(`global
  stats socket ${this.#haproxy.statsSocket} mode 600 level admin expose-fd listeners
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s

listen intake
  bind ${DNS_ADDRESS}:${entryPort} namespace ${servicesNamespace(this.instance)}${tls}
  server datadog 127.0.0.1:${port}
`);
  }

  async close(): Promise<void> {
    await this.#haproxy.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
