import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Calls, OWN_CALLS } from "./calls";

/**
 * One sandbox: the folder of its account, its keys and its hosts. It is a single folder, so that it can be removed
 * completely.
 */
export interface Sandbox {
  readonly dir: string;
  readonly tokenFile: string;
  /** Keys, address and account of the Datadog stand-in. */
  readonly datadogDir: string;
  readonly apiStateDir: string;
  /** Buckets of Spaces. Part of the account's folder. */
  readonly spacesDir: string;
  /** Disks, networks and keys of droplets that are hosts. Absent while all droplets are only records. */
  readonly hostsDir: string;
  readonly apiLog: string;
  /** Identifies the process that runs the sandbox's API. */
  readonly apiRecord: string;
  /** Marks that droplets are only records because of `--hosts off`; otherwise absent. */
  readonly hostsOff: string;
  /** A package-lock.json whose packages hosts can install; they cannot reach a registry. */
  readonly npmLockFile: string | undefined;
  /** The commands in errors. */
  readonly calls: Calls;
}

export interface SandboxOptions {
  readonly npmLockFile?: string;
  /** For a project that embeds the sandbox in its own commands. */
  readonly calls?: Calls;
}

/** The sandbox in a folder, which need not exist yet. */
export function sandboxAt(dir: string, { npmLockFile, calls = OWN_CALLS }: SandboxOptions = {}): Sandbox {
  const inside = (name: string) => join(dir, name);
  return {
    dir,
    tokenFile: inside("api-token"),
    datadogDir: inside("datadog"),
    apiStateDir: inside("api"),
    spacesDir: inside(join("api", "spaces")),
    hostsDir: inside("hosts"),
    apiLog: inside("api.log"),
    apiRecord: inside("api.json"),
    hostsOff: inside("hosts-off"),
    npmLockFile,
    calls,
  };
}

/** Creates the folder with access for its owner only, because it contains keys. */
export function makeSandboxFolder({ dir }: Sandbox): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
}

/** True if droplets of this sandbox have disks on this machine. */
export function hasHosts({ hostsDir }: Sandbox): boolean {
  return existsSync(hostsDir);
}
