import { access, mkdir, readdir, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { launch, launched } from "../daemon";
import {
  dropletNamespace,
  hostDir,
  type Instance,
  publicNamespace,
  snapshotDir,
  vpcNamespace,
} from "../instance";
import { dropletPort, plugDroplet } from "../network/fabric";
import { deleteNamespace } from "../network/namespace";
import { childOf, ended, isInit, type KnownProcess, signal } from "../process";
import { attempt, type Output, type RunOptions, run } from "../run";
import type { Droplet } from "../world";
import { capCpu, removeCgroup } from "./cgroup";
import { writePackageDelay } from "./packageDelay";
import { writeSeed } from "./seed";
import { trustAuthority } from "./trust";
import { refuseUnreadable } from "./userData";

const BOOT = join(__dirname, "boot.sh");
/** A droplet that has not reached its basic target by then never will. */
const BOOT_LIMIT_MS = 120_000;
/** DigitalOcean waits this long for a clean shutdown before it cuts the power. */
const SHUTDOWN_LIMIT_MS = 60_000;
/** Space for a host's own files: logs, a database's first files, the app's modules. */
const NEEDED_BYTES = 1024 ** 3;
/** systemd(1): the reaction of PID 1 to these signals; SIGRTMIN is 34. */
const POWEROFF_SIGNAL = 34 + 4;
const REBOOT_SIGNAL = 34 + 5;

/** The data of a host that must survive this program, stored next to its disk. */
interface HostFile {
  /** The layers of its disk, in overlayfs' format. The base root filesystem is the last. */
  readonly base: string;
  readonly name: string;
  /** Its additional disks: name in /dev/disk/by-id, and block device. */
  readonly disks: Readonly<Record<string, string>>;
}

/** One droplet as a machine. Every method works after a restart of this program. */
export class Host {
  readonly #dir: string;

  constructor(
    private readonly instance: Instance,
    readonly dropletId: number,
  ) {
    this.#dir = hostDir(instance, dropletId);
  }

  /** Its serial console, all boots. */
  get consolePath(): string {
    return join(this.#dir, "console.log");
  }

  async exists(): Promise<boolean> {
    return access(join(this.#dir, "host.json")).then(
      () => true,
      () => false,
    );
  }

  /**
   * Creates the disk: an empty layer on top of `base`, or a copy of a snapshot's. Nothing runs yet. The host trusts
   * the CA in `authorityFile` (PEM), and its packages take `packageSeconds`. Throws if cloud-init could not read the user data, or the disk of this machine
   * is almost full.
   */
  async create(droplet: Droplet, base: string, authorityFile: string, packageSeconds = 0): Promise<void> {
    refuseUnreadable(droplet);
    await this.powerOff();
    await rm(this.#dir, { recursive: true, force: true });
    await mkdir(this.#dir, { recursive: true, mode: 0o700 });
    await requireSpace(this.#dir);
    if (droplet.snapshot !== undefined) {
      await copyDisk(join(snapshotDir(this.instance, droplet.snapshot), "upper"), join(this.#dir, "upper"));
    }
    for (const folder of ["upper", "work", "root", "disks"])
      await mkdir(join(this.#dir, folder), { recursive: true });
    await writeSeed(join(this.#dir, "upper"), droplet, String(droplet.id));
    await trustAuthority(join(this.#dir, "upper"), base.slice(base.lastIndexOf(":") + 1), authorityFile);
    await writePackageDelay(join(this.#dir, "upper"), packageSeconds);
    await this.#write({ base, name: droplet.name, disks: {} });
  }

  /** Boots the host, and returns when systemd has reached its basic target. Does nothing if the host is running. */
  async powerOn(droplet: Droplet): Promise<void> {
    if (await this.running()) return;
    const { base, disks } = await this.#read();
    const namespace = await plugDroplet(this.instance, droplet);
    const { id } = this.instance;
    const machine = `${id}-${this.dropletId}`;
    const devices = Object.entries(disks).map(([name, device]) => `${name}=${device}`);
    const args = [this.#dir, base, namespace, machine, droplet.name, `${id}/${this.dropletId}`, ...devices];
    const unshare = ["unshare", "--mount", "--propagation", "private", BOOT, ...args];
    await launch(unshare, { processFile: join(this.#dir, "process"), logFile: this.consolePath });
    await this.#booted();
  }

  /** Cuts the power: every process of the host ends at once, without writing anything. */
  async powerOff(): Promise<void> {
    const machine = await this.running();
    if (machine) {
      const init = await this.init();
      if (init) await attempt("kill", ["-KILL", String(init)]);
      else await signal(machine, "SIGKILL");
      await ended(machine, 5000);
    }
    await this.#unplug();
  }

  /** Renames the host for operators. Inside, its host name stays the one that cloud-init set, as at DigitalOcean. */
  async rename(name: string): Promise<void> {
    if (await this.exists()) await this.#write({ ...(await this.#read()), name });
  }

  /** The droplet's name. Throws if it has no disk here. */
  async name(): Promise<string> {
    return (await this.#read()).name;
  }

  /** Asks the host to power off, and cuts the power if it has not done so in time. */
  async shutdown(withinMs = SHUTDOWN_LIMIT_MS): Promise<void> {
    const machine = await this.running();
    const init = await this.init();
    if (init) await attempt("kill", [`-${POWEROFF_SIGNAL}`, String(init)]);
    if (machine) await ended(machine, withinMs);
    await this.powerOff();
  }

  /** Asks the host to reboot, and returns when it is up again. A host that is off is booted. */
  async reboot(droplet: Droplet): Promise<void> {
    const init = await this.init();
    if (!init) return this.powerOn(droplet);
    await attempt("kill", [`-${REBOOT_SIGNAL}`, String(init)]);
    const deadline = Date.now() + SHUTDOWN_LIMIT_MS;
    while ((await this.init()) === init) {
      if (Date.now() > deadline) {
        await this.powerOff();
        return this.powerOn(droplet);
      }
      await delay(50);
    }
    if (!(await this.running())) return this.powerOn(droplet);
    await this.#booted();
  }

  /** Removes the host and all its data. */
  async destroy(): Promise<void> {
    await this.powerOff();
    await rm(join("/run/systemd/nspawn/propagate", `${this.instance.id}-${this.dropletId}`), {
      recursive: true,
      force: true,
    });
    await rm(this.#dir, { recursive: true, force: true });
  }

  /** Copies the current disk to a snapshot. For a running host, the copy is what a power cut would leave. */
  async snapshot(snapshotId: string): Promise<void> {
    await requireSpace(this.#dir);
    if (await this.running()) await this.run("sync", []).catch(() => {});
    const target = snapshotDir(this.instance, snapshotId);
    const partial = `${target}.partial`;
    await rm(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: 0o700 });
    await copyDisk(join(this.#dir, "upper"), join(partial, "upper"));
    await rename(partial, target);
  }

  /** Attaches a disk at /dev/disk/by-id/NAME, immediately if the host is running. */
  async attachDisk(name: string, device: string): Promise<void> {
    const file = await this.#read();
    await this.#write({ ...file, disks: { ...file.disks, [name]: device } });
    const machine = await this.running();
    if (!machine) return;
    const node = this.#diskNode(machine, name);
    const [major = "", minor = ""] = (await run("stat", ["--format=%Hr %Lr", device])).trim().split(" ");
    await rm(node, { force: true });
    await run("mknod", ["-m", "0660", node, "b", major, minor]);
  }

  /** Detaches a disk, and unmounts it on the host. */
  async detachDisk(name: string): Promise<void> {
    const file = await this.#read();
    const { [name]: device, ...disks } = file.disks;
    await this.#write({ ...file, disks });
    const machine = await this.running();
    if (!machine || !device) return;
    await this.attempt("umount", ["--all-targets", `/dev/disk/by-id/${name}`]);
    await rm(this.#diskNode(machine, name), { force: true });
  }

  /**
   * Caps the CPU of the whole host from outside, in CPUs (0.5 is half of one); undefined removes the cap. The cap
   * ends when the host powers off. It applies to processes that the host itself starts, not to those of `run`.
   * (Inside a host on a machine with cgroup v1, limits of units have no effect.)
   */
  async capCpu(cpus: number | undefined): Promise<void> {
    await capCpu(this.#cgroup, cpus);
  }

  async disks(): Promise<Readonly<Record<string, string>>> {
    return (await this.#read()).disks;
  }

  /** Runs a program on the host as root and returns its output. Throws CommandFailed. */
  async run(program: string, args: readonly string[], options?: RunOptions): Promise<string> {
    return run("nsenter", [...(await this.enter()), program, ...args], options);
  }

  /** Like `run`, for any exit code. */
  async attempt(program: string, args: readonly string[], options?: RunOptions): Promise<Output> {
    return attempt("nsenter", [...(await this.enter()), program, ...args], options);
  }

  /** The arguments with which nsenter enters the host, with a clean environment. Throws if the host is off. */
  async enter(terminal = "dumb"): Promise<string[]> {
    const init = await this.init();
    if (!init) throw new Error(`droplet ${this.dropletId} is off`);
    const environment = [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "HOME=/root",
      "LANG=C.UTF-8",
      `TERM=${terminal}`,
    ];
    const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--root", "--wd"];
    return ["--target", String(init), ...namespaces, "--", "env", "--ignore-environment", ...environment];
  }

  /** The process that runs the machine; undefined if the host is off. */
  async running(): Promise<KnownProcess | undefined> {
    return launched(join(this.#dir, "process"));
  }

  /** The host's PID 1 in this machine's numbering; undefined if the host is off. */
  async init(): Promise<number | undefined> {
    const machine = await this.running();
    // boot.sh, systemd-nspawn, PID 1.
    const nspawn = machine && (await childOf(machine.pid));
    const child = nspawn && (await childOf(nspawn));
    return child && (await isInit(child)) ? child : undefined;
  }

  /** A file of the running host; undefined if the host is off or the file is absent. */
  async readFile(path: string): Promise<string | undefined> {
    const init = await this.init();
    return init ? readFile(`/proc/${init}/root${path}`, "utf8").catch(() => undefined) : undefined;
  }

  /** True if systemd has reached a target of the boot. */
  async reached(target: string): Promise<boolean> {
    const init = await this.init();
    if (!init || !(await exists(`/proc/${init}/root/run/systemd/private`))) return false;
    return (
      (await this.attempt("systemctl", ["is-active", "--quiet", target], { timeoutMs: 5000 })).code === 0
    );
  }

  async #booted(): Promise<void> {
    const deadline = Date.now() + BOOT_LIMIT_MS;
    for (;;) {
      if (await this.reached("basic.target").catch(() => false)) return;
      if (!(await this.running()))
        throw new Error(`the host stopped while it was booting. ${await this.#lastWords()}`);
      if (Date.now() > deadline) {
        const words = await this.#lastWords();
        await this.powerOff();
        throw new Error(
          `the host did not start within ${BOOT_LIMIT_MS / 1000} s and was switched off. ${words}`,
        );
      }
      await delay(100);
    }
  }

  async #lastWords(): Promise<string> {
    const text = await readFile(this.consolePath, "utf8").catch(() => "");
    const lines = text.trim().split("\n").slice(-5).join("\n");
    return `Its console (${this.consolePath}) ends with:\n${lines}`;
  }

  /**
   * The routers' ends are removed first, because a process can hold a namespace a moment longer than its machine
   * runs.
   */
  async #unplug(): Promise<void> {
    const port = dropletPort(this.dropletId);
    const all = await readdir("/run/netns").catch(() => []);
    const vpcs = all.filter((name) => name.startsWith(vpcNamespace(this.instance, "")));
    for (const router of [publicNamespace(this.instance), ...vpcs]) {
      await attempt("ip", ["-netns", router, "link", "del", port]);
    }
    await removeCgroup(this.#cgroup);
    await deleteNamespace(dropletNamespace(this.instance, this.dropletId));
  }

  get #cgroup(): string {
    return `${this.instance.id}/${this.dropletId}`;
  }

  #diskNode(machine: KnownProcess, name: string): string {
    return join(`/proc/${machine.pid}/root`, this.#dir, "disks", name);
  }

  async #read(): Promise<HostFile> {
    return JSON.parse(await readFile(join(this.#dir, "host.json"), "utf8")) as HostFile;
  }

  async #write(file: HostFile): Promise<void> {
    const path = join(this.#dir, "host.json");
    await writeFile(`${path}.new`, JSON.stringify(file), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }
}

/** The droplets that have a disk here, even if the account does not know them. */
export async function dropletsOnDisk(instance: Instance): Promise<number[]> {
  const names = await readdir(join(instance.dir, "droplets")).catch(() => []);
  return names.map(Number).filter((id) => id > 0);
}

/** Overlayfs stores deletions as devices and marks in extended attributes. Only cp's own archive mode copies them. */
async function copyDisk(from: string, to: string): Promise<void> {
  await run("cp", ["--archive", "--reflink=auto", from, to], { timeoutMs: 10 * 60_000 });
}

async function requireSpace(folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= NEEDED_BYTES) return;
  throw new Error(
    `disk full: a host needs 1 GiB of free space in ${folder}. Free some space, and create the droplet again.`,
  );
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
