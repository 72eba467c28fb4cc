import type { HostChange, HostDriver } from "../api/core/host";
import type { Store } from "../api/core/store";
import { dropletTable } from "../api/resources/droplets/record";
import { imageTable } from "../api/resources/images";
import { dropletOf, snapshotName, snapshotOf, worldOf } from "./account";
import { Provider, type ProviderOptions } from "./provider";
import type { World } from "./world";

type DropletAction = Extract<HostChange, { kind: "droplet_action" }>;

/** Where a load balancer's ports appear on the loopback address, as long as nobody else has them. */
export const PUBLISHED_PORTS: Readonly<Record<number, number>> = { 80: 8080, 443: 8443 };

/**
 * Makes the account's records real: droplets boot as hosts, firewalls filter, load balancers forward, names resolve.
 *
 * A droplet action completes when the machine has done it; what the machine could not do makes it `errored`, with the
 * reason in the server's log. Everything else follows the records within a fraction of a second.
 */
export class Driver implements HostDriver {
  private constructor(readonly provider: Provider) {}

  /** Throws HostsUnavailable, with what to do, where this machine cannot run hosts. */
  static async open(options: ProviderOptions): Promise<Driver> {
    return new Driver(await Provider.open(options));
  }

  async start(store: Store): Promise<void> {
    const active = dropletTable(store)
      .values()
      .filter(({ status }) => status === "active");
    const world = () => worldOf(store);
    await this.provider.reconcile(world, new Set(active.map(({ id }) => id)));
    if (world().certificates.length > 0) await this.provider.updateCertificates(world);
    await this.#bootRecords(store, world);
  }

  /** Droplets that were made while they were records alone, or whose disks are gone, boot from their user data. */
  async #bootRecords(store: Store, world: () => World): Promise<void> {
    const active = dropletTable(store)
      .values()
      .filter(({ status }) => status === "active");
    const boots = active.map(async (record) => {
      if (await this.provider.host(record.id).exists()) return;
      await this.provider
        .createDroplet(world, dropletOf(store, record))
        .catch((error: unknown) => this.provider.log(`droplet ${record.name}: ${String(error)}`));
    });
    await Promise.all(boots);
  }

  async apply(change: HostChange, store: Store): Promise<void> {
    const world = () => worldOf(store);
    switch (change.kind) {
      case "droplet_action":
        return this.#act(change, store, world);
      case "droplet_deleted":
        return this.provider.destroyDroplet(world, change.dropletId);
      case "firewalls":
      case "reserved_ips":
        return this.provider.updateFirewalls(world());
      case "load_balancers":
        // A load balancer is a firewall's source as well.
        await this.provider.updateNetworks(world());
        await this.provider.updateBalancers(world());
        return this.provider.updateFirewalls(world());
      case "certificates":
        return this.provider.updateCertificates(world);
      case "domains":
        return this.provider.updateServices(world());
      case "tags":
        await this.provider.updateFirewalls(world());
        await this.provider.updateBalancers(world());
        return this.provider.updateServices(world());
      case "volumes":
        return this.provider.updateVolumes(world());
      case "vpcs":
        return this.provider.updateNetworks(world());
    }
  }

  async #act(action: DropletAction, store: Store, world: () => World): Promise<void> {
    const record = dropletTable(store).get(action.dropletId);
    if (!record) return; // deleted meanwhile
    const droplet = dropletOf(store, record);
    const host = this.provider.host(droplet.id);
    switch (action.type) {
      case "create":
        return this.provider.createDroplet(world, droplet);
      case "rebuild":
      case "restore": {
        const image = imageTable(store).get(Number(action.parameters.image));
        return this.provider.createDroplet(world, { ...droplet, snapshot: image && snapshotOf(image) });
      }
      case "power_on":
        // One that was off as long as it was a record has no disk yet.
        if (!(await host.exists())) return this.provider.createDroplet(world, droplet);
        return this.provider.powerOn(droplet);
      case "rename":
        return host.rename(String(action.parameters.name));
      case "power_off":
      case "resize":
        return host.powerOff();
      case "shutdown":
        return host.shutdown();
      case "power_cycle":
        await host.powerOff();
        return this.provider.powerOn(droplet);
      case "reboot":
        return host.reboot(droplet);
      case "snapshot":
        return host.snapshot(snapshotName(droplet.id, String(action.parameters.name)));
      default:
        // A record's own change (backups): nothing on the machine.
        return;
    }
  }
}
