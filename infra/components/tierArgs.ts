import type * as pulumi from "@pulumi/pulumi";
import type { Host } from "../topology";
import type { HostContext, HostSecrets } from "../userdata/types";
import type { DropletPlace } from "./hostDroplet";

/** What the hosts of a tier are made of. */
export interface TierArgs {
  readonly hosts: readonly HostContext[];
  readonly place: DropletPlace;
  readonly secretsOf: (host: Host) => pulumi.Output<HostSecrets>;
}
