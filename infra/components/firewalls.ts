import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import {
  type FirewallRule,
  type FirewallRules,
  firewallRules,
  operatorRules,
  type Peer,
} from "../firewallMatrix";
import { roleTag, siteTag } from "../topology";

const everywhere = ["0.0.0.0/0", "::/0"];

export interface FirewallsArgs {
  readonly label: string;
  readonly loadBalancerId: pulumi.Input<string>;
  /** Networks that can reach SSH; empty = closed. */
  readonly operatorNetworks: readonly string[];
}

/**
 * The cloud firewalls, by tag: load balancer to web, web and database to database, operators to SSH. They are created
 * before the droplets, so that no droplet is ever open. Cloud firewalls only apply to droplets; from the client to
 * the load balancer, the load balancer's own allow and deny lists apply.
 */
export class Firewalls extends pulumi.ComponentResource {
  constructor(
    private readonly name: string,
    private readonly args: FirewallsArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("secured-web:index:Firewalls", name, {}, opts);
    const { label, operatorNetworks } = args;
    const firewalls = [
      this.firewall("web", firewallRules("web"), roleTag(label, "web")),
      this.firewall("database", firewallRules("database"), roleTag(label, "database")),
      // Without operator networks there is no such firewall: no rule opens SSH, so it is closed.
      ...(operatorNetworks.length > 0
        ? [this.firewall("operators", operatorRules(operatorNetworks), siteTag(label))]
        : []),
    ];
    this.registerOutputs({ firewallIds: firewalls.map(({ id }) => id) });
  }

  private firewall(which: string, rules: FirewallRules, tag: string): digitalocean.Firewall {
    return new digitalocean.Firewall(
      `${this.name}-${which}`,
      {
        name: `${siteTag(this.args.label)}-${which}`,
        tags: [tag],
        inboundRules: rules.inbound.map((rule) => ({ ...protocolOf(rule), ...this.sources(rule.peer) })),
        outboundRules: rules.outbound.map((rule) => ({
          ...protocolOf(rule),
          ...this.destinations(rule.peer),
        })),
      },
      { parent: this },
    );
  }

  private sources(peer: Peer): Partial<digitalocean.types.input.FirewallInboundRule> {
    switch (peer.kind) {
      case "internet":
        return { sourceAddresses: everywhere };
      case "load-balancer":
        return { sourceLoadBalancerUids: [this.args.loadBalancerId] };
      case "role":
        return { sourceTags: [roleTag(this.args.label, peer.role)] };
      case "networks":
        return { sourceAddresses: [...peer.networks] };
    }
  }

  private destinations(peer: Peer): Partial<digitalocean.types.input.FirewallOutboundRule> {
    switch (peer.kind) {
      case "internet":
        return { destinationAddresses: everywhere };
      case "load-balancer":
        return { destinationLoadBalancerUids: [this.args.loadBalancerId] };
      case "role":
        return { destinationTags: [roleTag(this.args.label, peer.role)] };
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
