import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { roleTag, siteTag } from "../topology";

export interface NetworkArgs {
  readonly label: string;
  readonly region: string;
  /** CIDR of the VPC. */
  readonly ipRange: string;
}

/** The VPC, and the tags that firewalls, the load balancer and alerts use to select droplets. */
export class Network extends pulumi.ComponentResource {
  readonly vpc: digitalocean.Vpc;

  constructor(name: string, { label, region, ipRange }: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("secured-web:index:Network", name, {}, opts);
    const parent = { parent: this };
    this.vpc = new digitalocean.Vpc(
      `${name}-vpc`,
      {
        name: siteTag(label),
        region,
        ipRange,
        description: `Private network of secured-web, stack ${label}`,
      },
      parent,
    );
    new digitalocean.Tag(`${name}-tag`, { name: siteTag(label) }, parent);
    for (const role of ["web", "database"] as const) {
      new digitalocean.Tag(`${name}-${role}-tag`, { name: roleTag(label, role) }, parent);
    }
    this.registerOutputs({ vpcId: this.vpc.id });
  }
}
