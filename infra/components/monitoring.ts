import * as digitalocean from "@pulumi/digitalocean";
import * as pulumi from "@pulumi/pulumi";
import type { Config } from "../config/types";
import { runbook } from "../monitoring/definition";
import { siteTag } from "../topology";

export interface MonitoringArgs extends Pick<Config, "alerts" | "tls" | "uptime"> {
  readonly label: string;
  readonly loadBalancerId: pulumi.Input<string>;
  /** The site's address, such as "https://www.foobar.com". */
  readonly url: string;
}

/** DigitalOcean's own alerts, for hosts, the load balancer and the site as seen from outside. */
export class Monitoring extends pulumi.ComponentResource {
  private readonly tag: string;
  private readonly emails: pulumi.Input<string[]>;

  constructor(
    private readonly name: string,
    private readonly args: MonitoringArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("secured-web:index:Monitoring", name, {}, opts);
    this.tag = siteTag(args.label);
    // DigitalOcean only sends mail to verified addresses. The account's own address is always verified.
    this.emails =
      args.alerts.emails.length > 0
        ? [...args.alerts.emails]
        : digitalocean.getAccountOutput({ parent: this }).email.apply((email) => [email]);
    this.alertOnHosts();
    this.alertOnLoadBalancer();
    this.watchSite();
    this.registerOutputs({});
  }

  private alertOnHosts(): void {
    const alerts = [
      { name: "cpu", type: "cpu", value: this.args.alerts.cpuPercent, text: "CPU use (percent)" },
      {
        name: "memory",
        type: "memory_utilization_percent",
        value: this.args.alerts.memoryPercent,
        text: "Memory use (percent)",
      },
      {
        name: "disk",
        type: "disk_utilization_percent",
        value: this.args.alerts.diskPercent,
        text: "Disk use (percent)",
      },
      { name: "load", type: "load_5", value: this.args.alerts.load5, text: "Load average over 5 minutes" },
    ];
    for (const { name, type, value, text } of alerts) {
      new digitalocean.MonitorAlert(
        `${this.name}-host-${name}`,
        {
          type: `v1/insights/droplet/${type}`,
          description: `${this.tag}: ${text} of a host is above ${value}. What to do: ${runbook(`host-${name}`)}`,
          compare: "GreaterThan",
          value,
          window: "5m",
          tags: [this.tag],
          alerts: { emails: this.emails },
          enabled: true,
        },
        { parent: this },
      );
    }
  }

  private alertOnLoadBalancer(): void {
    const percent = this.args.alerts.loadBalancerPercent;
    const alerts = [
      {
        name: "connections",
        type: "connection_utilization_percent",
        compare: "GreaterThan",
        value: percent,
        text: `connection use is above ${percent}%`,
      },
      {
        name: "cpu",
        type: "avg_cpu_utilization_percent",
        compare: "GreaterThan",
        value: percent,
        text: `CPU use is above ${percent}%`,
      },
      {
        name: "backends",
        type: "droplet_health",
        compare: "LessThan",
        value: 100,
        text: "a web host fails the health check",
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
      // In passthrough the load balancer does not see HTTP, so it cannot count responses.
      if (name === "errors" && this.args.tls === "passthrough") continue;
      new digitalocean.MonitorAlert(
        `${this.name}-load-balancer-${name}`,
        {
          type: `v1/insights/lbaas/${type}`,
          description: `${this.tag}: load balancer: ${text} (${runbook(`load-balancer-${name}`)})`,
          compare,
          value,
          window: "5m",
          entities: [this.args.loadBalancerId],
          alerts: { emails: this.emails },
          enabled: true,
        },
        { parent: this },
      );
    }
  }

  private watchSite(): void {
    const check = new digitalocean.UptimeCheck(
      `${this.name}-site`,
      {
        name: this.tag,
        type: "https",
        target: this.args.url,
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
        threshold: this.args.uptime.latencyMs,
        comparison: "greater_than",
      },
      {
        name: "certificate",
        type: "ssl_expiry",
        period: "2m",
        threshold: this.args.uptime.certificateDays,
        comparison: "less_than",
      },
    ];
    for (const { name, ...alert } of alerts) {
      new digitalocean.UptimeAlert(
        `${this.name}-site-${name}`,
        {
          name: `${this.tag} ${name}`,
          checkId: check.id,
          notifications: [{ emails: this.emails }],
          ...alert,
        },
        { parent: this },
      );
    }
  }
}
