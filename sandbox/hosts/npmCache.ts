import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { ensureCached, type ImageOptions, imageCacheDir } from "./image";
import { run } from "./run";

/** Where a program on a host may look for npm's cache; a layer of the disk, so every host writes its own copy. */
const CACHE_FOLDER = "usr/local/share/npm-cache";
const INSTALL_LIMIT_MS = 5 * 60_000;

/**
 * A layer for hosts' disks with npm's cache of all that a lock file names, because hosts of the sandbox have no way to
 * a package registry: `npm ci --prefer-offline --cache (a copy of /usr/local/share/npm-cache)` then works on a host.
 * Made once for a lock file. /etc/npmrc names the registry that it was filled from: npm files answers by address.
 *
 * `lockFile` is a package-lock.json with its package.json beside it. Throws CommandFailed where npm cannot fetch.
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
      report("fetching the packages of the application's lock file, once");
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
