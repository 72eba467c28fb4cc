import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ensureCached, type ImageOptions, imageCacheDir } from "./image";
import { run } from "./run";

/** The folder of npm's cache on a host. It is a layer of the disk, so every host writes its own copy. */
const CACHE_FOLDER = "usr/local/share/npm-cache";
const INSTALL_LIMIT_MS = 5 * 60_000;

/**
 * A layer for hosts' disks with npm's cache of everything in a lock file, because hosts of the sandbox cannot reach a
 * package registry. On a host, `npm ci --prefer-offline --cache (a copy of /usr/local/share/npm-cache)` then works.
 * It is built once for a lock file. /etc/npmrc contains the registry from which it was filled, because npm stores
 * answers by URL.
 *
 * `lockFile` is a package-lock.json with its package.json next to it. Throws CommandFailed if npm cannot download.
 */
export async function ensureNpmCacheLayer(lockFile: string, options: ImageOptions = {}): Promise<string> {
  const folder = dirname(lockFile);
  const registry = (await run("npm", ["config", "get", "registry"])).trim();
  const texts = [await readFile(lockFile), await readFile(join(folder, "package.json")), registry];
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text);
  const name = `npm-${hash.digest("hex").slice(0, 16)}`;
  const { rootfs } = await ensureCached(
    options.cacheDir ?? imageCacheDir(),
    name,
    options,
    async (partial, report) => {
      report("downloading the packages of the application's lock file, once");
      const work = join(partial, "work");
      const cache = join(partial, "rootfs", CACHE_FOLDER);
      await mkdir(work, { recursive: true });
      await mkdir(cache, { recursive: true });
      for (const file of ["package.json", "package-lock.json"])
        await copyFile(join(folder, file), join(work, file));
      const flags = ["--omit=dev", "--omit=peer", "--ignore-scripts", "--no-audit", "--no-fund"];
      await run("npm", ["ci", ...flags, "--prefix", work, "--cache", cache], { timeoutMs: INSTALL_LIMIT_MS });
      await rm(join(cache, "_logs"), { recursive: true, force: true });
      await mkdir(join(partial, "rootfs", "etc"), { recursive: true });
      await writeFile(join(partial, "rootfs", "etc", "npmrc"), `registry=${registry}\nprefer-offline=true\n`);
      await rm(work, { recursive: true, force: true });
    },
  );
  return rootfs;
}
