import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { lastingSettings } from "../config/lastingSettings";
import type { Settings } from "../config/types";
import type { ReportAccess } from "../rollout/reports";
import { withRunErrors } from "../runErrors";
import { planSite, type SitePlan } from "../sitePlan";
import { databaseWriters, siteTag } from "../topology";
import { DatabaseTier } from "./databaseTier";
import { DatadogMonitors } from "./datadogMonitors";
import { Edge } from "./edge";
import { Firewalls } from "./firewalls";
import type { HostDroplet } from "./hostDroplet";
import { Identity } from "./identity";
import { Monitoring } from "./monitoring";
import { Network } from "./network";
import { offeredHook, type Tier } from "./offers";
import { ReleaseStore } from "./releaseStore";
import { createRotations } from "./rotation";
import { checkOnlySite, settingsGuard } from "./settingsGuard";
import { WebTier } from "./webTier";

/**
 * The settings in docs/configuration.md. Only the domain and the VPC's range have no default, because two sites in
 * one account must not share them. Secrets are plain strings here, because they are checked before anything is
 * created. The component marks them as secret wherever it uses them.
 */
export type SecuredWebArgs = Settings & {
  readonly vpc: { readonly ipRange: string };
  /**
   * Name of the site at DigitalOcean (in droplet names, tags, VPC and project) and in metrics: letters, digits and
   * dashes. Must be unique in the account. Default: the stack's name and the component's.
   */
  readonly label?: string;
};

/** A droplet's outputs. */
export interface DropletSummary {
  readonly name: string;
  readonly roles: string[];
  readonly publicIp: string;
  readonly privateIp: string;
}

/** How the hosts are reached by SSH. Public: the keys are those by which a client knows the hosts. */
export interface SshAccess {
  /** The accounts that can log in; undefined = root. */
  readonly users?: readonly string[];
  /** CIDRs that can reach SSH. */
  readonly networks: readonly string[];
  readonly hosts: readonly { readonly name: string; readonly address: string; readonly hostKey: string }[];
}

/**
 * A secured and monitored site on DigitalOcean: a load balancer with a certificate, web hosts, and a group of
 * database hosts that all accept writes, with every hop encrypted.
 *
 *     new SecuredWeb("shop", { domain: "shop.example.com", vpc: { ipRange: "10.130.0.0/20" } });
 *
 * @throws pulumi.RunError that lists every wrong setting, before anything is registered
 */
export class SecuredWeb extends pulumi.ComponentResource {
  readonly url: pulumi.Output<string>;
  readonly loadBalancerIp: pulumi.Output<string>;
  readonly droplets: pulumi.Output<DropletSummary[]>;
  /** The keys that read the reports of the hosts, for `npm run status` and `npm run reboot`. Secret. */
  readonly rollout: pulumi.Output<ReportAccess>;
  readonly ssh: pulumi.Output<SshAccess>;
  /** Internal names of the hosts that accept writes. */
  readonly databaseWriters: pulumi.Output<string[]>;

