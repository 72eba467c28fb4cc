import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { waitForLock } from "../lock.mjs";
import { requireHosts } from "./requirements";

const RECIPE = join(__dirname, "image", "build.sh");
/** Space for a build: the root filesystem (about 1 GB), the downloaded packages, and a reserve. */
const NEEDED_BYTES = 3 * 1024 ** 3;
const BUILD_LIMIT_MS = 20 * 60_000;

export interface ImageOptions {
  /** Receives one line for each step; none if the image is in the cache. */
  onProgress?: (line: string) => void;
  /** Stops the build. */
  signal?: AbortSignal | undefined;
  /** The folder for images; default: `digitalocean-sandbox/images` in the user's cache folder. */
  cacheDir?: string;
  /** The recipe: a program whose argument is the directory to create. For tests. */
  recipe?: string;
  /** Bytes that must be free before a build starts. For tests. */
  neededBytes?: number;
}

export interface BaseImage {
  /** Directory of the root filesystem. It is never written to: each host's disk is an overlay on it. */
  rootfs: string;
  source: "cache" | "built";
}

/** The default folder for images. */
export function imageCacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "digitalocean-sandbox", "images");
}

/**
 * The root filesystem of every host, built from the recipe once and stored under the recipe's hash.
 *
 * An interrupted build leaves nothing that a later call could use as an image. Concurrent callers build it only once.
 * Throws HostsUnavailable without root, Linux or a required program (and names its package). Throws an Error with the
 * required space if the disk is full, or with the end of the build's output if the build fails.
 */
export async function ensureBaseImage(options: ImageOptions = {}): Promise<BaseImage> {
  const recipe = options.recipe ?? RECIPE;
  const hash = createHash("sha256")
    .update(await readFile(recipe))
    .digest("hex")
    .slice(0, 16);
  return ensureCached(options.cacheDir ?? imageCacheDir(), hash, options, async (partial, report) => {
    await requireSpace(partial, options.neededBytes ?? NEEDED_BYTES);
    report("building the base image of the hosts, once (about 90 seconds, 200 MB of Debian packages)");
    await runRecipe(recipe, [join(partial, "rootfs")], report, options.signal);
  });
}

/**
 * Returns `<cacheDir>/<hash>/rootfs`. If it is absent, `build` creates it in a directory that is renamed afterwards.
 */
export async function ensureCached(
  cacheDir: string,
  hash: string,
  options: Pick<ImageOptions, "onProgress" | "signal">,
  build: (partial: string, report: (line: string) => void) => Promise<void>,
): Promise<BaseImage> {
  const target = join(cacheDir, hash);
  const rootfs = join(target, "rootfs");
  if (await isComplete(target)) return { rootfs, source: "cache" };
  await requireHosts();
  // The images contain setuid programs of an old system, which other users must not reach.
  await mkdir(cacheDir, { recursive: true, mode: 0o700 });
  const report = options.onProgress ?? (() => {});
  const lock = await waitForLock(`${target}.lock`, "build of an image", {
    onWait: ({ pid }) => report(`waiting for process ${pid}, which is building the same image`),
    signal: options.signal,
  });
  try {
    if (await isComplete(target)) return { rootfs, source: "cache" };
    await removeLeftovers(cacheDir, hash);
    const partial = join(cacheDir, `${hash}.partial-${process.pid}`);
    try {
      await mkdir(partial, { recursive: true });
      await build(partial, report);
      await writeFile(join(partial, "complete"), `${new Date().toISOString()}\n`);
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { recursive: true, force: true });
      throw error;
    }
    return { rootfs, source: "built" };
  } finally {
    lock.release();
  }
}

/** The marker is written last. It also checks the root, which a user may have emptied to free space. */
async function isComplete(target: string): Promise<boolean> {
  return (await exists(join(target, "complete"))) && (await exists(join(target, "rootfs", "usr")));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function removeLeftovers(cacheDir: string, hash: string): Promise<void> {
  for (const name of await readdir(cacheDir)) {
    if (name === hash || name.startsWith(`${hash}.partial-`)) {
      await rm(join(cacheDir, name), { recursive: true, force: true });
    }
  }
}

async function requireSpace(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= neededBytes) return;
  const gib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
  throw new Error(
    `building the base image needs ${gib(neededBytes)} of free space in ${folder}, found ${gib(free)}. ` +
      "Free some space, or set XDG_CACHE_HOME to a folder on a larger disk.",
  );
}

/**
 * Runs the recipe in its own mount and process namespace, which ends with this process, so that an interrupted build
 * leaves no mounts and no processes.
 */
export async function runRecipe(
  recipe: string,
  args: readonly string[],
  report: (line: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  signal?.throwIfAborted();
  const wrapped = [
    "--pdeathsig",
    "KILL",
    "unshare",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
  ];
  const child = spawn("setpriv", [...wrapped, recipe, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, LC_ALL: "C.UTF-8", DEBIAN_FRONTEND: "noninteractive" },
  });
  const tail: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      tail.push(line);
      if (tail.length > 30) tail.shift();
      if (line.startsWith("I: ")) report(firstLine(line.slice(3)));
    });
  }
  const kill = () => child.kill("SIGKILL");
  const timer = setTimeout(kill, BUILD_LIMIT_MS);
  signal?.addEventListener("abort", kill, { once: true });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  }).finally(() => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", kill);
  });
  if (code === 0) return;
  signal?.throwIfAborted();
  const noSpace = tail.some((line) => /no space left on device/i.test(line));
  throw new Error(
    noSpace
      ? "the disk became full while the base image was built; its files were removed. Free some space and try again."
      : `building the base image failed (${code === null ? "killed" : `exit ${code}`}). Its last lines:\n${tail.join("\n")}`,
  );
}

/** mmdebstrap reports a hook with its whole text, so a short phrase replaces it. */
function firstLine(text: string): string {
  return text.startsWith("running --customize-hook") ? "setting up the image" : text;
}
