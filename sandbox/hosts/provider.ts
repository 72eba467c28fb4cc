import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Gateway } from "../datadog/collector/gateway";
import { SpacesEntrance } from "../spaces/entrance";
import { acmeIssuer } from "./balancer/acme";
import { Authority } from "./balancer/authority";
import { Balancers } from "./balancer/balancers";
import { authorityIssuer, Certificates, type Issuer } from "./balancer/certificates";
import { removeCgroup } from "./host/cgroup";
import { cloudInitOutcome } from "./host/cloudInit";
import { dropletsOnDisk, Host } from "./host/host";
import { packageSeconds } from "./host/packageDelay";
import { ensureBaseImage, type ImageOptions } from "./image";
import { type Instance, openInstance, publicNamespace, vpcNamespace } from "./instance";
import { ensurePublicNetwork, ensureVpc } from "./network/fabric";
import { firewallTable, reservedIpTable } from "./network/firewall";
import { deleteNamespace, namespaceExists, namespacesOf, runIn } from "./network/namespace";
import { ensureNpmCacheLayer } from "./npmCache";
import { type Published, Publisher } from "./publish";
import { requireHosts } from "./requirements";
import { Services } from "./services/services";
import { Volumes } from "./volumes";
import type { Droplet, World } from "./world";

export interface ProviderOptions extends ImageOptions {
  /** The folder of disks, keys and configurations, created with mode 0700. Each sandbox needs its own. */
  dir: string;
  /** Receives later events, one line each: a cloud-init that failed, a rule that cannot be served. */
  log?: (line: string) => void;
  /** The preferred loopback port for each entry port of load balancers. If it is in use, any free one is used. */
  publish?: Readonly<Record<number, number>>;
  /** A package-lock.json whose packages hosts can install without a registry. */
  npmLockFile?: string;
  /** Signs certificates of type lets_encrypt. Default: pebble if available, otherwise the sandbox's own CA. */
  issuer?: Issuer;
  /** Loopback port of Spaces. Without it, their names do not resolve on hosts. */
  spacesPort?: number;
  /** How long the package step of a new host's cloud-init takes. Default: DIGITALOCEAN_SANDBOX_PACKAGE_SECONDS, or 0. */
  packageSeconds?: number;
}

