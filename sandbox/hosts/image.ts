import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm, statfs, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { waitForLock } from "../lock.mjs";
import { requireHosts } from "./requirements";

const RECIPE = join(__dirname, "image", "build.sh");
/** What a build takes while it runs: the root (about 1 GB), packages on their way in, and room to spare. */
const NEEDED_BYTES = 3 * 1024 ** 3;
const BUILD_LIMIT_MS = 20 * 60_000;

export interface ImageOptions {
  /** Told of each step in one line; nothing is told where the image is in the cache. */
  onProgress?: (line: string) => void;
  /** Ends the making of an image. */
  signal?: AbortSignal | undefined;
  /** Where images are kept; by default `digitalocean-sandbox/images` below the user's cache folder. */
  cacheDir?: string;
  /** The recipe: a program that takes the directory to make. For tests. */
  recipe?: string;
  /** Bytes that must be free before a build begins. For tests. */
  neededBytes?: number;
}

export interface BaseImage {
  /** Directory of the root filesystem; never written to, hosts lay an overlay on it. */
  rootfs: string;
  source: "cache" | "built";
}

/** Where images are kept by default. */
export function imageCacheDir(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "digitalocean-sandbox", "images");
}

/**
 * The root filesystem that every host starts from, made from the recipe once and kept under the recipe's hash.
 *
 * A build that is cut short leaves nothing that a later call takes for an image; callers at the same time build once.
 * Throws HostsUnavailable without root, Linux or a program (and names the package), and an Error that tells the
 * space needed where the disk is full, or the end of the build's output where it fails.
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

/** Gives `<cacheDir>/<hash>/rootfs`; where it is not there, `build` makes it in a directory that then gets the name. */
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
  // Setuid programs of an old system lie in here: nobody else on the machine gets to them.
  await mkdir(cacheDir, { recursive: true, mode: 0o700 });
  const report = options.onProgress ?? (() => {});
  const lock = await waitForLock(`${target}.lock`, "build of an image", {
    onWait: ({ pid }) => report(`waiting for process ${pid}, which builds the same image`),
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

/** The marker is written last; the root may have been emptied by somebody who was looking for space. */
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
    `building the base image needs ${gib(neededBytes)} free under ${folder}, and there are ${gib(free)}. ` +
      "Make room there, or set XDG_CACHE_HOME to a folder on a larger disk.",
  );
}

/**
 * Runs the recipe in a mount and process namespace of its own that dies with this process, so that a build that is
 * cut short leaves no mount and no process behind.
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
      ? "the disk ran full while the base image was built; nothing is left of it. Make room and try again."
      : `building the base image failed (${code === null ? "killed" : `exit ${code}`}). Its last lines:\n${tail.join("\n")}`,
  );
}

/** Hooks are reported with their whole text: the first words say enough. */
function firstLine(text: string): string {
  return text.startsWith("running --customize-hook") ? "setting up the image" : text;
}
