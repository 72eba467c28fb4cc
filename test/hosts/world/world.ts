import { appendFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Instance } from "../../../sandbox/hosts/instance";
import type { Provider } from "../../../sandbox/hosts/provider";
import { waitFor } from "../../waitFor";
import { members } from "../checkers/members";
import { Account } from "./account";
import { Client } from "./client";
import { type HostIdentity, type Role, WorldHost } from "./worldHost";

export interface WorldOptions {
  /** The stack whose `Pulumi.STACK.yaml` is the base: dev. */
  readonly stack?: string;
  /** Settings of this world by their path below `secured-web:`, as after `npm start -- --config`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Settings that are stored encrypted, by the same paths. */
  readonly secrets?: Readonly<Record<string, string>>;
  /** Certificates (PEM) that the client trusts beside the sandbox's own. */
  readonly roots?: string;
  /** Loopback port that hosts reach as Spaces. */
  readonly spacesPort?: number;
  /** Called with the address of the account's own Spaces, before anything is created. */
  readonly onSpaces?: (url: string) => void;
  readonly onProgress?: (line: string) => void;
}

/** The shortest that DigitalOcean takes: a test waits for the load balancer as seldom as can be. */
const QUICK_CHECKS = {
  "loadBalancer.checkIntervalSeconds": "3",
  "loadBalancer.checkTimeoutSeconds": "3",
  "loadBalancer.unhealthyThreshold": "2",
};
const UP_WITHIN_S = 300;

/** The whole infrastructure of one stack on running hosts, as the real program made it. */
export class World {
  readonly client: Client;

  private constructor(
    readonly account: Account,
    readonly hosts: readonly WorldHost[],
    /** The site's address: "https://www.dev.foobar.com". */
    readonly url: string,
    readonly loadBalancerIp: string,
    readonly replication: "group" | "source-replica",
  ) {
    const { provider } = account.driver;
    // A certificate that is brought (passthrough) is of no issuer: no roots are written for it.
    const roots = () => provider.certificates.rootsFile;
    this.client = new Client(provider.instance, new URL(url).hostname, roots);
  }

  /**
   * Deploys a stack. It comes back when the droplets have booted; `waitUntilReady` waits for what runs on them.
   * Destroy it at the end, whatever happens.
   */
  static async up(options: WorldOptions = {}): Promise<World> {
    const { stack = "dev", config = {}, secrets = {}, roots, spacesPort, onProgress = () => {} } = options;
    const account = await Account.open(onProgress, spacesPort);
    try {
      options.onSpaces?.(account.spaces.url);
      const outputs = await account.up(stack, { ...QUICK_CHECKS, ...config }, secrets);
      if (roots) await trust(account.driver.provider.certificates.rootsFile, roots);
      const ids = new Map((await account.droplets()).map(({ id, name }) => [name, id]));
      const zone = `internal.${new URL(outputs.url).hostname.split(".").slice(1).join(".")}`;
      const hosts = outputs.droplets.map(({ name, roles, publicIp, privateIp }) => {
        const dropletId = ids.get(name);
        if (dropletId === undefined) throw new Error(`the account has no droplet ${name}`);
        const identity: HostIdentity = { dropletId, dropletName: name, roles, publicIp, privateIp };
        return new WorldHost(identity, stack, zone, account.driver.provider.host(dropletId));
      });
      const replication = config.replication === "source-replica" ? "source-replica" : "group";
      return new World(account, hosts, outputs.url, outputs.loadBalancerIp, replication);
    } catch (error) {
      await account.close();
      throw error;
    }
  }

  get instance(): Instance {
    return this.account.driver.provider.instance;
  }

  /** The machinery below: routers, firewalls, load balancers, certificates. */
  get provider(): Provider {
    return this.account.driver.provider;
  }

  /** A host by its name in the topology: "node-1", "web-2", "db-3". */
  host(name: string): WorldHost {
    const found = this.hosts.find((host) => host.name === name);
    if (!found)
      throw new Error(`no host ${name}; there are ${this.hosts.map((host) => host.name).join(", ")}`);
    return found;
  }

