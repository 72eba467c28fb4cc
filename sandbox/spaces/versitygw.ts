import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { imageCacheDir } from "../hosts/image";
import { findProgram } from "../hosts/requirements";
import { attempt } from "../hosts/run";

const PACKAGE = "github.com/versity/versitygw/cmd/versitygw";
const VERSION = "1.8.0";
const BUILD_LIMIT_MS = 10 * 60_000;

const folder = () => join(dirname(imageCacheDir()), `versitygw-${VERSION}`);
const program = () => join(folder(), "versitygw");

export const hasVersitygw = (): Promise<boolean> =>
  access(program()).then(
    () => true,
    () => false,
  );

/**
 * The S3 server versitygw (Apache-2.0): built before, or built now from its Go module as gateway/go.mod and go.sum pin
 * it (about a minute and 45 MB, once; kept in the user's cache folder).
 *
 * @throws Error that says what is missing
 */
export async function ensureVersitygw(onProgress: (line: string) => void = () => {}): Promise<string> {
  if (await hasVersitygw()) return program();
  const go = await findProgram("go");
  if (!go)
    throw new Error(
      "Spaces need Go (1.21 or newer) to build the S3 server versitygw once, and Go is not on PATH. Install it (https://go.dev/dl)",
    );
  onProgress("building the S3 server versitygw from its Go module, once (about a minute)");
  await mkdir(dirname(folder()), { recursive: true });
  const partial = await mkdtemp(`${folder()}.partial-`);
  try {
    const { code, stderr } = await attempt(
      go,
      [
        ...["build", "-C", join(__dirname, "gateway"), "-mod=readonly", "-trimpath", "-buildvcs=false"],
        ...["-ldflags", "-s -w", "-o", join(partial, "versitygw"), PACKAGE],
      ],
      { env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off" }, timeoutMs: BUILD_LIMIT_MS },
    );
    if (code !== 0)
      throw new Error(`building the S3 server versitygw failed: ${stderr.trim().split("\n").at(-1)}`);
    // Another process may have been faster; its program is as good.
    await rename(partial, folder()).catch(() => {});
    return program();
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}
