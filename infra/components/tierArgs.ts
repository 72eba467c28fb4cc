import type * as pulumi from "@pulumi/pulumi";
import type { Host } from "../topology";
import type { HostContext, HostSecrets } from "../userdata/types";
import type { DropletPlace, Rollout } from "./hostDroplet";

/** The arguments that the tiers of hosts share. */
export interface TierArgs {
  readonly hosts: readonly HostContext[];
  readonly place: DropletPlace;
  /** See HostDropletArgs. */
  readonly offered: pulumi.ResourceHook;
  readonly rollout: Rollout;
  /** Name of the host that this update replaces. */
  readonly replacedHost: string | undefined;
  /** The turns that must be over before this tier's first one begins. */
  readonly after: readonly pulumi.Resource[];
  readonly secretsOf: (host: Host) => pulumi.Output<HostSecrets>;
}

/**
 * The hosts that this update may change. While it replaces one host, the others keep their releases, and evidence of
 * what they would get contradicts them.
 */
export function changedHosts({ hosts, replacedHost }: TierArgs): readonly HostContext[] {
  return hosts.filter(({ host }) => replacedHost === undefined || host.name === replacedHost);
}
