import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Calls, OWN_CALLS } from "./calls";

/** One sandbox: where it keeps its account, its keys and its hosts. One folder, so that it can be removed whole. */
export interface Sandbox {
  readonly dir: string;
  readonly tokenFile: string;
  /** Keys, address and account of the stand-in of Datadog. */
  readonly datadogDir: string;
  readonly apiStateDir: string;
  /** Disks, networks and keys of droplets that are hosts. It is absent while all droplets are records. */
  readonly hostsDir: string;
  readonly apiLog: string;
  /** Names the process that is the sandbox's API. */
  readonly apiRecord: string;
  /** Says that droplets are records because `--hosts off` was given; absent otherwise. */
  readonly hostsOff: string;
  /** A package-lock.json whose packages hosts can install; they have no way to a registry. */
  readonly npmLockFile: string | undefined;
  /** The commands that errors name. */
  readonly calls: Calls;
}

export interface SandboxOptions {
  readonly npmLockFile?: string;
  /** For a project that embeds the sandbox in commands of its own. */
  readonly calls?: Calls;
}

/** The sandbox of a folder, which need not exist yet. */
export function sandboxAt(dir: string, { npmLockFile, calls = OWN_CALLS }: SandboxOptions = {}): Sandbox {
  const inside = (name: string) => join(dir, name);
  return {
    dir,
    tokenFile: inside("api-token"),
    datadogDir: inside("datadog"),
    apiStateDir: inside("api"),
    hostsDir: inside("hosts"),
    apiLog: inside("api.log"),
    apiRecord: inside("api.json"),
    hostsOff: inside("hosts-off"),
    npmLockFile,
    calls,
  };
}

/** Creates the folder for its owner alone, because it holds keys. */
export function makeSandboxFolder({ dir }: Sandbox): void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
}

/** True when droplets of this sandbox have disks on this machine. */
export function hasHosts({ hostsDir }: Sandbox): boolean {
  return existsSync(hostsDir);
}
