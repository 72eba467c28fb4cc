/**
 * A machine with a kernel of its own (User Mode Linux) from a host's root filesystem: inside a host of the sandbox,
 * limits of units are silently without effect, because the machine's kernel has cgroup v1.
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { run } from "../../../../sandbox/hosts/run";

const MEMORY_MIB = 1536;

/** What the guest wrote on its console after "PROOF ": the first word, and the others. */
export type Line = readonly [word: string, ...rest: string[]];

/**
 * Boots a root filesystem (a folder; it is copied) until the guest powers off, and gives what it told.
 * Throws, with the end of the console, where it has not powered off by itself after `limitMs`.
 */
export async function bootGuest(root: string, limitMs: number): Promise<readonly Line[]> {
  const folder = await mkdtemp(join(tmpdir(), "sw-uml-"));
  try {
    const image = join(folder, "disk");
    await run("truncate", ["--size=4G", image]);
    await run("mkfs.ext4", ["-q", "-E", "lazy_itable_init=1,nodiscard", "-d", root, image], {
      timeoutMs: 120_000,
    });
    const library = join(folder, "xstate.so");
    await run("gcc", ["-O2", "-shared", "-fPIC", "-o", library, join(__dirname, "xstate.c")]);
    return await boot(folder, image, library, limitMs);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function boot(
  folder: string,
  image: string,
  library: string,
  limitMs: number,
): Promise<readonly Line[]> {
  // The guest's memory is a file that must lie in memory; mount and processes end with the guest.
  const script =
    `mount -t tmpfs -o size=${MEMORY_MIB + 64}m tmpfs "$0" && export TMPDIR="$0" LD_PRELOAD="$2" && ` +
    `exec linux.uml mem=${MEMORY_MIB}M ubd0="$1" root=/dev/ubda rw init=/lib/systemd/systemd ` +
    "con=null con0=null,fd:1 quiet systemd.unit=slice-proof.service systemd.show_status=0 systemd.log_target=null";
  const isolated = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script];
  await run("mkdir", [join(folder, "memory")]);
  const child = spawn("unshare", [...isolated, join(folder, "memory"), image, library], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      lines.push(line.trimEnd());
      // It does not end by itself then. The rest of what it says comes at once.
      if (line.startsWith("Kernel panic")) setTimeout(() => child.kill("SIGKILL"), 1000).unref();
    });
  }
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, limitMs);
  await new Promise<void>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve());
  }).finally(() => clearTimeout(timer));
  const told = lines.flatMap((line) =>
    line.startsWith("PROOF ") ? [line.slice(6).split(" ") as [string]] : [],
  );
  if (!isLate && told.at(-1)?.[0] === "end") return told;
  const how = isLate ? `was not done after ${limitMs / 1000} s` : "stopped before it was done";
  throw new Error(`the guest ${how}. Its console ends with:\n${lines.slice(-40).join("\n")}`);
}
