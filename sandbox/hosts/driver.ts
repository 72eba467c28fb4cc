import type { HostChange, HostDriver } from "../api/core/host";
import type { Store } from "../api/core/store";
import { dropletTable } from "../api/resources/droplets/record";
import { imageTable } from "../api/resources/images";
import { dropletOf, snapshotName, snapshotOf, worldOf } from "./account";
import { Provider, type ProviderOptions } from "./provider";
import type { World } from "./world";

type DropletAction = Extract<HostChange, { kind: "droplet_action" }>;

/** The loopback ports for a load balancer's ports, by entry port, unless another process uses them. */
export const PUBLISHED_PORTS: Readonly<Record<number, number>> = { 80: 8080, 443: 8443 };

/**
 * Runs the account's records on this machine: droplets boot as hosts, firewalls filter, load balancers forward, and
 * names resolve.
 *
 * A droplet action completes when the machine has done it. If the machine cannot do it, the action is `errored`, and
 * the reason is in the server's log. All other changes take effect within a fraction of a second.
 */
export class Driver implements HostDriver {
  private constructor(readonly provider: Provider) {}

  /** Throws HostsUnavailable, with the remedy, if this machine cannot run hosts. */
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

  /** Boots droplets that were only records, or whose disks are missing, from their user data. */
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
        // A load balancer can also be a firewall's source.
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
    if (!record) return; // deleted in the meantime
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
        // A droplet that was off while it was only a record has no disk yet.
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
        // A change of the record only (backups).
        return;
    }
  }
}
