import * as pulumi from "@pulumi/pulumi";
import { tellForcedStop, untilGroupIsWhole } from "../rollout/gate";
import { knownValue } from "../rollout/knownValue";
import type { Host } from "../topology";
import type { ReleaseStore } from "./releaseStore";

export interface MemberGateArgs {
  readonly member: Host;
  readonly others: readonly Host[];
  /** A change of these stops the member: the droplet is replaced, or switched off and resized. */
  readonly droplet: { readonly image: string; readonly size: string };
  readonly store: ReleaseStore;
  readonly timeoutSeconds: number;
  /** The turns that must be over before this member stops. */
  readonly after: pulumi.Input<pulumi.Resource[]>;
  /** Only a group can do without a member; with one writer, nothing is waited for. */
  readonly isGroup: boolean;
  /** True if this run replaces the member, changed or not: `npm run replace` replaces the gate as well. */
  readonly isReplaced: boolean;
  /** True if the member stops even if its group cannot do without it. */
  readonly isForced: boolean;
  /** True if changes of the droplet wait for `npm run replace`. */
  readonly waitsForReplace: boolean;
}

/** Holds a change that stops a group member until all other members are ONLINE and have nothing left to apply. */
export class MemberGate extends pulumi.ComponentResource {
  constructor(name: string, args: MemberGateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("secured-web:index:MemberGate", name, {}, opts);
    const { member, others, droplet, store, timeoutSeconds, after } = args;
    const { isGroup, isReplaced, isForced, waitsForReplace } = args;
    const group = store.reportsOf(others.map((host) => host.name));
    const groupIsWhole = new pulumi.ResourceHook(`${name}-may-stop`, async () => {
      const [hosts, place] = await knownValue(group);
      if (isForced) await tellForcedStop(member.name, hosts, place);
      else await untilGroupIsWhole(member.name, hosts, place, timeoutSeconds);
    });
    new pulumi.Stash(
      `${name}-may-stop`,
      { input: droplet },
      {
        parent: this,
        dependsOn: after,
        ignoreChanges: waitsForReplace ? ["input"] : [],
        hooks: isGroup ? { [isReplaced ? "beforeCreate" : "beforeUpdate"]: [groupIsWhole] } : {},
      },
    );
    this.registerOutputs({});
  }
}
