import { httpsRule, loadBalancer } from "../../fixtures/texts";
import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const check = (properties: Readonly<Record<string, unknown>> = {}): FixtureResource => ({
  type: "digitalocean:index/uptimeCheck:UptimeCheck",
  properties: { name: "site", type: "https", target: "https://www.foobar.com", enabled: true, ...properties },
});
const alert = (type: string, properties: Readonly<Record<string, unknown>> = {}): FixtureResource => ({
  type: "digitalocean:index/uptimeAlert:UptimeAlert",
  properties: {
    name: type,
    type,
    checkId: unknownValue,
    period: "2m",
    threshold: 14,
    comparison: "less_than",
    notifications: [{ emails: ["ops@example.com"] }],
    ...properties,
  },
  references: { checkId: ["site"] },
});
const edge = { edge: loadBalancer([httpsRule]) };
const down = { down: alert("down") };
const certificate = { certificate: alert("ssl_expiry") };

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^target$/,
      change: /unknown/,
      reason: "it comes from another resource, such as the load balancer's address",
    },
    { path: /^(period|threshold|comparison)$/, reason: "the owner chooses when an alert fires" },
    { path: /^checkId$/, reason: "the reference shows the check" },
    {
      path: /^(forwardingRules.*|redirectHttpToHttps|tlsCipherPolicy|dropletTag)$/,
      reason: "all public load balancers are checked in the same way",
    },
    { path: /^enabled$/, change: /removed/, reason: "the default is true" },
  ],
  valid: [
    {
      title: "a check over HTTPS with alerts for the site and its certificate",
      resources: { ...edge, site: check(), ...down, ...certificate },
    },
    {
      title: "an internal load balancer",
      resources: { edge: loadBalancer([httpsRule], { network: "INTERNAL" }) },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a public load balancer without a check",
      resources: edge,
      violations: [{ resource: "edge", says: "no enabled uptime check of type https", at: "stack" }],
    },
    {
      title: "a check with only ping",
      resources: { ...edge, site: check({ type: "ping" }), ...down },
      violations: [{ resource: "edge", says: "no enabled uptime check of type https", at: "stack" }],
    },
    {
      title: "a check without an alert for the certificate",
      resources: { ...edge, site: check(), ...down },
      violations: [{ resource: "site", says: "no alert of type ssl_expiry", at: "stack" }],
    },
    {
      title: "alerts without recipients",
      resources: { ...edge, site: check(), ...certificate, down: alert("down", { notifications: [{}] }) },
      violations: [
        { resource: "down", says: "it names no recipient", at: "registration" },
        { resource: "site", says: "no alert of type down", at: "stack" },
      ],
    },
    {
      title: "a disabled check",
      resources: { ...edge, site: check({ enabled: false }), ...down, ...certificate },
      violations: [
        { resource: "site", says: "it is unknown whether the check is enabled", at: "registration" },
        { resource: "edge", says: "no enabled uptime check of type https", at: "stack" },
      ],
    },
    {
      title: "a check with an unknown type",
      resources: { ...edge, site: check({ type: unknownValue }), ...down },
      violations: [
        { resource: "site", says: "type: the value is unknown", at: "registration" },
        { resource: "edge", says: "no enabled uptime check of type https", at: "stack" },
      ],
    },
  ],
};
