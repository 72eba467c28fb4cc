import { access, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { attempt } from "../run";

const LIMIT_MS = 5000;
/** cgroups(7), cpu: the kernel's default period in microseconds. */
const PERIOD_US = 100_000;
/** The folder in which boot.sh puts a host for its CPU cap on machines with cgroup v1. */
const V1_CPU = "/sys/fs/cgroup/cpu";

/**
 * Ends all processes in a host's (or all hosts') cgroup tree and removes it. This is the last resort for processes
 * that no record lists.
 */
export async function removeCgroup(cgroup: string): Promise<void> {
  const mount = await unifiedMount();
  if (mount) await writeFile(join(mount, cgroup, "cgroup.kill"), "1").catch(() => {});
  for (const root of [mount, V1_CPU]) if (root) await removeTree(join(root, cgroup));
}

/** Caps the CPU of a host, in CPUs; undefined removes the cap. Throws if the host is off. */
export async function capCpu(cgroup: string, cpus: number | undefined): Promise<void> {
  const quota = cpus === undefined ? undefined : Math.round(cpus * PERIOD_US);
  const v1 = join(V1_CPU, cgroup, "cpu.cfs_quota_us");
  if (await exists(v1)) return writeFile(v1, String(quota ?? -1));
  const mount = await unifiedMount();
  await writeFile(join(mount ?? "/sys/fs/cgroup", cgroup, "cpu.max"), `${quota ?? "max"} ${PERIOD_US}`);
}

async function removeTree(path: string): Promise<void> {
  const deadline = Date.now() + LIMIT_MS;
  while (await exists(path)) {
    await attempt("find", [path, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"]);
    if (Date.now() > deadline) throw new Error(`processes in ${path} do not end`);
    await delay(20);
  }
}

/** This machine's own cgroup2 mount, if it has one. */
async function unifiedMount(): Promise<string | undefined> {
  return /^\S+ (\S+) cgroup2 /m.exec(await readFile("/proc/self/mounts", "utf8"))?.[1];
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
