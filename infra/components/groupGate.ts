import * as pulumi from "@pulumi/pulumi";
import { untilGroupIs } from "../rollout/gate";
import { knownValue } from "../rollout/knownValue";
import type { Host } from "../topology";
import type { ReleaseStore } from "./releaseStore";

export interface GroupGateArgs {
  /** All members that the group has after this update. */
  readonly members: readonly Host[];
  readonly store: ReleaseStore;
  readonly timeoutSeconds: number;
  /** The turns of all members. */
  readonly after: readonly pulumi.Resource[];
}

/**
 * Holds the end of an update that changes the number of members until the group has exactly these. Pulumi deletes
 * droplets after everything else, and only if nothing has failed: a host is deleted when it has left the group.
 */
export class GroupGate extends pulumi.ComponentResource {
  constructor(
    name: string,
    { members, store, timeoutSeconds, after }: GroupGateArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("secured-web:index:GroupGate", name, {}, opts);
    const names = members.map((host) => host.name);
    const group = store.reportsOf(names);
    const hasMembers = new pulumi.ResourceHook(`${name}-has-members`, async () => {
      const [hosts, place] = await knownValue(group);
      await untilGroupIs(hosts, place, timeoutSeconds);
    });
    new pulumi.Stash(
      `${name}-members`,
      { input: names },
      { parent: this, dependsOn: [...after], hooks: { beforeUpdate: [hasMembers] } },
    );
    this.registerOutputs({});
  }
}
