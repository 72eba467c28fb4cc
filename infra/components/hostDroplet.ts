import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { withRunErrors } from "../runErrors";
import type { Host, Role } from "../topology";
import { renderUserData } from "../userdata/render";
import type { HostContext, HostSecrets } from "../userdata/types";

/** The settings that all droplets of a site share. */
export interface DropletPlace {
  readonly image: string;
  readonly region: string;
  readonly vpcId: pulumi.Input<string>;
  /** Ids or fingerprints. */
  readonly sshKeys: readonly string[];
  /** The zone of the internal names, known at preview. */
  readonly domain: string;
  /** The same zone, as an output of its resource. */
  readonly domainName: pulumi.Input<string>;
}

export interface HostDropletArgs {
  readonly context: HostContext;
  readonly place: DropletPlace;
  /** Runs before the droplet is created, also in a preview, and throws if DigitalOcean does not offer it. */
  readonly offered: pulumi.ResourceHook;
  readonly secrets: pulumi.Output<HostSecrets>;
  readonly backups?: Pick<digitalocean.DropletArgs, "backups" | "backupPolicy">;
  readonly dropletOptions?: Pick<
    pulumi.CustomResourceOptions,
    "deleteBeforeReplace" | "protect" | "ignoreChanges"
  >;
}

/** TTL of an internal name, in seconds: the time until a replaced host is found again. */
const internalNameTtl = 60;

/** One host: a droplet with its user data, and its internal DNS names (its own, and one for each of its roles). */
export class HostDroplet extends pulumi.ComponentResource {
  readonly host: Host;
  readonly droplet: digitalocean.Droplet;

  constructor(name: string, args: HostDropletArgs, opts?: pulumi.ComponentResourceOptions) {
    super("secured-web:index:HostDroplet", name, {}, opts);
    const { context, place, offered, secrets, backups, dropletOptions } = args;
    const { host, topology } = context;
    this.host = host;
    const userData = secrets.apply((known) => withRunErrors(() => renderUserData(context, known)));
    this.droplet = new digitalocean.Droplet(
      name,
      {
        name: host.dropletName,
        image: place.image,
        region: place.region,
        size: host.size,
        vpcUuid: place.vpcId,
        tags: [...host.tags],
        sshKeys: [...place.sshKeys],
        monitoring: true,
        // DigitalOcean's console agent opens SSH for its own networks. The firewalls keep that closed.
        dropletAgent: false,
        gracefulShutdown: true,
        userData: pulumi.secret(userData),
        ...backups,
      },
      { parent: this, hooks: { beforeCreate: [offered] }, ...dropletOptions },
    );
    const roleNames: Record<Role, string> = { web: topology.webName, database: topology.databaseName };
    this.internalName(name, host.fqdn, place);
    for (const role of host.roles) this.internalName(`${name}-${role}`, roleNames[role], place);
    this.registerOutputs({ dropletId: this.droplet.id, privateIp: this.droplet.ipv4AddressPrivate });
  }

  private internalName(name: string, fqdn: string, { domain, domainName }: DropletPlace): void {
    new digitalocean.DnsRecord(
      name,
      {
        domain: domainName,
        type: "A",
        name: fqdn.slice(0, -(domain.length + 1)),
        value: this.droplet.ipv4AddressPrivate,
        ttl: internalNameTtl,
      },
      { parent: this },
    );
  }
}
