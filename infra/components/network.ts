import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config/types";
import { roleTag, stackTag } from "../topology";

/** The VPC, and the tags by which firewalls, the load balancer and alerts select droplets. */
export class Network extends pulumi.ComponentResource {
  readonly vpc: digitalocean.Vpc;
  readonly tags: readonly digitalocean.Tag[];

  constructor(stack: string, config: Config, opts?: pulumi.ComponentResourceOptions) {
    super("secured-web:index:Network", "network", {}, opts);
    const parent = { parent: this };
    this.vpc = new digitalocean.Vpc(
      "vpc",
      {
        name: stackTag(stack),
        region: config.region,
        ipRange: config.vpc.ipRange,
        description: `Private network of secured-web, stack ${stack}`,
      },
      parent,
    );
    this.tags = [stackTag(stack), roleTag(stack, "web"), roleTag(stack, "database")].map(
      (name) => new digitalocean.Tag(name, { name }, parent),
    );
    this.registerOutputs({ vpcId: this.vpc.id });
  }
}
