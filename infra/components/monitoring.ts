import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config/types";
import { runbook } from "../monitoring/definition";
import { stackTag } from "../topology";
import type { Edge } from "./edge";

/** DigitalOcean's own alerts: hosts, load balancer, and the site as the world sees it. */
export class Monitoring extends pulumi.ComponentResource {
  constructor(stack: string, config: Config, edge: Edge, opts?: pulumi.ComponentResourceOptions) {
    super("secured-web:index:Monitoring", "monitoring", {}, opts);
    // DigitalOcean mails to verified addresses alone, and the account's own is always one.
    const emails: pulumi.Input<string[]> =
      config.alerts.emails.length > 0
        ? [...config.alerts.emails]
        : digitalocean.getAccountOutput({ parent: this }).email.apply((email) => [email]);
    this.alertOnHosts(stack, config, emails);
    this.alertOnLoadBalancer(stack, config, edge, emails);
    this.watchSite(stack, config, edge, emails);
    this.registerOutputs({});
  }

  private alertOnHosts(stack: string, config: Config, emails: pulumi.Input<string[]>): void {
    const alerts = [
      { name: "cpu", type: "cpu", value: config.alerts.cpuPercent, text: "CPU use (percent)" },
      {
        name: "memory",
        type: "memory_utilization_percent",
        value: config.alerts.memoryPercent,
        text: "Memory use (percent)",
      },
      {
        name: "disk",
        type: "disk_utilization_percent",
        value: config.alerts.diskPercent,
        text: "Disk use (percent)",
      },
      { name: "load", type: "load_5", value: config.alerts.load5, text: "Five-minute load average" },
    ];
    for (const { name, type, value, text } of alerts) {
      new digitalocean.MonitorAlert(
        `host-${name}`,
        {
          type: `v1/insights/droplet/${type}`,
          description: `${stackTag(stack)}: ${text} of a host is above ${value} (${runbook(`host-${name}`)})`,
          compare: "GreaterThan",
          value,
          window: "5m",
          tags: [stackTag(stack)],
          alerts: { emails },
          enabled: true,
        },
        { parent: this },
      );
    }
  }

  private alertOnLoadBalancer(
    stack: string,
    config: Config,
    edge: Edge,
    emails: pulumi.Input<string[]>,
  ): void {
    const percent = config.alerts.loadBalancerPercent;
    const alerts = [
      {
        name: "connections",
        type: "connection_utilization_percent",
        compare: "GreaterThan",
        value: percent,
        text: `Connection use is above ${percent} percent`,
      },
      {
        name: "cpu",
        type: "avg_cpu_utilization_percent",
        compare: "GreaterThan",
        value: percent,
        text: `CPU use is above ${percent} percent`,
      },
      {
        name: "backends",
        type: "droplet_health",
        compare: "LessThan",
        value: 100,
        text: "A backend fails its health check",
      },
      {
        name: "errors",
        type: "increase_in_http_error_rate_count_5xx",
        compare: "GreaterThan",
        value: 10,
        text: "5xx responses increase",
      },
    ];
    for (const { name, type, compare, value, text } of alerts) {
      // The load balancer sees no HTTP in passthrough, so it cannot count responses.
      if (name === "errors" && config.tls === "passthrough") continue;
      new digitalocean.MonitorAlert(
        `load-balancer-${name}`,
        {
          type: `v1/insights/lbaas/${type}`,
          description: `${stackTag(stack)}: load balancer: ${text} (${runbook(`load-balancer-${name}`)})`,
          compare,
          value,
          window: "5m",
          entities: [edge.loadBalancer.id],
          alerts: { emails },
          enabled: true,
        },
        { parent: this },
      );
    }
  }

  private watchSite(stack: string, config: Config, edge: Edge, emails: pulumi.Input<string[]>): void {
    const check = new digitalocean.UptimeCheck(
      "site",
      {
        name: stackTag(stack),
        type: "https",
        target: edge.url,
        regions: ["us_east", "eu_west"],
        enabled: true,
      },
      { parent: this },
    );
    const alerts = [
      { name: "down", type: "down", period: "2m", threshold: 1, comparison: "less_than" },
      {
        name: "latency",
        type: "latency",
        period: "5m",
        threshold: config.uptime.latencyMs,
        comparison: "greater_than",
      },
      {
        name: "certificate",
        type: "ssl_expiry",
        period: "2m",
        threshold: config.uptime.certificateDays,
        comparison: "less_than",
      },
    ];
    for (const { name, ...alert } of alerts) {
      new digitalocean.UptimeAlert(
        `site-${name}`,
        { name: `${stackTag(stack)} ${name}`, checkId: check.id, notifications: [{ emails }], ...alert },
        { parent: this },
      );
    }
  }
}
