import { createHash, randomBytes } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { lstat, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { SpacesBucket } from "../api/core/spaces";
import { Daemon } from "../hosts/daemon";

const READY_WITHIN_MS = 15_000;
/** The longest path of a socket (sun_path, unix(7)), and the longest name of one here. */
const MAX_SOCKET_PATH = 107;
const MAX_SOCKET_NAME = "/nyc3-us-east-1.sock".length;

/**
 * The S3 servers (versitygw) of one account: one process for each pair of a region and a signing region, because a
 * process knows one domain and accepts signatures for one region. All processes of a region share its buckets.
 */
export class Gateways {
  readonly #started = new Map<string, Promise<string>>();

  /**
   * @param program returns the path of versitygw, which it may build first; called when the first process starts
   * @param dir holds buckets, users and sockets; made with mode 0700
   */
  constructor(
    private readonly program: () => Promise<string>,
    private readonly dir: string,
  ) {}

  get accountsDir(): string {
    return join(this.dir, "accounts");
  }

  /** The folder of a region's buckets, one folder each. */
  bucketsDir(region: string): string {
    return join(this.dir, "regions", region, "buckets");
  }

  /** The buckets of all regions, in the order of creation. */
  buckets(): SpacesBucket[] {
    const regions = join(this.dir, "regions");
    const namesIn = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);
    return namesIn(regions)
      .flatMap((region) => namesIn(this.bucketsDir(region)).map((name) => ({ region, name })))
      .map(({ region, name }) => ({
        name,
        createdAt: statSync(join(this.bucketsDir(region), name)).birthtime.toISOString(),
      }))
      .sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
  }

  async prepare(): Promise<void> {
    await mkdir(this.accountsDir, { recursive: true, mode: 0o700 });
  }

  /**
   * The socket of the process for a region and a signing region, started where it does not run.
   *
   * @throws Error with the end of the process's log where it does not come up
   */
  socket(region: string, domain: string, signingRegion: string): Promise<string> {
    const name = `${region}-${signingRegion}`;
    let socket = this.#started.get(name);
    if (socket === undefined) {
      socket = this.#start(name, region, domain, signingRegion);
      this.#started.set(name, socket);
      // A process that did not come up is tried again with the next request.
      socket.catch(() => this.#started.delete(name));
    }
    return socket;
  }

  /** Called when a process does not answer: the next request starts it. */
  forget(region: string, signingRegion: string): void {
    this.#started.delete(`${region}-${signingRegion}`);
  }

  async #start(name: string, region: string, domain: string, signingRegion: string): Promise<string> {
    const folder = join(this.dir, "regions", region);
    const [buckets, versions] = [this.bucketsDir(region), join(folder, "versions")];
    for (const path of [buckets, versions]) await mkdir(path, { recursive: true, mode: 0o700 });
    const socket = join(socketDir(this.dir), `${name}.sock`);
    await makePrivate(dirname(socket));
    const daemon = new Daemon(this.dir, name);
    await daemon.ensure([
      ...["sh", "-c", '. "$0" && exec "$@"', await this.#rootAccount()],
      ...[await this.program(), "--port", socket, "--socket-perm", "0600", "--region", signingRegion],
      ...[
        "--virtual-domain",
        domain,
        "--iam-dir",
        this.accountsDir,
        "--iam-cache-disable",
        "--keep-alive",
        "--quiet",
      ],
      ...["posix", "--dir-perms", "0700", "--file-perms", "0600", "--versioning-dir", versions, buckets],
    ]);
    const deadline = Date.now() + READY_WITHIN_MS;
    while (!(await accepts(socket))) {
      if (Date.now() > deadline || !(await daemon.running()))
        throw new Error(`the S3 server of ${region} did not start: ${await daemon.lastWords()}`);
      await delay(20);
    }
    return socket;
  }

  /** versitygw requires a root account. It reads the secret from this file, so that no process argument contains it. */
  async #rootAccount(): Promise<string> {
    const file = join(this.dir, "root.env");
    const random = () => randomBytes(20).toString("hex");
    const text = `export ROOT_ACCESS_KEY_ID=${random()} ROOT_SECRET_ACCESS_KEY=${random()}\n`;
    await writeFile(file, text, { mode: 0o600, flag: "wx" }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST") throw error;
    });
    return file;
  }

  async stop(): Promise<void> {
    // A process that is just starting would outlive this.
    await Promise.allSettled(this.#started.values());
    this.#started.clear();
    await endGateways(this.dir);
  }
}

/** Ends every process of a folder, also those of an earlier program that was killed. Buckets stay. */
export async function endGateways(dir: string): Promise<void> {
  const files = await readdir(dir).catch(() => []);
  const names = files.flatMap((file) => /^(.+)\.process$/.exec(file)?.[1] ?? []);
  await Promise.all(names.map((name) => new Daemon(dir, name).stop()));
  const sockets = socketDir(dir);
  for (const file of (await readdir(sockets).catch(() => [])).filter((one) => one.endsWith(".sock")))
    await rm(join(sockets, file), { force: true });
  if (sockets !== dir) await rm(sockets, { recursive: true, force: true });
}

/** The folder of the sockets: `dir`, or one in the system's folder for temporary files if the path is too long. */
function socketDir(dir: string): string {
  if (Buffer.byteLength(dir) + MAX_SOCKET_NAME <= MAX_SOCKET_PATH) return dir;
  return join(tmpdir(), `spaces-${createHash("sha256").update(dir).digest("hex").slice(0, 16)}`);
}

/** Creates a folder for this user only. Throws if another user has created it. */
async function makePrivate(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const { uid, mode } = await lstat(dir);
  if (uid !== process.getuid?.() || (mode & 0o077) !== 0)
    throw new Error(`${dir} must belong to this user, with mode 0700: remove it`);
}

function accepts(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const connection = connect(socket);
    const end = (result: boolean) => {
      connection.destroy();
      resolve(result);
    };
    connection.once("connect", () => end(true)).once("error", () => end(false));
  });
}
