import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { releaseDocument } from "../releases/document";
import { withRunErrors } from "../runErrors";
import type { Host, Role } from "../topology";
import { renderUserData } from "../userdata/render";
import type { HostContext, HostSecrets } from "../userdata/types";
import { HostTurn } from "./hostTurn";
import type { ReleaseStore } from "./releaseStore";

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

/** The arguments that the turns of all hosts share. */
export interface Rollout {
  readonly store: ReleaseStore;
  readonly timeoutSeconds: number;
}

export interface HostDropletArgs {
  readonly context: HostContext;
  readonly place: DropletPlace;
  /** Runs before the droplet is created, also in a preview, and throws if DigitalOcean does not offer it. */
  readonly offered: pulumi.ResourceHook;
  readonly secrets: pulumi.Output<HostSecrets>;
  readonly backups?: Pick<digitalocean.DropletArgs, "backups" | "backupPolicy">;
  /** The volume with the data of a database host, which outlives the droplet. */
  readonly volume?: digitalocean.Volume | undefined;
  readonly dropletOptions?: Pick<
    pulumi.CustomResourceOptions,
    "deleteBeforeReplace" | "protect" | "ignoreChanges" | "replaceOnChanges" | "dependsOn"
  >;
  readonly rollout: Rollout;
  /** The other members of the host's group: see HostTurn. */
  readonly others?: readonly Host[];
  /** The turns that must be over before this host's begins. */
  readonly after: readonly pulumi.Resource[];
}

/** TTL of an internal name, in seconds: the time until a replaced host is found again. */
const internalNameTtl = 60;

/**
 * The properties that count for new droplets only. An existing host gets its configuration by releases, and must not be
 * replaced for them.
 */
export const settledAtCreation = ["userData", "sshKeys", "monitoring", "dropletAgent", "publicNetworking"];

/**
 * One host: a droplet with its user data, its internal DNS names (its own, and one for each of its roles), and its turn
 * in a rollout.
 */
export class HostDroplet extends pulumi.ComponentResource {
  readonly host: Host;
  readonly droplet: digitalocean.Droplet;
  readonly volume: digitalocean.Volume | undefined;
  readonly turn: HostTurn;

  constructor(name: string, args: HostDropletArgs, opts?: pulumi.ComponentResourceOptions) {
    super("secured-web:index:HostDroplet", name, {}, opts);
    const { context, place, offered, secrets, backups, dropletOptions, rollout } = args;
    const { volume, others = [], after } = args;
    const { host, topology } = context;
    this.host = host;
    this.volume = volume;
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
        ...(volume ? { volumeIds: [volume.id] } : {}),
        ...backups,
      },
      { parent: this, hooks: { beforeCreate: [offered] }, ...dropletOptions },
    );
    // While an old droplet and its successor both exist, the names have the addresses of both.
    const isReplacedFirst = dropletOptions?.deleteBeforeReplace ?? false;
    const recordOptions = isReplacedFirst ? {} : { deleteBeforeReplace: false, replaceOnChanges: ["value"] };
    const roleNames: Record<Role, string> = { web: topology.webName, database: topology.databaseName };
    this.internalName(name, host.fqdn, place, recordOptions);
    for (const role of host.roles) {
      this.internalName(`${name}-${role}`, roleNames[role], place, recordOptions);
    }
    const document = secrets.apply((known) => withRunErrors(() => releaseDocument(context, known)));
    this.turn = new HostTurn(
      name,
      // Its secrets are sealed.
      {
        ...rollout,
        hostName: host.name,
        droplet: this.droplet,
        document: pulumi.unsecret(document),
        others: others.map(({ name: other }) => other),
        after,
      },
      { parent: this },
    );
    this.registerOutputs({ dropletId: this.droplet.id, privateIp: this.droplet.ipv4AddressPrivate });
  }

  private internalName(
    name: string,
    fqdn: string,
    { domain, domainName }: DropletPlace,
    options: pulumi.CustomResourceOptions,
  ): void {
    new digitalocean.DnsRecord(
      name,
      {
        domain: domainName,
        type: "A",
        name: fqdn.slice(0, -(domain.length + 1)),
        value: this.droplet.ipv4AddressPrivate,
        ttl: internalNameTtl,
      },
      { parent: this, ...options },
    );
  }
}
