/** A stack's resources are easy to find, tell apart and bill. */
import { describeState, dropletType } from "../../evidence/host";
import { definePolicy, type JudgmentContext } from "../../frame/definition";
import { alwaysAdvisory } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { knownItems, valueOr } from "../../frame/value";
import { tagsOf } from "../../resources/tags";
import {
  bucketType,
  clusterType,
  domainType,
  everyType,
  loadBalancerType,
  projectResourcesType,
  projectType,
  volumeType,
} from "../../resources/types";

const whyName =
  "anyone who looks at DigitalOcean's console, a bill or an alert must see the purpose of a resource";
const whyRegion = "traffic between regions is slow, costs money and leaves the private network";
const whyProject = "outside a project, a resource is hard to find among everything else in the account";

/** Types whose name, tags and region the program can choose. */
const taggedTypes = new Set([dropletType, clusterType]);
const namedTypes = new Set([
  dropletType,
  clusterType,
  loadBalancerType,
  volumeType,
  "digitalocean:index/firewall:Firewall",
  "digitalocean:index/vpc:Vpc",
]);
const projectTypes = new Set([
  dropletType,
  clusterType,
  loadBalancerType,
  volumeType,
  bucketType,
  domainType,
]);

interface Configuration {
  readonly namePattern: string;
  readonly requiredTags: readonly string[];
  readonly regions: readonly string[];
  readonly requireProject: boolean;
}
type Context = JudgmentContext<Configuration>;

export const resourceHygiene = definePolicy({
  name: "resource-hygiene",
  displayName: "Resource hygiene",
  category: "hygiene",
  description:
    "Resources have explicit names, droplets and managed databases have tags, and everything is in one region and in a project.",
  severity: "low",
  enforcement: alwaysAdvisory,
  tags: ["order"],
  types: [everyType],
  remediationSteps:
    "Set name, tags and region on every resource, and add droplets, load balancers, volumes, databases and domains to a Project.",
  configuration: {
    namePattern: {
      type: "string",
      default: "^[a-z0-9][a-z0-9.-]*$",
      form: { expected: "a regular expression", fits: (text) => patternOf(text) !== undefined },
      description: "Regular expression that every name must match.",
    },
    requiredTags: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Tags that every droplet and managed database must have.",
    },
    regions: {
      type: "array",
      items: { type: "string" },
      form: { expected: 'a region, such as "fra1"', fits: (text) => /^[a-z]{3}\d$/.test(text) },
      default: [],
      description: "Regions that the stack may use. If not set, all its resources must be in one region.",
    },
    requireProject: {
      type: "boolean",
      default: true,
      description: "Require that resources are in a Project of the stack.",
    },
  },
  judgeResource(resource, context) {
    if (namedTypes.has(resource.type)) judgeName(resource, context);
    if (taggedTypes.has(resource.type)) judgeTags(resource, context);
    judgeRegion(resource, context);
  },
  judgeStack(resources, context) {
    for (const resource of resources) {
      if (taggedTypes.has(resource.type)) judgeMissingTags(resource, context);
    }
    judgeOneRegion(resources, context);
    if (context.configuration.requireProject) judgeProject(resources, context);
  },
});

function patternOf(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}

function judgeName(resource: JudgedResource, context: Context): void {
  const name = resource.inputs.text("name");
  const report = (problem: string, fix: string) =>
    context.report(resource, { at: "name", problem, why: whyName, fix });
  if (name.state !== "known" || name.value === "") {
    const state = name.state === "known" ? "is empty" : describeState(name);
    report(name.state === "unknown" ? "the name is unknown in a preview" : `the value ${state}`, "set name");
    return;
  }
  if (isAutomatic(name.value, resource.name)) {
    report("Pulumi generated the name, and each replacement generates another one", "set name");
    return;
  }
  const pattern = patternOf(context.configuration.namePattern);
  if (pattern === undefined)
    report("namePattern of this policy is not a regular expression", "correct namePattern");
  else if (!pattern.test(name.value)) {
    report(
      "the name does not match namePattern",
      "use lower case letters, digits, dots and hyphens, or change namePattern",
    );
  }
}

