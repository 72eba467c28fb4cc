import { droplet, httpsRule, loadBalancer } from "../../fixtures/texts";
import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const project = (...names: readonly string[]): FixtureResource => ({
  type: "digitalocean:index/project:Project",
  properties: { name: "shop", resources: [unknownValue] },
  references: { resources: names },
});
const web = (properties: Readonly<Record<string, unknown>> = {}) =>
  droplet("web-1", { tags: ["web"], ...properties });
const edge = loadBalancer([httpsRule]);

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^(dropletTag|forwardingRules.*|redirectHttpToHttps|tlsCipherPolicy)$/,
      reason: "not related to order",
    },
    { path: /^resources(\[0\])?$/, reason: "the references show what a project contains" },
  ],
  valid: [
    {
      title: "a droplet and a load balancer with names, tags, one region and a project",
      resources: { "web-1": web(), edge, project: project("web-1", "edge") },
    },
    {
      title: "the names, tags and regions that the configuration requires",
      configuration: {
        namePattern: "^web-\\d$",
        requiredTags: ["team-shop"],
        regions: ["fra1"],
        requireProject: false,
      },
      resources: { "web-1": web({ tags: ["team-shop"] }) },
    },
  ],
  invalid: [
    {
      title: "a name that Pulumi made",
      resources: { "web-1": web({ name: "web-1-3f9a2c1" }), project: project("web-1") },
      violations: [{ resource: "web-1", says: "Pulumi generated the name", at: "registration" }],
    },
    {
      title: "a name that does not match",
      resources: { "web-1": web({ name: "Web_1" }), project: project("web-1") },
      violations: [{ resource: "web-1", says: "the name does not match namePattern", at: "registration" }],
    },
    {
      title: "a droplet without a tag",
      resources: { "web-1": droplet("web-1"), project: project("web-1") },
      violations: [{ resource: "web-1", says: "it has no tag", at: "stack" }],
    },
    {
      title: "a droplet without a tag that the configuration requires",
      configuration: { requiredTags: ["team-shop"] },
      resources: { "web-1": web(), project: project("web-1") },
      violations: [{ resource: "web-1", says: "it lacks a tag of requiredTags: team-shop", at: "stack" }],
    },
    {
      title: "two regions",
      resources: {
        "web-1": web(),
        edge: loadBalancer([httpsRule], { region: "nyc3" }),
        project: project("web-1", "edge"),
      },
      violations: [{ resource: "edge", says: 'it is in a different region than "web-1"', at: "stack" }],
    },
    {
      title: "a region that the configuration does not allow",
      configuration: { regions: ["nyc3"] },
      resources: { "web-1": web(), project: project("web-1") },
      violations: [
        { resource: "web-1", says: "its region is not one of this policy's regions", at: "registration" },
      ],
    },
    {
      title: "a droplet in no project",
      resources: { "web-1": web() },
      violations: [{ resource: "web-1", says: "no Project of the stack contains it", at: "stack" }],
    },
  ],
};
