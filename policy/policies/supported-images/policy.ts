/** Droplets run systems whose faults are still mended. */
import { describeState, dropletType } from "../../evidence/host";
import { definePolicy } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";
import { endOfImage } from "./releases";

const why =
  "a fault that is found after the end of support stays open on every host, and everybody can read what it is";

export const supportedImages = definePolicy({
  name: "supported-images",
  displayName: "Supported images",
  category: "hygiene",
  description:
    "The image of every droplet is of a distribution's release whose security faults are still mended.",
  severity: "high",
  enforcement: mandatoryInProduction,
  tags: ["images"],
  remediationSteps:
    "Use a current image such as ubuntu-26-04-x64 or debian-13-x64, or name an image of your own in allowedImages.",
  configuration: {
    minimumDays: {
      type: "integer",
      default: 0,
      minimum: 0,
      maximum: 3650,
      description: "Days of support that a release must still have.",
    },
    allowedImages: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Images that you maintain yourself or that are not in the table: slugs or ids.",
    },
  },
  judgeResource(resource, context) {
    if (resource.type !== dropletType) return;
    const image = resource.inputs.text("image");
    const report = (problem: string, fix: string) =>
      context.report(resource, { at: "image", problem, why, fix });
    if (image.state === "unknown") return;
    if (image.state !== "known") {
      report(`the value ${describeState(image)}`, "name an image");
      return;
    }
    if (context.configuration.allowedImages.includes(image.value)) return;
    const end = endOfImage(image.value);
    if (end === undefined) {
      const shown = /^[a-z0-9][a-z0-9.-]{0,60}$/.test(image.value) && !/^\d+$/.test(image.value);
      report(
        `${shown ? "the image is of no release in the policy's table" : "the image is one of your own"}, so it cannot be known how long it is supported`,
        "use an image of a distribution, or name this one in allowedImages",
      );
      return;
    }
    const left = Math.floor((Date.parse(end) - Date.now()) / 86_400_000);
    if (left >= context.configuration.minimumDays) return;
    const problem =
      left < 0 ? `support of this release has ended on ${end}` : `support of this release ends on ${end}`;
    report(problem, "use a current image such as ubuntu-26-04-x64 or debian-13-x64");
  },
  judgeStack(resources, context) {
    for (const resource of resources) {
      if (resource.type !== dropletType || resource.inputs.text("image").state !== "unknown") continue;
      // An image or snapshot that the stack makes itself is its own to maintain.
      if (resource.references("image").length > 0) continue;
      context.report(resource, {
        at: "image",
        problem: "the value is not known yet, and comes from no resource of the stack",
        why,
        fix: "give the image's slug as a literal",
      });
    }
  },
});
