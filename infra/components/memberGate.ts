import * as pulumi from "@pulumi/pulumi";
import { reasonOf, tellForcedStop, untilGroupIsWhole } from "../rollout/gate";
import { knownValue } from "../rollout/knownValue";
import { tellState } from "../rollout/observer";
import { readReport } from "../rollout/reports";
import { shutDown } from "../rollout/shutDown";
import type { Host } from "../topology";
import type { ReleaseStore } from "./releaseStore";

export interface MemberGateArgs {
  readonly member: Host;
  readonly others: readonly Host[];
  /** A change of these stops the member: the droplet is replaced, or switched off and resized. */
  readonly droplet: { readonly image: string; readonly size: string; readonly storage?: "volume" };
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

/** A host ends the application's sessions and stops mysqld. */
const SHUTDOWN_WITHIN_SECONDS = 180;

/**
 * Holds a change that stops a group member until all other members are ONLINE and have nothing left to apply. Then it
 * shuts down a droplet that is about to be resized. The provider does so itself with one that it deletes.
 */
export class MemberGate extends pulumi.ComponentResource {
  constructor(name: string, args: MemberGateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("secured-web:index:MemberGate", name, {}, opts);
    const { member, others, droplet, store, timeoutSeconds, after } = args;
    const { isGroup, isReplaced, isForced, waitsForReplace } = args;
    const group = store.reportsOf(others.map((host) => host.name));
    const own = pulumi.all([store.statusHost(member.name), store.api]);
    const groupIsWhole = new pulumi.ResourceHook(`${name}-may-stop`, async ({ oldInputs, newInputs }) => {
      const [hosts, place] = await knownValue(group);
      if (isForced) await tellForcedStop(member.name, hosts, place);
      else await untilGroupIsWhole(member.name, hosts, place, timeoutSeconds);
      if (!isResized(oldInputs, newInputs)) return;
      const [host, api] = await knownValue(own);
      const { status } = await readReport(host, place);
      if (status === undefined) return;
      tellState(member.name, "shuts down");
      await shutDown(api, status.dropletId, SHUTDOWN_WITHIN_SECONDS).catch((error: unknown) => {
        throw new Error(`${member.name} does not shut down: ${reasonOf(error)}`);
      });
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

/** True if the droplet keeps its disk, and gets another size. */
function isResized(...inputs: readonly unknown[]): boolean {
  const [before, now] = inputs.map(
    (one) => (one as { input?: MemberGateArgs["droplet"] } | undefined)?.input,
  );
  if (before === undefined || before.size === now?.size) return false;
  return before.image === now?.image && before.storage === now?.storage;
}