/** All running parts of one sandbox: networks, hosts, firewalls, load balancers, DNS and published ports. */
export class Provider {
  readonly balancers: Balancers;
  readonly certificates: Certificates;
  readonly #services: Services;
  readonly #volumes: Volumes;
  readonly #publisher: Publisher;
  readonly #watched = new Set<AbortController>();
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly instance: Instance,
    private readonly base: string,
    readonly log: (line: string) => void,
    readonly issuer: Issuer,
    publish: Readonly<Record<number, number>>,
    private readonly packageSeconds: number,
    private readonly spacesPort?: number,
  ) {
    this.balancers = new Balancers(instance);
    this.certificates = new Certificates(instance, issuer);
    this.#services = new Services(instance);
    this.#volumes = new Volumes(instance);
    this.#publisher = new Publisher(instance, publish);
  }

  /** Builds the base image if it is missing. Throws HostsUnavailable if this machine cannot run hosts. */
  static async open(options: ProviderOptions): Promise<Provider> {
    await requireHosts();
    const instance = await openInstance(options.dir);
    const { rootfs } = await ensureBaseImage(options);
    const npmLayer = options.npmLockFile && (await ensureNpmCacheLayer(options.npmLockFile, options));
    // The layers in overlayfs' format, with the top one first.
    const base = npmLayer ? `${npmLayer}:${rootfs}` : rootfs;
    const authority = new Authority(join(instance.dir, "authority"));
    await authority.ensure();
    const issuer =
      options.issuer ??
      (await acmeIssuer(instance, authority, options.onProgress)) ??
      authorityIssuer(authority);
    const log = options.log ?? (() => {});
    const seconds = options.packageSeconds ?? packageSeconds();
    return new Provider(instance, base, log, issuer, options.publish ?? {}, seconds, options.spacesPort);
  }

  /** The load balancers' ports on this machine's loopback address. */
  get published(): readonly Published[] {
    return this.#publisher.published;
  }

  host(dropletId: number): Host {
    return new Host(this.instance, dropletId);
  }

  /**
   * Makes this machine match the account. It adopts hosts that a stopped or killed program left running, removes hosts
   * that are no longer in the account, and boots those droplets in `running` that are off.
   */
  async reconcile(world: () => World, running: ReadonlySet<number>): Promise<void> {
    const { droplets } = world();
    const known = new Set(droplets.map(({ id }) => id));
    for (const id of await dropletsOnDisk(this.instance)) if (!known.has(id)) await this.host(id).destroy();
    // If the public router no longer exists, the cables of running hosts lead nowhere, so the hosts are powered off.
    const cut = !(await namespaceExists(publicNamespace(this.instance)));
    if (cut) for (const id of await dropletsOnDisk(this.instance)) await this.host(id).powerOff();
    await this.updateAll(world);
    await Promise.all(droplets.map((droplet) => this.#resume(droplet, running.has(droplet.id))));
  }

  async #resume(droplet: Droplet, shouldRun: boolean): Promise<void> {
    const host = this.host(droplet.id);
    if (!(await host.exists())) return;
    const isRunning = (await host.running()) !== undefined;
    if (shouldRun && !isRunning) {
      await host
        .powerOn(droplet)
        .catch((error: unknown) => this.log(`droplet ${droplet.name}: ${message(error)}`));
    }
    if (!shouldRun && isRunning) await host.powerOff();
  }

  /**
   * Makes networks, DNS, metadata, volumes, firewalls and load balancers match the account. Each step reads the account
   * again, because an older state would undo changes that were made in the meantime.
   */
  async updateAll(world: () => World): Promise<void> {
    await this.updateNetworks(world());
    await this.updateServices(world());
    await this.updateVolumes(world());
    await this.updateFirewalls(world());
    await this.updateBalancers(world());
  }

  updateNetworks(world: World): Promise<void> {
    return this.#serial(async () => {
      await ensurePublicNetwork(this.instance);
      for (const vpc of world.vpcs) if (isUsed(world, vpc.id)) await ensureVpc(this.instance, vpc);
      const wanted = new Set(world.vpcs.map(({ id }) => vpcNamespace(this.instance, id)));
      for (const name of await namespacesOf(this.instance.id)) {
        if (name.startsWith(vpcNamespace(this.instance, "")) && !wanted.has(name))
          await deleteNamespace(name);
      }
    });
  }

  updateServices(world: World): Promise<void> {
    return this.#serial(async () => {
      await this.#services.update(world, this.spacesPort !== undefined);
      await this.#services.start();
      if (this.spacesPort !== undefined) await new SpacesEntrance(this.instance).open(this.spacesPort);
    });
  }

  updateVolumes(world: World): Promise<void> {
    return this.#serial(() => this.#volumes.update(world));
  }

  /** Firewalls in every router, each replaced in one transaction. */
  updateFirewalls(world: World): Promise<void> {
    return this.#serial(async () => {
      const table = firewallTable(world, await this.balancers.addresses(world));
      const outside = publicNamespace(this.instance);
      if (await namespaceExists(outside)) await loadRules(outside, table + reservedIpTable(world));
      for (const { id } of world.vpcs) {
        const router = vpcNamespace(this.instance, id);
        if (await namespaceExists(router)) await loadRules(router, table);
      }
    });
  }

  updateBalancers(world: World): Promise<void> {
    return this.#serial(async () => {
      const files = await this.certificates.files(world.certificates);
      for (const note of await this.balancers.update(world, files)) this.log(`load balancer ${note}`);
      await this.#publisher.update(world.balancers);
    });
  }

  /** Issues missing certificates, which takes about a second each. Load balancers then start to serve them. */
  async updateCertificates(world: () => World): Promise<void> {
    await this.certificates.update(world().certificates);
    await this.updateBalancers(world());
  }

  /**
   * Creates and boots a droplet's host, and returns when it has booted: cloud-init still runs then, as on a real droplet
   * that becomes active. It first removes the remains of an interrupted attempt.
   */
  async createDroplet(world: () => World, droplet: Droplet): Promise<void> {
    const host = this.host(droplet.id);
    await host.destroy();
    await this.updateNetworks(world());
    await this.updateServices(world());
    await host.create(
      droplet,
      this.base,
      new Authority(join(this.instance.dir, "authority")).certificateFile,
      this.packageSeconds,
    );
    await this.updateVolumes(world());
    // The firewall must be active before the first packet.
    await this.updateFirewalls(world());
    await this.powerOn(droplet);
    await this.updateBalancers(world());
  }

  async powerOn(droplet: Droplet): Promise<void> {
    const host = this.host(droplet.id);
    await host.powerOn(droplet);
    this.#watch(droplet, host);
  }

  async destroyDroplet(world: () => World, dropletId: number): Promise<void> {
    await this.host(dropletId).destroy();
    await this.updateAll(world);
  }

  /** Removes everything of the sandbox in `dir`. Unlike `open`, it does not need the base image. */
  static async remove(dir: string): Promise<void> {
    await (await Provider.#bare(dir)).destroy();
  }

  /** `stop` of the sandbox whose directory it is, without what only running hosts need. */
  static async halt(dir: string): Promise<void> {
    await (await Provider.#bare(dir)).stop();
  }

  static async #bare(dir: string): Promise<Provider> {
    const instance = await openInstance(dir);
    const issuer = authorityIssuer(new Authority(join(instance.dir, "authority")));
    return new Provider(instance, "", () => {}, issuer, {}, 0);
  }

  /**
   * Powers all hosts off, and removes networks and processes. Disks and keys stay, so that `reconcile` can boot again.
   */
  async stop(): Promise<void> {
    for (const watch of this.#watched) watch.abort();
    await this.#serial(async () => {
      const ids = await dropletsOnDisk(this.instance);
      await Promise.all(ids.map((id) => this.host(id).shutdown()));
      await this.#publisher.stop();
      await new Gateway(this.instance).close();
      await new SpacesEntrance(this.instance).close();
      await this.balancers.stop();
      await this.#services.stop();
      await this.#volumes.stop();
      for (const name of await namespacesOf(this.instance.id)) await deleteNamespace(name);
      await removeCgroup(this.instance.id);
      await rm(join("/run", this.instance.id), { recursive: true, force: true });
    });
  }

  /** Removes everything of the sandbox from this machine, including disks. */
  async destroy(): Promise<void> {
    for (const watch of this.#watched) watch.abort();
    for (const id of await dropletsOnDisk(this.instance)) await this.host(id).destroy();
    await this.stop();
    await rm(this.instance.dir, { recursive: true, force: true });
  }

  /** Logs a cloud-init that ends with an error. The droplet itself does not change. */
  #watch(droplet: Droplet, host: Host): void {
    const abort = new AbortController();
    this.#watched.add(abort);
    cloudInitOutcome(host, abort.signal)
      .then((outcome) => {
        if (outcome?.status === "error")
          this.log(`droplet ${droplet.name}: cloud-init failed: ${outcome.errors.join("; ")}`);
      })
      .catch(() => {})
      .finally(() => this.#watched.delete(abort));
  }

  /** Makes one change at a time. The next one runs even if the previous one failed. */
  #serial<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work, work);
    this.#queue = result.catch(() => {});
    return result;
  }
}

/** Only a VPC with members gets a router, because the account has a default VPC in each region. */
const isUsed = (world: World, vpcId: string): boolean =>
  [...world.droplets, ...world.balancers].some((one) => one.vpcId === vpcId);

async function loadRules(router: string, rules: string): Promise<void> {
  await runIn(router, "nft", ["-f", "-"], { input: rules });
}

const message = (error: unknown): string => (error instanceof Error ? error.message : String(error));
