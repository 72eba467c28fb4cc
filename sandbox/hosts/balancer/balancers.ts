import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { balancerNamespace, type Instance, publicNamespace, vpcNamespace } from "../instance";
import { highestFree } from "../network/addresses";
import { addressBalancer, balancerPort, ensureVpc, plugBalancer } from "../network/fabric";
import type { BalancerAddresses } from "../network/firewall";
import { deleteNamespace } from "../network/namespace";
import { attempt } from "../run";
import { type Balancer, backendsOf, type World } from "../world";
import { backendName, balancerConfig, isServable, serverName } from "./config";
import { Haproxy } from "./haproxy";

/** Stored data of a load balancer in addition to its configuration. */
interface BalancerFile {
  readonly vpcId: string;
  /** The source address of its requests to the backends, which DigitalOcean's API does not show. */
  readonly privateAddress: string;
}

export interface BackendState {
  readonly backend: string;
  readonly server: string;
  readonly status: string;
  readonly check: string;
}

/** All load balancers of the account, each an HAProxy in its own namespace. */
export class Balancers {
  readonly #dir: string;

  constructor(private readonly instance: Instance) {
    this.#dir = join(instance.dir, "balancers");
  }

  /** Assigns addresses to each load balancer, before firewalls that use them are written. */
  async addresses(world: World): Promise<BalancerAddresses> {
    const known = new Map<string, readonly string[]>();
    const used = new Set(world.droplets.flatMap((d) => (d.private ? [d.private.ip_address] : [])));
    for (const balancer of world.balancers) {
      const { privateAddress } = await this.#ensureFile(balancer, world, used);
      used.add(privateAddress);
      known.set(balancer.id, [balancer.ip, privateAddress]);
    }
    return known;
  }

  /** Makes the running load balancers match the account. Returns the rules that cannot be served, as sentences. */
  async update(world: World, certificateFiles: ReadonlyMap<string, string>): Promise<string[]> {
    await this.addresses(world);
    const wanted = new Set(world.balancers.map(({ id }) => id));
    for (const id of await this.#onDisk()) if (!wanted.has(id)) await this.remove(id);
    const notes: string[] = [];
    for (const balancer of world.balancers)
      notes.push(...(await this.#updateOne(balancer, world, certificateFiles)));
    return notes;
  }

  async remove(id: string): Promise<void> {
    await this.haproxy(id).stop();
    const file = await this.#readFile(id);
    const routers = [
      publicNamespace(this.instance),
      ...(file ? [vpcNamespace(this.instance, file.vpcId)] : []),
    ];
    for (const router of routers) await attempt("ip", ["-netns", router, "link", "del", balancerPort(id)]);
    await deleteNamespace(balancerNamespace(this.instance, id));
    await rm(join(this.#dir, id), { recursive: true, force: true });
  }

  /** Stops the load balancers and keeps their data (addresses). */
  async stop(): Promise<void> {
    for (const id of await this.#onDisk()) {
      await this.haproxy(id).stop();
      await deleteNamespace(balancerNamespace(this.instance, id));
    }
  }

  /** Every server of a load balancer with its health. */
  async states(id: string): Promise<BackendState[]> {
    return this.haproxy(id).servers();
  }

  haproxy(id: string): Haproxy {
    return new Haproxy(
      this.instance,
      join(this.#dir, id),
      balancerPort(id),
      balancerNamespace(this.instance, id),
    );
  }

  async #updateOne(
    balancer: Balancer,
    world: World,
    certificateFiles: ReadonlyMap<string, string>,
  ): Promise<string[]> {
    const vpc = world.vpcs.find(({ id }) => id === balancer.vpcId);
    const file = await this.#readFile(balancer.id);
    if (!vpc || !file) return [`${balancer.name}: its VPC ${balancer.vpcId} does not exist`];
    await ensureVpc(this.instance, vpc);
    const namespace = await plugBalancer(this.instance, { ...balancer, ...file });
    await addressBalancer(namespace, balancer.ip, file.privateAddress, vpc.ip_range);
    const haproxy = this.haproxy(balancer.id);
    const before = await this.states(balancer.id);
    const context = {
      backends: backendsOf(balancer, world.droplets),
      certificateFiles,
      statsSocket: haproxy.statsSocket,
      stateFile: haproxy.stateFile,
    };
    const { changed } = await haproxy.apply(balancerConfig(balancer, context));
    if (changed) await this.#startDown(haproxy, balancer, context.backends.map(serverName), before);
    return balancer.forwarding_rules
      .filter((rule) => !isServable(rule, context))
      .map((rule) =>
        rule.entry_protocol === "udp" || rule.target_protocol === "udp"
          ? `${balancer.name}: port ${rule.entry_port} is UDP, which HAProxy cannot forward`
          : `${balancer.name}: port ${rule.entry_port} is waiting for the certificate ${rule.certificate_id}`,
      );
  }

  /** A droplet is down until it has passed its checks, as at DigitalOcean. HAProxy would start with up. */
  async #startDown(
    haproxy: Haproxy,
    balancer: Balancer,
    servers: string[],
    before: BackendState[],
  ): Promise<void> {
    const known = new Set(before.map(({ backend, server }) => `${backend}/${server}`));
    const now = balancer.forwarding_rules.flatMap((rule) =>
      servers.map((server) => `${backendName(rule)}/${server}`),
    );
    const fresh = now.filter((name) => !known.has(name));
    // With a single backend, nothing is lost by trying it.
    if (fresh.length === 0) return;
    await haproxy.ask(fresh.map((name) => `set server ${name} health down`).join(";"));
  }

  async #ensureFile(balancer: Balancer, world: World, used: Set<string>): Promise<BalancerFile> {
    const kept = await this.#readFile(balancer.id);
    if (kept) return kept;
    const others = await Promise.all((await this.#onDisk()).map((id) => this.#readFile(id)));
    for (const other of others) if (other?.vpcId === balancer.vpcId) used.add(other.privateAddress);
    const vpc = world.vpcs.find(({ id }) => id === balancer.vpcId);
    if (!vpc) throw new Error(`load balancer ${balancer.name}: its VPC ${balancer.vpcId} does not exist`);
    const file: BalancerFile = { vpcId: vpc.id, privateAddress: highestFree(vpc.ip_range, used) };
    await mkdir(join(this.#dir, balancer.id), { recursive: true, mode: 0o700 });
    await writeFile(join(this.#dir, balancer.id, "balancer.json"), JSON.stringify(file));
    return file;
  }

  async #readFile(id: string): Promise<BalancerFile | undefined> {
    const text = await readFile(join(this.#dir, id, "balancer.json"), "utf8").catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as BalancerFile);
  }

  #onDisk(): Promise<string[]> {
    return readdir(this.#dir).catch(() => []);
  }
}
