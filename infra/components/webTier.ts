import * as pulumi from "@pulumi/pulumi";
import { hostsWithRole } from "../topology";
import type { ConfigurationEvidence } from "../userdata/evidence";
import { type CreatedHost, createHost, type Site } from "./host";
import { evidenceOf } from "./siteEvidence";

/** The web hosts of the separated topology. They hold no data: a change of their user data replaces them. */
export class WebTier extends pulumi.ComponentResource {
  readonly hosts: readonly CreatedHost[];

  constructor(site: Site, opts?: pulumi.ComponentResourceOptions) {
    const hosts = hostsWithRole(site.topology, "web").filter(({ roles }) => !roles.includes("database"));
    const configurationEvidence: ConfigurationEvidence = evidenceOf(site, hosts);
    super("secured-web:index:WebTier", "web-tier", { configurationEvidence }, opts);
    this.hosts = hosts.map((host) => createHost(site, host, {}, { parent: this }));
    this.registerOutputs({});
  }
}