/** Pulumi's generated names: the resource's name, a hyphen and seven hexadecimal digits. */
function isAutomatic(name: string, logical: string): boolean {
  return name.length === logical.length + 8 && name.startsWith(`${logical}-`) && /-[0-9a-f]{7}$/.test(name);
}

function judgeTags(resource: JudgedResource, context: Context): void {
  const tags = resource.inputs.texts("tags");
  if (
    tags.state !== "mistyped" &&
    !(tags.state === "known" && tags.value.some(({ state }) => state === "mistyped"))
  )
    return;
  context.report(resource, {
    at: "tags",
    problem: "its tags are not a list of strings",
    why: whyName,
    fix: "set tags to a list of strings",
  });
}

/** A tag that comes from a Tag resource is known by reference, once the stack is complete. */
function judgeMissingTags(resource: JudgedResource, context: Context): void {
  const tags = tagsOf(resource);
  const { complete } = tags;
  const names = new Set([...tags.names].filter((name) => name !== ""));
  const required = context.configuration.requiredTags;
  const missing = required.filter((tag) => !names.has(tag));
  if (missing.length === 0 && names.size > 0) return;
  const problem = complete
    ? names.size === 0
      ? "it has no tag"
      : `it lacks ${missing.length === 1 ? "a tag" : "tags"} of requiredTags: ${missing.join(", ")}`
    : "its tags are unknown in a preview";
  context.report(resource, { at: "tags", problem, why: whyName, fix: "add tags for the stack and the role" });
}

function judgeRegion(resource: JudgedResource, context: Context): void {
  const { regions } = context.configuration;
  const region = resource.inputs.text("region");
  if (!resource.type.startsWith("digitalocean:") || region.state !== "known" || regions.length === 0) return;
  if (regions.includes(region.value.toLowerCase())) return;
  context.report(resource, {
    at: "region",
    problem: "its region is not one of this policy's regions",
    why: whyRegion,
    fix: `use ${regions.join(" or ")}`,
  });
}

/** Without a list of regions, all resources must be in the same one. Global resources have no region. */
function judgeOneRegion(resources: readonly JudgedResource[], context: Context): void {
  if (context.configuration.regions.length > 0) return;
  let first: { region: string; name: string } | undefined;
  for (const resource of resources) {
    if (!projectTypes.has(resource.type) && resource.type !== "digitalocean:index/vpc:Vpc") continue;
    const region = resource.inputs.text("region");
    if (region.state === "unknown" || region.state === "mistyped") {
      context.report(resource, {
        at: "region",
        problem:
          region.state === "unknown" ? "the region is unknown in a preview" : "the region is not a string",
        why: whyRegion,
        fix: "set the region to a literal",
      });
    }
    if (region.state !== "known" || region.value === "") continue;
    first ??= { region: region.value.toLowerCase(), name: resource.name };
    if (region.value.toLowerCase() === first.region) continue;
    context.report(resource, {
      at: "region",
      problem: `it is in a different region than "${first.name}"`,
      why: whyRegion,
      fix: "use one region, or list all regions in this policy's regions",
    });
  }
}

function judgeProject(resources: readonly JudgedResource[], context: Context): void {
  const projects = resources.filter(({ type }) => type === projectType || type === projectResourcesType);
  const urns = new Set(projects.flatMap((project) => project.references("resources").map(({ urn }) => urn)));
  const listed = new Set(projects.flatMap(({ inputs }) => knownItems(inputs.texts("resources"))));
  const outputs = [
    "dropletUrn",
    "loadBalancerUrn",
    "domainUrn",
    "volumeUrn",
    "clusterUrn",
    "bucketUrn",
    "urn",
  ];
  for (const resource of resources) {
    if (!projectTypes.has(resource.type) || urns.has(resource.urn)) continue;
    const projectId = resource.inputs.text("projectId");
    if (projectId.state === "unknown" || valueOr(projectId, "") !== "") continue;
    if (outputs.some((output) => listed.has(valueOr(resource.outputs.text(output), "\0")))) continue;
    context.report(resource, {
      problem: "no Project of the stack contains it",
      why: whyProject,
      fix: "add its URN to resources of a Project or of ProjectResources",
    });
  }
}
