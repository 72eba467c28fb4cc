type Environment = Readonly<Record<string, string | undefined>>;

export interface PulumiCli {
  /** Absolute path of the executable. */
  readonly path: string;
  /** Such as `3.248.0`. */
  readonly version: string;
  readonly source: "PATH" | "cache";
  /** For a cached CLI: the source that it was installed from. */
  readonly origin?: string;
}

export const PULUMI_VERSION: string;
export function findOnPath(name: string, path?: string): string | undefined;
export function isExecutableFile(path: string): boolean;
export function parseVersion(text: string): string | undefined;
export function isAtLeast(a: string, b: string): boolean;
export function cacheDir(env?: Environment): string;
export function pulumiInstallDir(env?: Environment): string;
export function pulumiVersionOf(path: string, env?: Environment): Promise<string | undefined>;
export function findPulumi(env?: Environment): Promise<PulumiCli | undefined>;
export function findGo(env?: Environment): Promise<{ path: string; version: string } | string>;
