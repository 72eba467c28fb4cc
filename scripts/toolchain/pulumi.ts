// Finds the Pulumi CLI, or gets it once into a cache folder of our own. The user's Pulumi home, login and PATH stay as
// they are.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Failure } from "../failure";
import { waitForLock } from "../pid-lock.mjs";
import {
  cacheDir,
  findPulumi,
  PULUMI_VERSION,
  type PulumiCli,
  pulumiInstallDir,
  pulumiVersionOf,
} from "./find.mjs";
import { goModule } from "./goModule";
import { officialInstaller } from "./officialInstaller";
import type { InstallContext, PulumiSource } from "./source";

export interface EnsureOptions {
  readonly onProgress?: (line: string) => void;
  readonly signal?: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  readonly sources?: readonly PulumiSource[];
}

/**
 * Finds the CLI or gets it: by the Automation API's own installer, else built from its Go module (minutes, once).
 * A killed run leaves nothing half: what is made appears under its name only when it is whole and has been run.
 * Others that want it at the same time wait. Throws a Failure that says why each way failed and what to do.
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
  const lock = await waitForLock(join(parent, "lock"), "getting the Pulumi CLI", {
    onWait: (owner) => onProgress(`waiting for process ${owner.pid}, which is getting the Pulumi CLI`),
  });
  try {
    const meanwhile = await findPulumi(env);
    if (meanwhile !== undefined) return meanwhile;
    removeLeftovers(parent);
    const reasons: string[] = [];
    for (const source of sources) {
      signal?.throwIfAborted();
      onProgress(`getting the Pulumi CLI ${PULUMI_VERSION} from ${source.name}`);
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
    throw new Failure(`The Pulumi CLI ${PULUMI_VERSION} could not be had:\n  ${reasons.join("\n  ")}`, {
      remedy: "Install Pulumi 3.248.0 or newer and put it on PATH, or install Go 1.21 or newer, then repeat.",
    });
  } finally {
    lock.release();
  }
}

/** One line for people: version, and where it is from. */
export function describePulumi(cli: PulumiCli): string {
  const from = cli.source === "PATH" ? "on PATH" : `cached, from ${cli.origin ?? "an earlier run"}`;
  return `${cli.version} ${from} (${cli.path})`;
}

/** Runs under the lock, so what is there was left by a process that was killed. */
function removeLeftovers(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (name.startsWith("partial-")) rmSync(join(parent, name), { recursive: true, force: true });
  }
}

/** Undefined when it worked, else why not. */
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
      return `${source.name}: what it made does not run as version ${context.version}`;
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
