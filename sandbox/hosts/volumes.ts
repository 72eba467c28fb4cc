import { mkdir, open, readdir, rm, stat, truncate } from "node:fs/promises";
import { join } from "node:path";
import { dropletsOnDisk, Host } from "./host/host";
import type { Instance } from "./instance";
import { run } from "./run";
import type { Volume, World } from "./world";

/** DigitalOcean's name for a volume's device in /dev/disk/by-id. */
export const diskName = (volume: Pick<Volume, "name">): string => `scsi-0DO_Volume_${volume.name}`;

/** Block storage: a sparse file for each volume, and a loop device while it is attached. */
export class Volumes {
  readonly #dir: string;

  constructor(private readonly instance: Instance) {
    this.#dir = join(instance.dir, "volumes");
  }

  /** Makes files and attachments match the account. A droplet without a disk yet gets its volumes later. */
  async update(world: World): Promise<void> {
    if (world.volumes.length === 0 && (await this.#onDisk()).length === 0) return;
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    await this.#detachOthers(world);
    for (const volume of world.volumes) await this.#ensure(volume);
    const wanted = new Set(world.volumes.map(({ id }) => id));
    for (const id of await this.#onDisk()) if (!wanted.has(id)) await this.#remove(id);
  }

  /** Frees all loop devices; the files stay. */
  async stop(): Promise<void> {
    for (const id of await this.#onDisk()) await this.#release(id);
  }

  async #ensure(volume: Volume): Promise<void> {
    await this.#ensureFile(volume);
    for (const dropletId of volume.droplet_ids) {
      const host = new Host(this.instance, dropletId);
      if (!(await host.exists())) continue;
      const device = await this.#loopDevice(volume.id);
      if ((await host.disks())[diskName(volume)] !== device) await host.attachDisk(diskName(volume), device);
    }
  }

  async #ensureFile({ id, size_gigabytes, filesystem_type, filesystem_label }: Volume): Promise<void> {
    const path = this.#path(id);
    const bytes = size_gigabytes * 1024 ** 3;
    const present = await stat(path).catch(() => undefined);
    if (present) {
      if (present.size >= bytes) return;
      await truncate(path, bytes);
      const device = await this.#attachedDevice(id);
      if (device) await run("losetup", ["--set-capacity", device]);
      return;
    }
    const partial = `${path}.new`;
    await rm(partial, { force: true });
    const file = await open(partial, "wx", 0o600);
    await file.truncate(bytes);
    await file.close();
    const label = filesystem_label === "" ? [] : ["-L", filesystem_label];
    if (filesystem_type !== "")
      await run(`mkfs.${filesystem_type}`, ["-q", ...label, partial], { timeoutMs: 120_000 });
    await run("mv", [partial, path]);
  }

  async #detachOthers(world: World): Promise<void> {
    for (const dropletId of await dropletsOnDisk(this.instance)) {
      const host = new Host(this.instance, dropletId);
      if (!(await host.exists())) continue;
      const own = new Set(world.volumes.filter((v) => v.droplet_ids.includes(dropletId)).map(diskName));
      for (const [name, device] of Object.entries(await host.disks())) {
        if (own.has(name)) continue;
        await host.detachDisk(name);
        await run("losetup", ["--detach", device]).catch(() => "");
      }
    }
  }

  async #loopDevice(id: string): Promise<string> {
    const attached = await this.#attachedDevice(id);
    return attached ?? (await run("losetup", ["--find", "--show", this.#path(id)])).trim();
  }

  async #attachedDevice(id: string): Promise<string | undefined> {
    const output = await run("losetup", ["--associated", this.#path(id), "--output", "NAME", "--noheadings"]);
    return output.trim().split("\n")[0] || undefined;
  }

  async #release(id: string): Promise<void> {
    const device = await this.#attachedDevice(id);
    if (device) await run("losetup", ["--detach", device]);
  }

  async #remove(id: string): Promise<void> {
    await this.#release(id);
    await rm(this.#path(id), { force: true });
  }

  #path(id: string): string {
    return join(this.#dir, `${id}.img`);
  }

  async #onDisk(): Promise<string[]> {
    const names = await readdir(this.#dir).catch(() => []);
    return names.filter((name) => name.endsWith(".img")).map((name) => name.slice(0, -".img".length));
  }
}
