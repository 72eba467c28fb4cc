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
    { path: /^(period|threshold|comparison)$/, reason: "when an alert fires is for its owner to choose" },
    { path: /^checkId$/, reason: "the reference tells the check" },
    {
      path: /^(forwardingRules.*|redirectHttpToHttps|tlsCipherPolicy|dropletTag)$/,
      reason: "every public load balancer is judged alike",
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
      title: "a public load balancer that nobody watches",
      resources: edge,
      violations: [{ resource: "edge", says: "no uptime check of type https", at: "stack" }],
    },
    {
      title: "a check by ping alone",
      resources: { ...edge, site: check({ type: "ping" }), ...down },
      violations: [{ resource: "edge", says: "no uptime check of type https", at: "stack" }],
    },
    {
      title: "a check without an alert for the certificate",
      resources: { ...edge, site: check(), ...down },
      violations: [{ resource: "site", says: "no alert of type ssl_expiry", at: "stack" }],
    },
    {
      title: "alerts that nobody receives",
      resources: { ...edge, site: check(), ...certificate, down: alert("down", { notifications: [{}] }) },
      violations: [
        { resource: "down", says: "it names no recipient", at: "registration" },
        { resource: "site", says: "no alert of type down", at: "stack" },
      ],
    },
    {
      title: "a check that is switched off",
      resources: { ...edge, site: check({ enabled: false }), ...down, ...certificate },
      violations: [
        { resource: "site", says: "the check is not known to be switched on", at: "registration" },
        { resource: "edge", says: "no uptime check of type https", at: "stack" },
      ],
    },
    {
      title: "a check whose type is not known",
      resources: { ...edge, site: check({ type: unknownValue }), ...down },
      violations: [
        { resource: "site", says: "type: the value is not known yet", at: "registration" },
        { resource: "edge", says: "no uptime check of type https", at: "stack" },
      ],
    },
  ],
};