  constructor(name: string, args: SecuredWebArgs, opts?: pulumi.ComponentResourceOptions) {
    const { label = `${pulumi.getStack()}-${name}`, ...settings } = args;
    const plan = withRunErrors(() => planSite(label, settings));
    withRunErrors(() => checkOnlySite(label, plan.config.domain));
    super("secured-web:index:SecuredWeb", name, {}, opts);
    const { config, topology, given } = plan;
    const guard = settingsGuard(
      name,
      {
        settings: lastingSettings(label, config),
        handOver: config.handOverZone,
        isGroup: config.replication === "group",
        internalZone: topology.internalZone,
      },
      { parent: this },
    );
    const parent = { parent: this, dependsOn: [guard] };

    const network = new Network(name, { label, region: config.region, ipRange: config.vpc.ipRange }, parent);
    const rotations = createRotations(
      name,
      config.rotation,
      { hosts: topology.hosts.map((host) => host.name), replacedHost: config.replaceHost },
      parent,
    );
    const identity = new Identity(
      name,
      {
        label,
        topology,
        validityDays: config.certificates.validityDays,
        given,
        rotations,
      },
      parent,
    );
    const edge = new Edge(
      name,
      {
        label,
        domain: config.domain,
        subdomain: config.subdomain,
        createDomain: config.createDomain,
        region: config.region,
        vpcId: network.vpc.id,
        tls: config.tls,
        loadBalancer: config.loadBalancer,
      },
      // It selects droplets by tag.
      { parent: this, dependsOn: [network] },
    );
    const firewalls = new Firewalls(
      name,
      { label, loadBalancerId: edge.loadBalancer.id, operatorNetworks: config.operators.networks },
      { parent: this, dependsOn: [network] },
    );
    const store = new ReleaseStore(
      name,
      {
        label,
        region: config.region,
        topology,
        rotations,
        revocationLists: identity.revocationLists,
      },
      parent,
    );
    const hosts = createHosts(
      name,
      plan,
      { network, identity, edge, store },
      { parent: this, dependsOn: [firewalls] },
    );
    this.rollout = store.reportAccess(topology, config.replication);
    this.url = pulumi.output(edge.url);
    this.loadBalancerIp = edge.loadBalancer.ip;
    this.droplets = pulumi.all(
      hosts.map(({ host, droplet }) => ({
        name: droplet.name,
        roles: [...host.roles],
        publicIp: droplet.ipv4Address,
        privateIp: droplet.ipv4AddressPrivate,
      })),
    );
    const { users, networks } = config.operators;
    if (users?.length === 0)
      void pulumi.log.warn("secured-web:operators.users is empty: no login on the hosts is possible", this);
    this.ssh = pulumi
      .all(
        hosts.map(({ host, droplet }) => ({
          name: host.name,
          address: droplet.ipv4Address,
          hostKey: identity.sshHostKeyOf(host),
        })),
      )
      .apply((known) => ({
        ...(users === undefined ? {} : { users: users.map(({ name }) => name) }),
        networks,
        hosts: known,
      }));
    const writers = databaseWriters(topology, config.replication).map(({ fqdn }) => fqdn);
    this.databaseWriters = pulumi.output(writers);

    new Monitoring(
      name,
      {
        label,
        tls: config.tls,
        alerts: config.alerts,
        uptime: config.uptime,
        loadBalancerId: edge.loadBalancer.id,
        url: edge.url,
      },
      parent,
    );
    const { apiKey, appKey, site } = config.datadog;
    if (apiKey !== undefined && appKey !== undefined) {
      const { alerts, environment, replication, slo, uptime } = config;
      const watched = {
        stack: label,
        writers: writers.length,
        alerts,
        environment,
        replication,
        slo,
        uptime,
      };
      new DatadogMonitors(name, { watched, site, apiKey, appKey }, parent);
    }
    // The DigitalOcean project groups all resources of the site.
    new digitalocean.Project(
      `${name}-project`,
      {
        name: siteTag(label),
        description: `secured-web, stack ${label}: ${edge.url}`,
        purpose: "Web Application",
        environment: config.environment === "production" ? "Production" : "Development",
        resources: [
          edge.loadBalancer.loadBalancerUrn,
          ...(edge.domainUrn ? [edge.domainUrn] : []),
          ...hosts.map(({ droplet }) => droplet.dropletUrn),
          ...hosts.flatMap(({ volume }) => (volume ? [volume.volumeUrn] : [])),
          store.releases.bucketUrn,
          store.status.bucketUrn,
        ],
      },
      parent,
    );
    this.registerOutputs({
      url: this.url,
      loadBalancerIp: this.loadBalancerIp,
      droplets: this.droplets,
      databaseWriters: this.databaseWriters,
    });
  }
}

/** The hosts of both tiers. In the converged topology every host is a database host. */
function createHosts(
  name: string,
  { config, topology, hosts }: SitePlan,
  {
    network,
    identity,
    edge,
    store,
  }: { network: Network; identity: Identity; edge: Edge; store: ReleaseStore },
  opts: pulumi.ComponentResourceOptions,
): readonly HostDroplet[] {
  const common = {
    place: {
      image: config.image,
      region: config.region,
      vpcId: network.vpc.id,
      sshKeys: config.operators.sshKeys,
      domain: config.domain,
      domainName: edge.domainName,
    },
    replacedHost: config.replaceHost,
    rollout: { store, timeoutSeconds: config.rollout.timeoutSeconds },
    secretsOf: (host: (typeof topology.hosts)[number]) =>
      pulumi
        .all([identity.secretsOf(host), store.accessOf(host.name)])
        .apply(([secrets, release]) => ({ ...secrets, release })),
  };
  const databaseHosts = hosts.filter(({ host }) => host.roles.includes("database"));
  const webHosts = hosts.filter(({ host }) => !host.roles.includes("database"));
  const offered = (tier: Tier) => offeredHook(name, config, tier, opts);
  // Web hosts first: a release that breaks stops at a host that holds no data.
  const web =
    webHosts.length > 0
      ? new WebTier(
          name,
          { ...common, offered: offered("web"), hosts: webHosts, batch: config.rollout.batch, after: [] },
          opts,
        ).hosts
      : [];
  const database = new DatabaseTier(
    name,
    {
      ...common,
      offered: offered("database"),
      hosts: databaseHosts,
      after: web.map(({ turn }) => turn),
      forcedHost: config.forceHost,
      backups: config.backups,
      protect: config.database.protect,
    },
    opts,
  ).hosts;
  return [...web, ...database];
}
