export interface WantedPackage {
  /** Its name in Debian and Ubuntu. */
  readonly package: string;
  /** The package is installed if all of these are: names of programs, or absolute paths of files. */
  readonly programs: readonly string[];
  /** Completes the sentence "it ..." in the question to the user. */
  readonly why: string;
  /** Skipped if the archives do not contain it. */
  readonly optional?: boolean;
  /** The oldest version that works. */
  readonly minimum?: string;
}
export type PackageAccess =
  | { readonly prefix: readonly string[]; readonly problem?: never }
  | { readonly problem: string; readonly prefix?: never };
export interface InstallOptions {
  readonly prefix: readonly string[];
  readonly report?: (line: string) => void;
  readonly signal?: AbortSignal;
  readonly env?: NodeJS.ProcessEnv;
  /** For tests. */
  readonly policyFile?: string;
}
export const HOST_PACKAGES: readonly WantedPackage[];
export function readPackages(file: string): readonly WantedPackage[];
export function missingPackages(
  wanted: readonly WantedPackage[],
  env?: NodeJS.ProcessEnv,
): readonly WantedPackage[];
export function packageAccess(env?: NodeJS.ProcessEnv, uid?: number): Promise<PackageAccess>;
export function installPackages(wanted: readonly WantedPackage[], options: InstallOptions): Promise<string[]>;
