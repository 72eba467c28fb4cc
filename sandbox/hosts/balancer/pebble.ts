import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { imageCacheDir } from "../image";
import { findProgram } from "../requirements";
import { attempt } from "../run";

/** Let's Encrypt's own test server. The Go module proxy verifies the checksum. */
const MODULE = "github.com/letsencrypt/pebble/v2/cmd/pebble";
const VERSION = "v2.10.1";
const BUILD_LIMIT_MS = 10 * 60_000;

/**
 * The pebble program: on PATH (the Debian package pebble), built before, or built now if this machine has Go (about a
 * minute, once). Undefined if it is not available; `onProgress` receives the reason.
 */
export async function ensurePebble(
  onProgress: (line: string) => void = () => {},
): Promise<string | undefined> {
  const installed = await findProgram("pebble");
  if (installed) return installed;
  const folder = join(dirname(imageCacheDir()), `pebble-${VERSION}`);
  const program = join(folder, "pebble");
  if (await exists(program)) return program;
  const go = await findProgram("go");
  if (!go) {
    onProgress(
      "no ACME server. To get one, run: apt-get install pebble. Certificates will be from the sandbox's own CA",
    );
    return undefined;
  }
  onProgress("building Let's Encrypt's test server from its Go module, once (about a minute)");
  await mkdir(dirname(folder), { recursive: true });
  const partial = await mkdtemp(`${folder}.partial-`);
  try {
    const env = { ...process.env, GOBIN: partial, CGO_ENABLED: "0", GOFLAGS: "-trimpath" };
    const { code, stderr } = await attempt(go, ["install", `${MODULE}@${VERSION}`], {
      env,
      timeoutMs: BUILD_LIMIT_MS,
    });
    if (code !== 0) {
      onProgress(
        `building it failed (${stderr.trim().split("\n").at(-1)}). Certificates will be from the sandbox's own CA`,
      );
      return undefined;
    }
    // Another process may have been faster. Its program is the same.
    await rename(partial, folder).catch(() => {});
    return program;
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