  hostsWith(role: Role): readonly WorldHost[] {
    return this.hosts.filter((host) => host.has(role));
  }

  /** Cuts a host's power. */
  powerOff(host: WorldHost): Promise<void> {
    return this.account.act(host.identity.dropletId, "power_off");
  }

  /** Switches a host on, and comes back when systemd has reached its basic target. */
  powerOn(host: WorldHost): Promise<void> {
    return this.account.act(host.identity.dropletId, "power_on");
  }

  /** Asks a host to power off, and cuts its power where it has not done so in a minute. */
  shutdown(host: WorldHost): Promise<void> {
    return this.account.act(host.identity.dropletId, "shutdown");
  }

  /** Asks a host to reboot, and comes back when it is up again. */
  reboot(host: WorldHost): Promise<void> {
    return this.account.act(host.identity.dropletId, "reboot");
  }

  /** Gives a host a new disk, which begins with its user data. */
  rebuild(host: WorldHost): Promise<void> {
    return this.account.act(host.identity.dropletId, "rebuild", { image: "ubuntu-26-04-x64" });
  }

  /** Waits until cloud-init has ended on every host, every database host is in its place, and the site answers 200. */
  async waitUntilReady(within = UP_WITHIN_S): Promise<void> {
    const explain = () => this.complaints();
    await Promise.all(
      this.hosts.map((host) =>
        waitFor(
          `cloud-init on ${host.name}`,
          async () =>
            (await host.cloudInit())?.status !== "running" && (await host.cloudInit()) !== undefined,
          { within, explain },
        ),
      ),
    );
    await waitFor("every database host in its place", () => this.databaseIsWhole(), { within, explain });
    await waitFor("200 from the site", async () => (await this.client.get("/readyz")).status === 200, {
      within,
      explain,
    });
  }

  /** Group: every member sees all of them ONLINE. Source and replicas: every replica replicates. */
  async databaseIsWhole(): Promise<boolean> {
    const hosts = this.hostsWith("database");
    const names = hosts.map(({ fqdn }) => fqdn).sort();
    const seen = await Promise.all(hosts.map((host) => members(host, this.replication)));
    return seen.every((view, index) =>
      this.replication === "group"
        ? view.length === names.length &&
          view.every(({ host, state }) => names.includes(host) && state === "ONLINE")
        : view.every(({ state }) => state === (index === 0 ? "SOURCE" : "REPLICATES")),
    );
  }

  /** Puts right what a test has broken: hosts that are off are switched on, and all are waited for. */
  async heal(): Promise<void> {
    for (const host of this.hosts) if (!(await host.isOn())) await this.powerOn(host);
    await this.waitUntilReady();
  }

  /** What is wrong on any host, with the journal of failed units; what the driver had to say. */
  async complaints(): Promise<string> {
    const told = await Promise.all(
      this.hosts.map(async (host) => {
        const own = await host.complaints().catch((error) => `${host.name}: ${String(error)}`);
        const units = host.has("database") && (await host.isOn()) ? ["secured-web-group.service"] : [];
        const journals = await Promise.all(units.map((unit) => host.journal(unit, 8)));
        return [own, ...journals].filter((text) => text !== "").join("\n");
      }),
    );
    return [...this.account.log, await this.#backends().catch(String), ...told].join("\n");
  }

  /** What the load balancers' checks say of each web host. */
  async #backends(): Promise<string> {
    const path = "load_balancers";
    const { load_balancers } = await this.account.call<{ load_balancers: { id: string }[] }>("GET", path);
    const states = await Promise.all(load_balancers.map(({ id }) => this.provider.balancers.states(id)));
    const lines = states.flat().map(({ backend, server, status, check }) => {
      const host = this.hosts.find(({ identity }) => server === `d${identity.dropletId}`);
      return `${backend}: ${host?.name ?? server} ${status} ${check}`;
    });
    return lines.join("\n");
  }

  /** Ends everything and removes it from this machine. */
  destroy(): Promise<void> {
    return this.account.close();
  }
}

async function trust(rootsFile: string, roots: string): Promise<void> {
  await mkdir(dirname(rootsFile), { recursive: true });
  await appendFile(rootsFile, roots);
}
