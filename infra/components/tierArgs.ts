import type * as pulumi from "@pulumi/pulumi";
import type { Host } from "../topology";
import type { HostContext, HostSecrets } from "../userdata/types";
import type { DropletPlace } from "./hostDroplet";

/** The arguments that the tiers of hosts share. */
export interface TierArgs {
  readonly hosts: readonly HostContext[];
  readonly place: DropletPlace;
  /** See HostDropletArgs. */
  readonly offered: pulumi.ResourceHook;
  readonly secretsOf: (host: Host) => pulumi.Output<HostSecrets>;
}
