/**
 * A host's root as it is after cloud-init has written its files: the sandbox's base image with the rendered files on
 * top, and the users and owners that setup gives them. Tools run in it by chroot, in namespaces of their own.
 */
import { type ChildProcessByStdio, type SpawnSyncReturns, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { ensureBaseImage } from "../../sandbox/hosts/image";
import { parseUserData } from "./parsed";

export interface Answer {
  readonly status: number;
  readonly output: string;
}

export class RenderedHost {
  private constructor(
    private readonly folder: string,
    readonly root: string,
  ) {}

  static async create(userData: string): Promise<RenderedHost> {
    const { rootfs } = await ensureBaseImage({ onProgress: (line) => console.log(`      ${line}`) });
    const folder = mkdtempSync(join(tmpdir(), "secured-web-payload-"));
    for (const name of ["upper", "work", "root"]) mkdirSync(join(folder, name));
    const host = new RenderedHost(folder, join(folder, "root"));
    const layers = `lowerdir=${rootfs},upperdir=${folder}/upper,workdir=${folder}/work`;
    must(spawnSync("mount", ["-t", "overlay", "overlay", "-o", layers, host.root], { encoding: "utf8" }));
    for (const { path, mode, text } of parseUserData(userData).written) host.write(path, text, mode);
    host.must("python3", "-B", "/usr/local/lib/secured-web/release/files.py");
    host.must("systemd-sysusers");
    host.must("sh", "-c", "systemd-tmpfiles --create /etc/tmpfiles.d/secured-web*.conf");
    return host;
  }

  write(path: string, text: string, mode = 0o644): void {
    const target = join(this.root, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    chmodSync(target, mode);
  }

  /** Runs a program of the host, without network, with /proc, /dev and an own /run and /tmp. */
  run(...command: string[]): Answer {
    return answer(spawnSync("unshare", ["--net", ...this.isolated(command)], { encoding: "utf8" }));
  }

  /** Starts a program of the host, with this machine's network. It ends with the returned process. */
  start(...command: string[]): ChildProcessByStdio<null, Readable, Readable> {
    return spawn("unshare", this.isolated(command), { stdio: ["ignore", "pipe", "pipe"] });
  }

  private isolated(command: readonly string[]): string[] {
    const script =
      'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && mount -t tmpfs tmpfs "$0/tmp" && ' +
      'mkdir -p "$0/run" && ip link set lo up && exec chroot "$0" env -i ' +
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root SYSTEMD_LOG_TARGET=console "$@"';
    return ["--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, this.root, ...command];
  }

  /** The output; throws where the program fails. */
  must(...command: string[]): string {
    const { status, output } = this.run(...command);
    if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}:\n${output}`);
    return output;
  }

  /** Runs something with a file changed, and puts the file back. */
  with<T>(path: string, change: (text: string) => string, work: () => T): T {
    const before = this.must("cat", path);
    const after = change(before);
    if (after === before) throw new Error(`the change left ${path} as it was`);
    const mode = Number.parseInt(this.must("stat", "-c", "%a", path), 8);
    this.write(path, after, mode);
    try {
      return work();
    } finally {
      this.write(path, before, mode);
    }
  }

  remove(): void {
    if (existsSync(this.root)) spawnSync("umount", [this.root]);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function answer({ status, stdout, stderr, error }: SpawnSyncReturns<string>): Answer {
  if (error) throw error;
  return { status: status ?? 255, output: `${stdout}${stderr}` };
}

function must(result: SpawnSyncReturns<string>): void {
  const { status, output } = answer(result);
  if (status !== 0) throw new Error(output);
}
