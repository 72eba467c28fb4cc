import assert from "node:assert/strict";
import type { Instance } from "../../../sandbox/hosts/instance";
import { machineState } from "../testWorld";

/** Fails where a sandbox has left something on this machine: a process, a mount, a namespace, a cgroup, a link ... */
export async function nothingIsLeft({ id, dir }: Instance): Promise<void> {
  const left = Object.entries(await machineState()).flatMap(([kind, things]) =>
    things.filter((thing) => thing.includes(id) || thing.includes(dir)).map((thing) => `${kind}: ${thing}`),
  );
  assert.deepEqual(left, [], "something is left on this machine");
}
