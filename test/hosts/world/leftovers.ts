import assert from "node:assert/strict";
import type { Instance } from "../../../sandbox/hosts/instance";
import { attempt } from "../../../sandbox/hosts/run";

/** Everything on this machine that belongs to a sandbox. */
export async function traces(instance: string, home: string): Promise<string[]> {
  const script = `
    ls -d /run/netns/${instance}-* /run/${instance} /run/systemd/nspawn/*/${instance}-*
    find /sys/fs/cgroup -maxdepth 3 -name ${instance}
    grep -E '${home}|${instance}' /proc/self/mounts
    ps -eo args | grep -E '${home}|${instance}' | grep -v grep
    losetup --noheadings --output BACK-FILE | grep '${home}'
    ls -d ${home}`;
  const { stdout } = await attempt("sh", ["-c", `(${script}) 2> /dev/null`]);
  return stdout.split("\n").filter((line) => line !== "" && !line.includes("2> /dev/null"));
}

/** Fails where a sandbox has left something on this machine. */
export async function nothingIsLeft({ id, dir }: Instance): Promise<void> {
  assert.deepEqual(await traces(id, dir), [], "something is left on this machine");
}
