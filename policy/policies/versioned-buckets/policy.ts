/** Buckets with data keep former versions of their objects. */
import { describeState } from "../../evidence/host";
import { definePolicy } from "../../frame/definition";
import { advisoryInProduction } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { valueOr } from "../../frame/value";
import { flagProblem } from "../../resources/support";
import { bucketObjectType, bucketType, ofType } from "../../resources/types";

export const versionedBuckets = definePolicy({
  name: "versioned-buckets",
  displayName: "Versioned buckets",
  category: "data",
  description:
    "Every Spaces bucket that receives data from outside the stack keeps former versions of its objects.",
  severity: "medium",
  enforcement: advisoryInProduction,
  tags: ["storage"],
  types: [bucketType],
  remediationSteps:
    "Set versioning to { enabled: true }, with a lifecycle rule that ends former versions (noncurrentVersionExpiration).",
  configuration: {
    unversionedBuckets: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Names of buckets whose objects can be made again, such as one with build results.",
    },
  },
  judgeStack(resources, context) {
    const objects = ofType(resources, bucketObjectType);
    for (const bucket of ofType(resources, bucketType)) {
      const name = valueOr(bucket.inputs.text("name"), undefined);
      if (name !== undefined && context.configuration.unversionedBuckets.includes(name)) continue;
      if (objects.some((object) => isIn(object, bucket))) continue;
      const versioning = bucket.inputs.object("versioning");
      const problem =
        versioning.state === "known"
          ? flagProblem(versioning.value, "enabled", true, false)
          : versioning.state === "absent"
            ? "versioning is not set"
            : `the value ${describeState(versioning)}`;
      if (problem === undefined) continue;
      context.report(bucket, {
        at: "versioning",
        problem,
        why: "an object that is overwritten or deleted in error, or with a stolen key, is lost",
        fix: "set versioning to { enabled: true }, with noncurrentVersionExpiration in lifecycleRules, or list the bucket in this policy's unversionedBuckets",
      });
    }
  },
});

/** True if the program itself writes an object to the bucket: it can write it again. */
function isIn(object: JudgedResource, bucket: JudgedResource): boolean {
  if (object.references("bucket").some(({ urn }) => urn === bucket.urn)) return true;
  const name = bucket.inputs.text("name");
  return name.state === "known" && valueOr(object.inputs.text("bucket"), undefined) === name.value;
}
