import { access, constants, readFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { HOST_PACKAGES, missingPackages } from "./packages.mjs";

/** Hosts are not possible here. The message says why and what to do. */
export class HostsUnavailable extends Error {
  constructor(
    readonly reasons: readonly string[],
    readonly remedy: string | undefined,
  ) {
    super(`droplets cannot run as hosts here: ${reasons.join("; ")}${remedy ? `. ${remedy}` : ""}`);
    this.name = "HostsUnavailable";
  }
}

/**
 * The reasons why this machine cannot run droplets as hosts; empty if there are none. `remedy` is a sentence with the
 * command that helps, if there is one.
 */
export async function missingForHosts(): Promise<{ reasons: string[]; remedy?: string }> {
  if (process.platform !== "linux")
    return { reasons: [`this is ${process.platform}, and hosts require Linux`] };
  const reasons: string[] = [];
  if (process.getuid?.() !== 0) reasons.push("hosts require root (namespaces, mounts)");
  if (!(await hasFilesystem("overlay"))) reasons.push("this kernel has no overlayfs");
  if (!(await hasFilesystem("cgroup2"))) reasons.push("this kernel has no cgroup2");
  const packages = missingPackages(HOST_PACKAGES)
    .filter(({ optional }) => !optional)
    .map((one) => one.package);
  if (packages.length > 0) reasons.push(`packages are missing: ${packages.join(", ")}`);
  return packages.length > 0
    ? { reasons, remedy: `As root: apt-get install -y --no-install-recommends ${packages.join(" ")}` }
    : { reasons };
}

/** Throws HostsUnavailable if a machine cannot run hosts. */
export async function requireHosts(): Promise<void> {
  const { reasons, remedy } = await missingForHosts();
  if (reasons.length > 0) throw new HostsUnavailable(reasons, remedy);
}

/** The path of a program on PATH or in the folders of administration programs; undefined if it is not installed. */
export async function findProgram(name: string): Promise<string | undefined> {
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    "/usr/local/sbin",
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
  ];
  for (const folder of folders.filter((f) => f.startsWith("/"))) {
    const path = join(folder, name);
    if (await isExecutable(path)) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

async function hasFilesystem(name: string): Promise<boolean> {
  const known = await readFile("/proc/filesystems", "utf8").catch(() => "");
  // A module that is not loaded yet is not listed; mount loads it.
  return new RegExp(`\\b${name}$`, "m").test(known) || isExecutable(`/sys/module/${name}`);
}
