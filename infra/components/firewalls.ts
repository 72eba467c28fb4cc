import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config/types";
import {
  type FirewallRule,
  type FirewallRules,
  firewallRules,
  operatorRules,
  type Peer,
} from "../firewallMatrix";
import { roleTag, stackTag } from "../topology";
import type { Edge } from "./edge";
import type { Network } from "./network";

const everywhere = ["0.0.0.0/0", "::/0"];

/**
 * The cloud firewalls, by tag: load balancer to web, web and database to database, operators to SSH. They exist before
 * the droplets, so that no droplet is ever open. (Client to load balancer is the load balancer's own allow and deny
 * list: cloud firewalls guard droplets alone.)
 */
export class Firewalls extends pulumi.ComponentResource {
  constructor(
    private readonly stack: string,
    config: Config,
    private readonly network: Network,
    private readonly edge: Edge,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("secured-web:index:Firewalls", "firewalls", {}, opts);
    this.firewall("web", firewallRules("web"), roleTag(stack, "web"));
    this.firewall("database", firewallRules("database"), roleTag(stack, "database"));
    // Without operator networks there is no such firewall: SSH is closed because no rule opens it.
    if (config.operators.networks.length > 0) {
      this.firewall("operators", operatorRules(config.operators.networks), stackTag(stack));
    }
    this.registerOutputs({});
  }

  private firewall(name: string, rules: FirewallRules, tag: string): void {
    new digitalocean.Firewall(
      name,
      {
        name: `${stackTag(this.stack)}-${name}`,
        tags: [tag],
        inboundRules: rules.inbound.map((rule) => ({ ...protocolOf(rule), ...this.sources(rule.peer) })),
        outboundRules: rules.outbound.map((rule) => ({
          ...protocolOf(rule),
          ...this.destinations(rule.peer),
        })),
      },
      { parent: this, dependsOn: [...this.network.tags] },
    );
  }

  private sources(peer: Peer): Partial<digitalocean.types.input.FirewallInboundRule> {
    switch (peer.kind) {
      case "internet":
        return { sourceAddresses: everywhere };
      case "load-balancer":
        return { sourceLoadBalancerUids: [this.edge.loadBalancer.id] };
      case "role":
        return { sourceTags: [roleTag(this.stack, peer.role)] };
      case "networks":
        return { sourceAddresses: [...peer.networks] };
    }
  }

  private destinations(peer: Peer): Partial<digitalocean.types.input.FirewallOutboundRule> {
    switch (peer.kind) {
      case "internet":
        return { destinationAddresses: everywhere };
      case "load-balancer":
        return { destinationLoadBalancerUids: [this.edge.loadBalancer.id] };
      case "role":
        return { destinationTags: [roleTag(this.stack, peer.role)] };
      case "networks":
        return { destinationAddresses: [...peer.networks] };
    }
  }
}

function protocolOf(rule: FirewallRule): { protocol: string; portRange?: string } {
  return rule.port === undefined
    ? { protocol: rule.protocol }
    : { protocol: rule.protocol, portRange: `${rule.port}` };
}
