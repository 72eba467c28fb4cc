import * as pulumi from "@pulumi/pulumi";
import { evidenceOf } from "../userdata/evidence";
import { HostDroplet, settledAtCreation } from "./hostDroplet";
import { changedHosts, type TierArgs } from "./tierArgs";

export interface WebTierArgs extends TierArgs {
  /** How many hosts have their turn at the same time. */
  readonly batch: number;
}

/** The web hosts of the separated topology. They hold no data: a new droplet is created before the old one is deleted. */
export class WebTier extends pulumi.ComponentResource {
  readonly hosts: readonly HostDroplet[];

  constructor(name: string, args: WebTierArgs, opts?: pulumi.ComponentResourceOptions) {
    super("secured-web:index:WebTier", name, { configurationEvidence: evidenceOf(changedHosts(args)) }, opts);
    const { place, offered, secretsOf, rollout, batch } = args;
    const hosts: HostDroplet[] = [];
    let after = args.after;
    for (let first = 0; first < args.hosts.length; first += batch) {
      const together = args.hosts.slice(first, first + batch).map(
        (context) =>
          new HostDroplet(
            `${name}-${context.host.name}`,
            {
              context,
              place,
              offered,
              secrets: secretsOf(context.host),
              rollout,
              after,
              dropletOptions: {
                // Without this, the provider deletes a droplet with an explicit name before it creates the new one.
                deleteBeforeReplace: false,
                ignoreChanges: settledAtCreation,
                // A droplet is resized without power.
                replaceOnChanges: ["size"],
              },
            },
            { parent: this },
          ),
      );
      after = together.map(({ turn }) => turn);
      hosts.push(...together);
    }
    this.hosts = hosts;
    this.registerOutputs({ dropletIds: this.hosts.map(({ droplet }) => droplet.id) });
  }
}
