import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Authority } from "../hosts/balancer/authority";
import { Haproxy } from "../hosts/balancer/haproxy";
import { type Instance, servicesNamespace } from "../hosts/instance";
import { SPACES_ADDRESS } from "../hosts/network/addresses";
import { SPACES_REGIONS, spacesDomain } from "./server";

/** How long the certificate is good: longer than a sandbox lives. */
const VALIDITY_DAYS = 365;

/**
 * The way from hosts to Spaces on this machine's loopback address: hosts resolve the names that DigitalOcean serves and
 * connect by HTTPS, through their firewalls. The certificate is of the sandbox's own CA, which hosts trust (trust.ts).
 */
export class SpacesEntrance {
  readonly #dir: string;
  readonly #haproxy: Haproxy;

  constructor(private readonly instance: Instance) {
    this.#dir = join(instance.dir, "spaces-entrance");
    this.#haproxy = new Haproxy(instance, this.#dir, "spaces", undefined);
  }

  /** Lets hosts reach Spaces at a port of the loopback address. */
  async open(port: number): Promise<void> {
    const file = join(this.#dir, "spaces.pem");
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const present = await readFile(file, "utf8").catch(() => undefined);
    if (present === undefined) {
      const names = SPACES_REGIONS.map(spacesDomain).flatMap((domain) => [domain, `*.${domain}`]);
      const authority = new Authority(join(this.instance.dir, "authority"));
      const { certificates, privateKey } = await authority.issue(names, VALIDITY_DAYS);
      await writeFile(file, certificates + privateKey, { mode: 0o600 });
    }
    await this.#haproxy.apply(`global
  stats socket ${this.#haproxy.statsSocket} mode 600 level admin expose-fd listeners
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s

listen spaces
  bind ${SPACES_ADDRESS}:443 namespace ${servicesNamespace(this.instance)} ssl crt ${file} ssl-min-ver TLSv1.2
  server spaces 127.0.0.1:${port}
`);
  }

  async close(): Promise<void> {
    await this.#haproxy.stop();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
