import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { waitForLock } from "../../../sandbox/lock.mjs";
import { runProgram } from "../../../scripts/processes";
import { cacheDir } from "../../../scripts/toolchain/find.mjs";

/** Packages that are installed together, and run together, as the pinned list beside this file says. */
export interface PackageSet {
  readonly name: string;
  /** The pinned list: another text is another folder. */
  readonly lockFile: string;
  install(folder: string): Promise<void>;
}

const INSTALL_LIMIT_MS = 5 * 60_000;

/**
 * The folder of the set in the cache, installed there first where it is not. Others that want it at the same time
 * wait; a killed run leaves nothing that a later one takes for whole. Throws with the installer's own last words.
 */
export async function ensurePackages(set: PackageSet): Promise<string> {
  const hash = createHash("sha256").update(readFileSync(set.lockFile)).digest("hex").slice(0, 12);
  const parent = join(cacheDir(), "test-clients");
  const folder = join(parent, `${set.name}-${hash}`);
  const complete = join(folder, ".complete");
  await mkdir(parent, { recursive: true });
  const lock = await waitForLock(`${folder}.lock`, `installing ${set.name}`);
  try {
    if (existsSync(complete)) return folder;
    // A virtual environment cannot be moved, so it is made where it stays.
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    await set.install(folder);
    await writeFile(complete, "");
    return folder;
  } finally {
    lock.release();
  }
}

/** A list of PyPI packages, each with its version. `--no-deps`: nothing comes that the list does not have. */
export function pythonSet(name: string): PackageSet {
  const lockFile = join(__dirname, "python", `${name}.txt`);
  return {
    name: `python-${name}`,
    lockFile,
    install: async (folder) => {
      // Debian's Python makes an environment with pip only where python3-venv is installed, so pip stays outside.
      await runOrThrow("python3", ["-m", "venv", "--without-pip", folder]);
      const pip = ["-m", "pip", "--python", join(folder, "bin", "python")];
      const options = ["--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"];
      await runOrThrow("python3", [...pip, "install", ...options, "--requirement", lockFile]);
    },
  };
}

export const NPM_SET: PackageSet = {
  name: "npm",
  lockFile: join(__dirname, "npm", "package-lock.json"),
  install: async (folder) => {
    for (const name of ["package.json", "package-lock.json"]) {
      await copyFile(join(__dirname, "npm", name), join(folder, name));
    }
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error"];
    await runOrThrow("npm", ["ci", "--prefix", folder, ...options]);
  },
};

/** Runs an installer or a compiler; throws with its last words where it fails. */
export async function runOrThrow(
  file: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<void> {
  const env = { ...process.env, ...variables };
  const { exitCode, stdout, stderr } = await runProgram(file, args, { env, timeoutMs: INSTALL_LIMIT_MS });
  if (exitCode === 0) return;
  const said = `${stdout}\n${stderr}`.trim().split("\n").slice(-3).join(" ");
  throw new Error(`${file} ${args.slice(0, 3).join(" ")} ended with ${exitCode}: ${said}`);
}
