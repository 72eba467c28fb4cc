import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Daemon } from "../daemon";
import { type Instance, namespacePath, servicesNamespace } from "../instance";
import { DNS_ADDRESS } from "../network/addresses";
import { macOf } from "../network/fabric";
import type { Droplet, World } from "../world";
import type { ServicesData } from "./data";
import type { Metadata } from "./metadata";
import type { Challenges } from "./zones";

const MAIN = join(__dirname, "main.ts");
const SOURCES = ["main.ts", "zones.ts", "metadata.ts", "data.ts"];

/** Keeps the services' process running, and writes its data. */
export class Services {
  readonly #dir: string;
  readonly #daemon: Daemon;

  constructor(private readonly instance: Instance) {
    this.#dir = join(instance.dir, "services");
    this.#daemon = new Daemon(this.#dir, "services");
  }

  /**
   * DNS and metadata from the account's current state, effective for the next request. `spaces`: its names resolve.
   */
  async update(world: World, spaces: boolean): Promise<void> {
    const metadata = world.droplets.flatMap((droplet) => {
      const addresses = [droplet.public?.ip_address, droplet.private?.ip_address];
      return addresses.flatMap((a) => (a === undefined ? [] : [[a, metadataOf(droplet)] as const]));
    });
    const data: ServicesData = { domains: world.domains, spaces, metadata: Object.fromEntries(metadata) };
    await this.#write("data.json", data);
  }

  /** TXT records for an ACME server, in addition to the account's own. */
  async setChallenges(challenges: Challenges): Promise<void> {
    await this.#write("challenges.json", challenges);
  }

  async start(): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const tsx = require.resolve("tsx");
    const node = [
      process.execPath,
      "--import",
      tsx,
      MAIN,
      join(this.#dir, "data.json"),
      join(this.#dir, "challenges.json"),
    ];
    await this.#daemon.ensure(
      ["nsenter", `--net=${namespacePath(servicesNamespace(this.instance))}`, ...node],
      await this.#version(),
    );
  }

  /** If older code started the process, it is replaced. */
  async #version(): Promise<string> {
    const texts = await Promise.all(SOURCES.map((name) => readFile(join(__dirname, name), "utf8")));
    return texts.join("");
  }

  stop(): Promise<void> {
    return this.#daemon.stop();
  }

  async #write(name: string, value: object): Promise<void> {
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    const path = join(this.#dir, name);
    await writeFile(`${path}.new`, JSON.stringify(value), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}

/** Source: DigitalOcean's metadata API reference. */
function metadataOf(droplet: Droplet): Metadata {
  const interfaces = (["private", "public"] as const).flatMap((type) => {
    const ipv4 = droplet[type];
    return ipv4 ? [[type, [{ ipv4, mac: macOf(droplet.id, type), type }]] as const] : [];
  });
  return {
    droplet_id: droplet.id,
    hostname: droplet.name,
    user_data: droplet.userData ?? "",
    vendor_data: "",
    public_keys: droplet.sshKeys,
    region: droplet.region,
    interfaces: Object.fromEntries(interfaces),
    floating_ip: { ipv4: { active: false } },
    reserved_ip: { ipv4: { active: false } },
    dns: { nameservers: [DNS_ADDRESS] },
    tags: droplet.tags,
    features: { dhcp_enabled: false },
  };
}
