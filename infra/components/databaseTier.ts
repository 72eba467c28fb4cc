import type * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { databaseWriters, hostsWithRole } from "../topology";
import type { ConfigurationEvidence } from "../userdata/evidence";
import { type CreatedHost, createHost, type Site } from "./host";
import { evidenceOf } from "./siteEvidence";

/**
 * The database hosts (in the converged topology: all hosts).
 *
 * A plain update never replaces or resizes them, because that would take all members at once: changes wait for
 * `npm run replace -- STACK HOST`, which lifts this for one host.
 */
export class DatabaseTier extends pulumi.ComponentResource {
  readonly hosts: readonly CreatedHost[];

  constructor(site: Site, opts?: pulumi.ComponentResourceOptions) {
    const hosts = hostsWithRole(site.topology, "database");
    const configurationEvidence: ConfigurationEvidence = evidenceOf(site, hosts);
    super("secured-web:index:DatabaseTier", "database-tier", { configurationEvidence }, opts);
    const { config } = site;
    this.hosts = hosts.map((host) => {
      const replaced = config.replaceHost === host.name;
      return createHost(site, host, backups(site), {
        parent: this,
        // The new host takes over the server id and the name of the old one: never both at once.
        deleteBeforeReplace: true,
        protect: config.database.protect && !replaced,
        ignoreChanges: replaced
          ? []
          : ["userData", "image", "size", "sshKeys", "monitoring", "dropletAgent", "publicNetworking"],
      });
    });
    const writers = databaseWriters(site.topology, config.replication);
    this.registerOutputs({ writers: writers.map(({ fqdn }) => fqdn) });
  }
}

function backups({ config }: Site): Partial<digitalocean.DropletArgs> {
  if (!config.backups.enabled) return { backups: false };
  const plan = config.backups.plan;
  const hour = Number(config.backups.hour);
  return { backups: true, backupPolicy: { plan, hour, ...(plan === "weekly" ? { weekday: "SUN" } : {}) } };
}
