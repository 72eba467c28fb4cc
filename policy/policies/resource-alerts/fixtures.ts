import { droplet, httpsRule, loadBalancer } from "../../fixtures/texts";
import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const emails = { emails: ["ops@example.com"] };
const alert = (type: string, properties: Readonly<Record<string, unknown>> = {}): FixtureResource => ({
  type: "digitalocean:index/monitorAlert:MonitorAlert",
  properties: {
    type: `v1/insights/${type}`,
    description: "too much",
    compare: "GreaterThan",
    value: 80,
    window: "5m",
    enabled: true,
    tags: ["web"],
    alerts: emails,
    ...properties,
  },
});

const web = { "web-1": droplet("web-1", { tags: ["web"] }) };
const cpu = { cpu: alert("droplet/cpu") };
const memory = { memory: alert("droplet/memory_utilization_percent") };
const disk = { disk: alert("droplet/disk_utilization_percent") };
const edge = { edge: loadBalancer([httpsRule]) };
const health: FixtureResource = {
  ...alert("lbaas/droplet_health", { tags: [], entities: [unknownValue], compare: "LessThan", value: 100 }),
  references: { entities: ["edge"] },
};

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^(description|compare|value|window)$/,
      reason: "the owner chooses when an alert fires",
    },
    {
      path: /^(forwardingRules.*|redirectHttpToHttps|tlsCipherPolicy|dropletTag)$/,
      reason: "all load balancers are checked in the same way",
    },
    { path: /^entities(\[0\])?$/, resource: /^health$/, reason: "the reference shows the load balancer" },
    { path: /^tags$/, resource: /^health$/, reason: "a load balancer has no tags" },
    { path: /^enabled$/, change: /removed/, reason: "the default is true" },
  ],
  valid: [
    {
      title: "alerts by tag on droplets, and one on the load balancer",
      resources: { ...web, ...edge, ...cpu, ...memory, ...disk, health },
    },
    {
      title: "alerts on droplets by id, with a chat channel",
      resources: {
        "web-1": droplet("web-1"),
        ...Object.fromEntries(
          ["cpu", "memory_utilization_percent", "disk_utilization_percent"].map((metric) => [
            metric,
            {
              ...alert(`droplet/${metric}`, {
                tags: [],
                entities: [unknownValue],
                alerts: { slacks: [{ channel: "ops", url: "https://hooks.slack.com/services/T0/B0/x" }] },
              }),
              references: { entities: ["web-1"] },
            },
          ]),
        ),
      },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a droplet without alerts",
      resources: web,
      violations: [
        { resource: "web-1", says: "it has no alert on cpu", at: "stack" },
        { resource: "web-1", says: "it has no alert on memory_utilization_percent", at: "stack" },
        { resource: "web-1", says: "it has no alert on disk_utilization_percent", at: "stack" },
      ],
    },
    {
      title: "an alert for another tag",
      resources: {
        ...web,
        ...cpu,
        ...memory,
        disk: alert("droplet/disk_utilization_percent", { tags: ["database"] }),
      },
      violations: [{ resource: "web-1", says: "it has no alert on disk_utilization_percent", at: "stack" }],
    },
    {
      title: "an alert with unknown tags",
      resources: {
        ...web,
        ...cpu,
        ...memory,
        disk: alert("droplet/disk_utilization_percent", { tags: [unknownValue] }),
      },
      violations: [{ resource: "web-1", says: "it may have no alert on disk", at: "stack" }],
    },
    {
      title: "an alert without recipients",
      resources: {
        ...web,
        ...cpu,
        ...memory,
        disk: alert("droplet/disk_utilization_percent", { alerts: { emails: [] } }),
      },
      violations: [
        { resource: "disk", says: "it names no recipient", at: "registration" },
        { resource: "web-1", says: "it has no alert on disk_utilization_percent", at: "stack" },
      ],
    },
    {
      title: "a disabled alert",
      resources: {
        ...web,
        ...cpu,
        ...memory,
        disk: alert("droplet/disk_utilization_percent", { enabled: false }),
      },
      violations: [
        { resource: "disk", says: "enabled is false", at: "registration" },
        { resource: "web-1", says: "it has no alert on disk_utilization_percent", at: "stack" },
      ],
    },
    {
      title: "a load balancer without an alert",
      resources: edge,
      violations: [{ resource: "edge", says: "it has no alert", at: "stack" }],
    },
  ],
};
