/** Keys of Spaces give access only to the buckets that their users need. */
import { describeState, dropletType } from "../../evidence/host";
import { definePolicy, type JudgmentContext } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";
import { quoted } from "../../frame/message";
import type { JudgedResource } from "../../frame/resource";
import { autoscaleType } from "../../frame/templates";
import { type Inputs, valueOr } from "../../frame/value";
import { appType, bucketType, ofType, spacesKeyType } from "../../resources/types";

const whyFull =
  "anyone who has the key can read, change and delete every bucket of the account, also those of other stacks";
const permissions = ["read", "readwrite", "fullaccess"];

type Context = JudgmentContext<{ readonly fullAccessKeys: readonly string[] }>;

export const narrowSpacesKeys = definePolicy({
  name: "narrow-spaces-keys",
  displayName: "Narrow Spaces keys",
  category: "data",
  description:
    "Every Spaces key has grants for single buckets. Only the key with which the program itself creates buckets has full access.",
  severity: "high",
  enforcement: mandatoryInProduction,
  tags: ["storage", "secrets"],
  types: [spacesKeyType],
  remediationSteps:
    "Give each SpacesKey grants with a bucket and the permission read or readwrite, and list keys that need full access in fullAccessKeys.",
  configuration: {
    fullAccessKeys: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Names of keys that have full access on purpose, such as one of a backup program.",
    },
  },
  judgeResource(resource, context) {
    if (resource.type === spacesKeyType) judgeGrants(resource, context);
  },
  judgeStack(resources, context) {
    const hasBuckets = ofType(resources, bucketType).length > 0;
    for (const key of ofType(resources, spacesKeyType).filter(hasFullAccess)) {
      if (context.configuration.fullAccessKeys.includes(valueOr(key.inputs.text("name"), ""))) continue;
      const user = resources.find((one) => carries.has(one.type) && refersTo(one, key));
      if (hasBuckets && user === undefined) continue;
      context.report(key, {
        at: "grants",
        problem:
          user === undefined
            ? "it has full access, and the stack creates no bucket that requires it"
            : `it has full access, and "${user.name}" receives it`,
        why: whyFull,
        fix: "set a bucket and the permission read or readwrite, or list the key in this policy's fullAccessKeys",
      });
    }
  },
});

/**
 * Resources that carry a key to a host or an app, other than the provider of the program. An object in a bucket is none
 * of them: it depends on a key also if the program only waits for something that it reads with the key.
 */
const carries: ReadonlySet<string> = new Set([appType, autoscaleType, dropletType]);

function refersTo(resource: JudgedResource, key: JudgedResource): boolean {
  return resource.inputs
    .keys()
    .some((input) => resource.references(input).some(({ urn }) => urn === key.urn));
}

function grantsOf(key: JudgedResource): readonly Inputs[] {
  return valueOr(key.inputs.objects("grants"), []).flatMap((grant) =>
    grant.state === "known" ? [grant.value] : [],
  );
}

const hasFullAccess = (key: JudgedResource) =>
  grantsOf(key).some((grant) => valueOr(grant.text("permission"), "").toLowerCase() === "fullaccess");

/** A grant must be readable. A key without grants has no access to any bucket. */
function judgeGrants(key: JudgedResource, context: Context): void {
  const grants = key.inputs.objects("grants");
  if (grants.state === "absent") return;
  const report = (at: string, problem: string) =>
    context.report(key, {
      at,
      problem,
      why: "it is unknown which buckets the key can read and change",
      fix: "set a bucket of the stack and the permission read or readwrite",
    });
  if (grants.state !== "known") {
    report("grants", `the value ${describeState(grants)}`);
    return;
  }
  for (const [index, grant] of grants.value.entries()) {
    const at = `grants[${index}]`;
    const permission = grant.state === "known" ? grant.value.text("permission") : grant;
    if (permission.state !== "known") report(at, `the value of permission ${describeState(permission)}`);
    else if (typeof permission.value === "string" && !permissions.includes(permission.value.toLowerCase()))
      report(at, `permission is ${quoted(permission.value, permissions)}`);
    if (grant.state === "known" && !isForOneBucket(grant.value))
      report(at, "it grants access without the name of a bucket");
  }
}

/** The name of a bucket that the stack creates is unknown in a first preview. */
function isForOneBucket(grant: Inputs): boolean {
  if (valueOr(grant.text("permission"), "").toLowerCase() === "fullaccess") return true;
  const bucket = grant.text("bucket");
  return bucket.state === "unknown" || (bucket.state === "known" && bucket.value.trim() !== "");
}
