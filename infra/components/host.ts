import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config/types";
import type { Host, Topology } from "../topology";
import { placeholderSecrets } from "../userdata/placeholderSecrets";
import { renderUserData } from "../userdata/render";
import type { HostContext, HostSecrets, HostSettings } from "../userdata/types";
import { type Identity, passthroughKeyPair } from "./identity";
import type { Network } from "./network";

/** What every host of a stack is made with. */
export interface Site {
  readonly stack: string;
  readonly config: Config;
  readonly topology: Topology;
  readonly hostSettings: HostSettings;
  readonly network: Network;
  readonly identity: Identity;
  /** The zone that holds the internal names. */
  readonly domainName: pulumi.Input<string>;
}

/** A host that exists. */
export interface CreatedHost {
  readonly host: Host;
  readonly droplet: digitalocean.Droplet;
}

/**
 * Renders the user data of every host with secrets that stand in for the real ones.
 *
 * @throws pulumi.RunError where it would be larger than DigitalOcean takes, or cannot be made: before anything exists
 */
export function checkUserData(config: Config, topology: Topology, settings: HostSettings): void {
  for (const host of topology.hosts) {
    const context: HostContext = { host, topology, settings };
    render(context, placeholderSecrets(context, passthroughKeyPair(config)));
  }
}

/** The user data of a host; what is wrong with it is the reader's to mend, so it is shown without a stack trace. */
function render(context: HostContext, secrets: HostSecrets): string {
  try {
    return renderUserData(context, secrets);
  } catch (error) {
    throw new pulumi.RunError(error instanceof Error ? error.message : String(error));
  }
}

/** Seconds that resolvers keep an internal name: the time until a replaced host is found again. */
const internalNameTtl = 60;

/** One droplet with its user data and its internal names (its own, and that of each of its roles). */
export function createHost(
  site: Site,
  host: Host,
  args: Partial<digitalocean.DropletArgs>,
  opts: pulumi.CustomResourceOptions,
): CreatedHost {
  const { config, topology } = site;
  const context: HostContext = { host, topology, settings: site.hostSettings };
  const userData = site.identity.secretsOf(host).apply((secrets) => render(context, secrets));
  const droplet = new digitalocean.Droplet(
    host.name,
    {
      name: host.dropletName,
      image: config.image,
      region: config.region,
      size: host.size,
      vpcUuid: site.network.vpc.id,
      tags: [...host.tags],
      sshKeys: [...config.operators.sshKeys],
      monitoring: true,
      // DigitalOcean's console agent opens SSH to its own networks; the firewalls keep that closed.
      dropletAgent: false,
      gracefulShutdown: true,
      userData: pulumi.secret(userData),
      ...args,
    },
    opts,
  );
  const names = [
    { resource: host.name, fqdn: host.fqdn },
    ...host.roles.map((role) => ({
      resource: `${host.name}-${role}`,
      fqdn: role === "web" ? topology.webName : topology.databaseName,
    })),
  ];
  for (const { resource, fqdn } of names) {
    new digitalocean.DnsRecord(
      resource,
      {
        domain: site.domainName,
        type: "A",
        name: fqdn.slice(0, -(config.domain.length + 1)),
        value: droplet.ipv4AddressPrivate,
        ttl: internalNameTtl,
      },
      opts.parent ? { parent: opts.parent } : {},
    );
  }
  return { host, droplet };
}
