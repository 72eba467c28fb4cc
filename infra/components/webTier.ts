import * as pulumi from "@pulumi/pulumi";
import { evidenceOf } from "../userdata/evidence";
import { HostDroplet } from "./hostDroplet";
import type { TierArgs } from "./tierArgs";

/** The web hosts of the separated topology. They hold no data, so a change of their user data replaces them. */
export class WebTier extends pulumi.ComponentResource {
  readonly hosts: readonly HostDroplet[];

  constructor(name: string, args: TierArgs, opts?: pulumi.ComponentResourceOptions) {
    super("secured-web:index:WebTier", name, { configurationEvidence: evidenceOf(args.hosts) }, opts);
    const { place, offered, secretsOf } = args;
    this.hosts = args.hosts.map(
      (context) =>
        new HostDroplet(
          `${name}-${context.host.name}`,
          {
            context,
            place,
            offered,
            secrets: secretsOf(context.host),
            // Without this, the provider deletes a droplet with an explicit name before it creates the new one.
            dropletOptions: { deleteBeforeReplace: false },
          },
          { parent: this },
        ),
    );
    this.registerOutputs({ dropletIds: this.hosts.map(({ droplet }) => droplet.id) });
  }
}
