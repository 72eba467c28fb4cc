/**
 * Updates a stack with the project's own program, from which one protection of rollouts is taken away, without a
 * preview. Arguments: HOME STACK MUTATION [KEY=VALUE...]. Ends with the failure's exit code, and its text on stderr.
 */
import * as pulumi from "@pulumi/pulumi";
import { updateSandboxStack } from "./sandboxStack";

const STASH = "pulumi:index:Stash";

/** A resource of the program with other options; undefined if the mutation is not about it. */
type Mutation = (
  resource: pulumi.ResourceTransformationArgs,
) => Partial<pulumi.CustomResourceOptions> | undefined;

const mutations: Readonly<Record<string, Mutation>> = {
  none: () => undefined,
  turnsDoNotWait: ({ type, name, opts }) =>
    type === STASH && name.endsWith("-well") ? { ...opts, hooks: {} } : undefined,
  membersDoNotWait: ({ type, name, opts }) =>
    type === STASH && name.endsWith("-may-stop") ? { ...opts, hooks: {} } : undefined,
  failuresAreForgotten: ({ type, name, opts }) =>
    type === STASH && name.endsWith("-number") ? { ...opts, ignoreChanges: ["input"] } : undefined,
  turnsAreSideBySide: ({ type, opts }) =>
    type === "digitalocean:index/spacesBucketObject:SpacesBucketObject"
      ? { ...opts, dependsOn: [] }
      : undefined,
  oldDropletsGoFirst: ({ type, name, opts }) =>
    type === "digitalocean:index/droplet:Droplet" && name.startsWith("main-web-")
      ? { ...opts, deleteBeforeReplace: true }
      : undefined,
};

const [dir = "", stack = "", name = "", ...settings] = process.argv.slice(2);
const mutation = mutations[name];
if (mutation === undefined) throw new Error(`no mutation is called ${name}`);
void updateSandboxStack({ dir, stack, settings }, () => {
  // In the program, before the SDK waits for what a resource depends on.
  pulumi.runtime.registerStackTransformation((resource) => {
    const opts = mutation(resource);
    return opts && { props: resource.props, opts };
  });
});
