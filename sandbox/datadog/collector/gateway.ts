/** The way from the sandbox's network to the stand-in of Datadog on this machine's loopback address. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Haproxy } from "../../hosts/balancer/haproxy";
import { type Instance, servicesNamespace } from "../../hosts/instance";
import { DNS_ADDRESS } from "../../hosts/network/addresses";

/** What the hosts call the intake. They reach it as they would reach Datadog: through both firewalls, at port 80. */
export const INTAKE_URL = `http://${DNS_ADDRESS}`;

export class Gateway {
  readonly #dir: string;
  readonly #haproxy: Haproxy;

  constructor(private readonly instance: Instance) {
    this.#dir = join(instance.dir, "datadog-gateway");
    this.#haproxy = new Haproxy(instance, this.#dir, "datadog", undefined);
  }

  /** Lets hosts reach the stand-in at a port of the loopback address. */
  async open(port: number): Promise<void> {
    await this.#haproxy.apply(`global
  stats socket ${this.#haproxy.statsSocket} mode 600 level admin expose-fd listeners
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s

listen intake
  bind ${DNS_ADDRESS}:80 namespace ${servicesNamespace(this.instance)}
  server datadog 127.0.0.1:${port}
`);
  }

  async close(): Promise<void> {
    await this.#haproxy.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
