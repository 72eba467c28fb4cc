// Finds the Pulumi CLI, or installs it once into this project's cache folder. The user's Pulumi home, login and PATH
// do not change.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WantedPackage } from "../../sandbox/hosts/packages.mjs";
import { waitForLock } from "../../sandbox/lock.mjs";

import { Failure } from "../failure";
import {
  cacheDir,
  findGo,
  findPulumi,
  PULUMI_VERSION,
  type PulumiCli,
  pulumiInstallDir,
  pulumiVersionOf,
} from "./find.mjs";
import { goModule } from "./goModule";
import { downloadSiteProblem, officialInstaller } from "./officialInstaller";
import type { InstallContext, PulumiSource } from "./source";

export interface EnsureOptions {
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  readonly sources?: readonly PulumiSource[];
}

/**
 * Finds the CLI, or installs it with the Automation API's own installer; if that fails, builds it from its Go module
 * (once, some minutes). The CLI gets its final name only after it is complete and has run, so a killed run leaves no
 * partial CLI. Processes that need it at the same time wait for the first one.
 *
 * @throws Failure that names why each source failed, and the remedy
 */
export async function ensurePulumi(options: EnsureOptions = {}): Promise<PulumiCli> {
  const {
    env = process.env,
    onProgress = () => {},
    signal,
    sources = [officialInstaller, goModule],
  } = options;
  const found = await findPulumi(env);
  if (found !== undefined) return found;
  const parent = join(cacheDir(env), "pulumi");
  const lock = await waitForLock(join(parent, "lock"), "installing the Pulumi CLI", {
    onWait: (owner) => onProgress(`waiting for process ${owner.pid}, which is installing the Pulumi CLI`),
  });
  try {
    const meanwhile = await findPulumi(env);
    if (meanwhile !== undefined) return meanwhile;
    removeLeftovers(parent);
    const reasons: string[] = [];
    for (const source of sources) {
      signal?.throwIfAborted();
      onProgress(`installing the Pulumi CLI ${PULUMI_VERSION} from ${source.name}`);
      const reason = await installFrom(source, env, { version: PULUMI_VERSION, onProgress, signal });
      if (reason === undefined) {
        return {
          path: join(pulumiInstallDir(env), "bin", "pulumi"),
          version: PULUMI_VERSION,
          source: "cache",
          origin: source.name,
        };
      }
      onProgress(reason);
      reasons.push(reason);
    }
    signal?.throwIfAborted();
    throw new Failure(`Could not install the Pulumi CLI ${PULUMI_VERSION}:\n  ${reasons.join("\n  ")}`, {
      remedy: `Install Pulumi ${PULUMI_VERSION} or newer and put it on PATH, or install Go 1.21 or newer. Then try again.`,
    });
  } finally {
    lock.release();
  }
}

/** One line for the user: the version, and where the CLI comes from. */
export function describePulumi(cli: PulumiCli): string {
  const from = cli.source === "PATH" ? "on PATH" : `cached, from ${cli.origin ?? "an earlier run"}`;
  return `${cli.version} ${from} (${cli.path})`;
}

/** Runs under the lock, so any partial folder belongs to a killed process. */
function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (name.startsWith("partial-")) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** Returns why the installation failed, or `undefined` on success. */
async function installFrom(
  source: PulumiSource,
  env: NodeJS.ProcessEnv,
  context: InstallContext,
): Promise<string | undefined> {
  const target = pulumiInstallDir(env);
  mkdirSync(join(target, ".."), { recursive: true });
  const partial = mkdtempSync(join(target, "..", "partial-"));
  try {
    await source.install(partial, context);
    const version = await pulumiVersionOf(join(partial, "bin", "pulumi"), env);
    if (version !== context.version) {
      return `${source.name}: the installed CLI does not run as version ${context.version}`;
    }
    writeFileSync(join(partial, "origin"), `${source.name}\n`);
    if (existsSync(target)) rmSync(target, { recursive: true });
    renameSync(partial, target);
    return undefined;
  } catch (error) {
    if (isOutOfSpace(error)) throw error;
    return `${source.name}: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

function isOutOfSpace(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");
}

/** Go 1.21 and newer download the toolchain that go.mod requires. */
export const GO_PACKAGE: WantedPackage = {
  package: "golang-go",
  programs: ["go"],
  minimum: "1.21",
  why: "builds programs that are not installed from their Go modules",
};

/** True if there is no CLI yet, its download site does not answer, and no Go can build it. */
export async function needsGo(env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  if ((await findPulumi(env)) !== undefined) return false;
  if (typeof (await findGo(env)) !== "string") return false;
  return (await downloadSiteProblem()) !== undefined;
}
