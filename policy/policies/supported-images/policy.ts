/** Droplets run systems that still receive security updates. */
import { describeState, dropletType } from "../../evidence/host";
import { definePolicy, type JudgmentContext } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { valueOr } from "../../frame/value";
import { endOfSupport } from "../../resources/support";
import { customImageType, dropletSnapshotType, ofType } from "../../resources/types";
import { endOfImage } from "./releases";

const why =
  "a vulnerability found after the end of support stays open on every host, and its details are public";

type Context = JudgmentContext<{
  readonly minimumDays: number;
  readonly allowedImages: readonly string[];
}>;

export const supportedImages = definePolicy({
  name: "supported-images",
  displayName: "Supported images",
  category: "hygiene",
  description:
    "The image of every droplet is of a distribution release that still receives security updates.",
  severity: "high",
  enforcement: mandatoryInProduction,
  tags: ["images"],
  types: [dropletType],
  remediationSteps:
    "Use a current image such as ubuntu-26-04-x64 or debian-13-x64, or add your own image to allowedImages.",
  configuration: {
    minimumDays: {
      type: "integer",
      default: 0,
      minimum: 0,
      maximum: 3650,
      description: "Days of support that a release must have left.",
    },
    allowedImages: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Slugs or ids of images that you maintain yourself or that are missing from the table.",
    },
  },
  judgeResource(resource, context) {
    if (resource.type !== dropletType) return;
    // An image that the stack creates is known by its reference, with the whole stack.
    const mayBeOwn = context.resources.some(({ type }) => imageTypes.has(type));
    if (!mayBeOwn || !isCustom(resource)) judgeImage(resource, context);
  },
  judgeStack(resources, context) {
    for (const resource of ofType(resources, dropletType)) judgeInStack(resource, context);
  },
});

/** Resources that create an image. The stack is responsible for it. */
const imageTypes: ReadonlySet<string> = new Set([dropletSnapshotType, customImageType]);

/** Images of DigitalOcean and its marketplace have slugs; those of an account have ids. */
const isCustom = ({ inputs }: JudgedResource) => /^\d+$/.test(valueOr(inputs.text("image"), ""));

function judgeInStack(droplet: JudgedResource, context: Context): void {
  if (droplet.references("image").some(({ type }) => imageTypes.has(type))) return;
  if (droplet.inputs.text("image").state !== "unknown") {
    judgeImage(droplet, context);
    return;
  }
  context.report(droplet, {
    at: "image",
    problem: "the value is unknown, and does not come from an image or a snapshot of the stack",
    why,
    fix: "set the image's slug as a literal",
  });
}

function judgeImage(resource: JudgedResource, context: Context): void {
  const image = resource.inputs.text("image");
  const report = (problem: string, fix: string) =>
    context.report(resource, { at: "image", problem, why, fix });
  if (image.state === "unknown") return;
  if (image.state !== "known") {
    report(`the value ${describeState(image)}`, "set an image");
    return;
  }
  if (context.configuration.allowedImages.includes(image.value)) return;
  const end = endOfImage(image.value);
  if (end === undefined) {
    const shown = /^[a-z0-9][a-z0-9.-]{0,60}$/.test(image.value) && !/^\d+$/.test(image.value);
    report(
      `${shown ? "the image's release is not in the policy's table" : "the image is a custom one"}, so the end of its support is unknown`,
      "use an image of a distribution, or add this one to allowedImages",
    );
    return;
  }
  const problem = endOfSupport(end, context.now, context.configuration.minimumDays);
  if (problem !== undefined) report(problem, "use a current image such as ubuntu-26-04-x64 or debian-13-x64");
}
