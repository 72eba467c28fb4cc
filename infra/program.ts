/** The program of a stack: configuration, topology, components, outputs. */
import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import { checkOffers, monthlyCost } from "./catalog";
import { DatabaseTier } from "./components/databaseTier";
import { DatadogMonitors } from "./components/datadogMonitors";
import { Edge } from "./components/edge";
import { Firewalls } from "./components/firewalls";
import { type CreatedHost, checkUserData, type Site } from "./components/host";
import { Identity } from "./components/identity";
import { Monitoring } from "./components/monitoring";
import { Network } from "./components/network";
import { WebTier } from "./components/webTier";
import { ConfigError } from "./config/configError";
import { parseConfig } from "./config/parse";
import type { Config } from "./config/types";
import { buildTopology, databaseWriters, stackTag } from "./topology";
import { hostSettings } from "./userdata/hostSettings";

// The SDK exports it without a declaration (runtime/config.ts, marked internal); pulumi.Config has no such question.
const { isConfigSecret } = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };

/** What a stack tells about itself. */
export interface Outputs {
  readonly url: pulumi.Output<string>;
  readonly loadBalancerIp: pulumi.Output<string>;
  readonly droplets: pulumi.Output<{ name: string; roles: string[]; publicIp: string; privateIp: string }[]>;
  /** Internal names of the hosts that take writes. */
  readonly databaseWriters: pulumi.Output<string[]>;
  readonly monthlyCostUsd: pulumi.Output<number>;
}

/**
 * Registers the resources of the current stack.
 *
 * @throws pulumi.RunError naming every setting that is wrong, before anything is registered
 */
export async function program(): Promise<Outputs> {
  try {
    return await deploy(pulumi.getStack());
  } catch (error) {
    // A RunError is shown without a stack trace: the reader's settings are at fault, not this code.
    if (error instanceof ConfigError) throw new pulumi.RunError(error.message);
    throw error;
  }
}

async function deploy(stack: string): Promise<Outputs> {
  const config = parseConfig(pulumi.runtime.allConfig(), isConfigSecret);
  const topology = buildTopology(stack, {
    topology: config.topology,
    domain: config.domain,
    web: { count: config.web.count, size: config.web.size },
    database: { count: config.database.count, size: config.database.size },
  });
  checkReplacedHost(
    config,
    topology.hosts.map(({ name }) => name),
  );
  const settings = hostSettings(stack, config, topology);
  checkUserData(config, topology, settings);
  const prices = await checkOffers(config, topology, {});

  const network = new Network(stack, config);
  const identity = new Identity(stack, config, topology);
  const edge = new Edge(stack, config, network);
  const firewalls = new Firewalls(stack, config, network, edge);
  const site: Site = {
    stack,
    config,
    topology,
    hostSettings: settings,
    network,
    identity,
    domainName: edge.domainName,
  };
  const afterFirewalls = { dependsOn: [firewalls] };
  const hosts: CreatedHost[] = [
    ...(config.topology === "separated" ? new WebTier(site, afterFirewalls).hosts : []),
    ...new DatabaseTier(site, afterFirewalls).hosts,
  ];
  new Monitoring(stack, config, edge);
  const apiKey = config.datadog.apiKey;
  const appKey = config.datadog.appKey;
  if (apiKey !== undefined && appKey !== undefined) {
    const writers = databaseWriters(topology, config.replication).length;
    new DatadogMonitors({ stack, config, writers }, { apiKey, appKey });
  }
  groupInProject(stack, config, edge, hosts);

  return {
    url: pulumi.output(edge.url),
    loadBalancerIp: edge.loadBalancer.ip,
    droplets: pulumi.all(
      hosts.map(({ host, droplet }) => ({
        name: droplet.name,
        roles: [...host.roles],
        publicIp: droplet.ipv4Address,
        privateIp: droplet.ipv4AddressPrivate,
      })),
    ),
    databaseWriters: pulumi.output(databaseWriters(topology, config.replication).map(({ fqdn }) => fqdn)),
    monthlyCostUsd: pulumi.output(monthlyCost(config, topology, prices)),
  };
}

function checkReplacedHost(config: Config, names: readonly string[]): void {
  const { replaceHost } = config;
  if (replaceHost !== undefined && !names.includes(replaceHost)) {
    throw new ConfigError([
      `secured-web:replaceHost: must be one of ${names.join(", ")}, got ${replaceHost}`,
    ]);
  }
}

/** The DigitalOcean project that shows everything of the stack in one place. */
function groupInProject(stack: string, config: Config, edge: Edge, hosts: readonly CreatedHost[]): void {
  new digitalocean.Project("project", {
    name: stackTag(stack),
    description: `secured-web, stack ${stack}: ${edge.url}`,
    purpose: "Web Application",
    environment: config.environment === "production" ? "Production" : "Development",
    resources: [
      edge.loadBalancer.loadBalancerUrn,
      ...(edge.domainUrn ? [edge.domainUrn] : []),
      ...hosts.map(({ droplet }) => droplet.dropletUrn),
    ],
  });
}
