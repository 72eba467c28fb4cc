/** Only holders of a key can read or write a bucket. */
import { describeState } from "../../evidence/host";
import { definePolicy, type JudgmentContext } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import { quoted } from "../../frame/message";
import type { JudgedResource } from "../../frame/resource";
import { type Inputs, knownItems, valueOr } from "../../frame/value";
import {
  bucketCorsType,
  bucketObjectType,
  bucketPolicyType,
  bucketType,
  ofType,
} from "../../resources/types";

const whyRead = "scanners find public buckets by trying names, and read them long before anyone notices";
const whyWrite = "a page on any site can make its visitors' browsers change the bucket's objects";

/** S3's canned access control lists; Spaces accepts the first two. */
const cannedAcls = ["private", "public-read", "public-read-write", "authenticated-read"];

interface Configuration {
  readonly publicBuckets: readonly string[];
}
type Context = JudgmentContext<Configuration>;

export const privateSpacesBuckets = definePolicy({
  name: "private-spaces-buckets",
  displayName: "Private Spaces buckets",
  category: "encryption",
  description:
    "No Spaces bucket, object or bucket policy gives access to everyone, and no CORS rule lets every site change a bucket.",
  severity: "critical",
  enforcement: alwaysMandatory,
  tags: ["storage"],
  types: [bucketCorsType, bucketObjectType, bucketPolicyType, bucketType],
  remediationSteps:
    "Set acl to private, set principals in bucket policies, and set origins in CORS rules. List buckets that are public on purpose in publicBuckets.",
  configuration: {
    publicBuckets: {
      type: "array",
      items: { type: "string" },
      default: [],
      description: "Names of buckets that everyone may read, such as one with a site's images.",
    },
  },
  judgeResource(resource, context) {
    if (resource.type === bucketType || resource.type === bucketObjectType) judgeAcl(resource, context);
    if (resource.type === bucketType || resource.type === bucketCorsType) judgeCors(resource, context);
    if (resource.type === bucketPolicyType) judgePolicy(resource, context);
  },
  judgeStack(resources, context) {
    for (const policy of ofType(resources, bucketPolicyType)) {
      const isUnknown = policy.inputs.text("policy").state === "unknown";
      // A policy for buckets of the same stack contains their addresses, so the update checks it before setting it.
      if (!isUnknown || policy.references("policy").length > 0) continue;
      reportUnread(policy, "policy", "is unknown", context);
    }
  },
});

function isPublicByIntent(resource: JudgedResource, { configuration }: Context): boolean {
  const name = valueOr(resource.inputs.text(resource.type === bucketType ? "name" : "bucket"), undefined);
  return name !== undefined && configuration.publicBuckets.includes(name);
}

function judgeAcl(resource: JudgedResource, context: Context): void {
  const acl = resource.inputs.text("acl");
  if (acl.state === "absent" || (acl.state === "known" && acl.value === "private")) return;
  if (acl.state === "known" && acl.value === "public-read" && isPublicByIntent(resource, context)) return;
  const problem =
    acl.state === "known" ? `acl is ${quoted(acl.value, cannedAcls)}` : `the value ${describeState(acl)}`;
  context.report(resource, {
    at: "acl",
    problem,
    why: whyRead,
    fix: 'set acl to "private", and give readers signed URLs or a CDN',
  });
}

function judgeCors(resource: JudgedResource, context: Context): void {
  const rules = resource.inputs.objects("corsRules");
  if (rules.state === "absent") return;
  if (rules.state !== "known") {
    reportUnread(resource, "corsRules", describeState(rules), context);
    return;
  }
  for (const [index, rule] of rules.value.entries()) {
    const at = `corsRules[${index}]`;
    if (rule.state !== "known") reportUnread(resource, at, describeState(rule), context);
    else if (opensWriting(rule.value)) {
      context.report(resource, {
        at: `${at}.allowedOrigins`,
        problem: "every origin can send requests that change objects",
        why: whyWrite,
        fix: "list the origins that upload, or allow only GET and HEAD",
      });
    }
  }
}

/** An unknown origin or method counts as the most dangerous one. */
function opensWriting(rule: Inputs): boolean {
  const origins = rule.texts("allowedOrigins");
  const methods = rule.texts("allowedMethods");
  const isUnread = (field: typeof origins) =>
    field.state === "unknown" ||
    field.state === "mistyped" ||
    (field.state === "known" && field.value.some(({ state }) => state !== "known"));
  const isAnyone =
    isUnread(origins) ||
    knownItems(origins).some((origin) => origin === "*" || /^https?:\/\/\*$/.test(origin));
  const changes =
    isUnread(methods) || knownItems(methods).some((method) => /^(PUT|POST|DELETE)$/i.test(method));
  return isAnyone && changes;
}

interface Statement {
  readonly Effect?: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
  readonly Action?: unknown;
}

function judgePolicy(resource: JudgedResource, context: Context): void {
  const policy = resource.inputs.text("policy");
  if (policy.state === "unknown") return;
  const statements = policy.state === "known" ? statementsOf(policy.value) : undefined;
  if (statements === undefined) {
    const state = policy.state === "known" ? "is not a bucket policy in JSON" : describeState(policy);
    reportUnread(resource, "policy", state, context);
    return;
  }
  for (const [index, statement] of statements.entries()) {
    if (statement.Effect !== "Allow" || !isEverybody(statement.Principal)) continue;
    const readsAlone = actionsOf(statement).every((action) =>
      /^s3:(GetObject|GetObjectVersion)$/.test(action),
    );
    if (readsAlone && isPublicByIntent(resource, context)) continue;
    // A condition on the source's address or on the VPC narrows the access. The policy does not check its value.
    if (isRestricting(statement.Condition)) continue;
    context.report(resource, {
      at: `policy, Statement[${index}].Principal`,
      problem: "it allows everyone without a condition on the source",
      why: whyRead,
      fix: "set the principals, or add a Condition on aws:SourceIp",
    });
  }
}

function statementsOf(text: string): readonly Statement[] | undefined {
  try {
    const policy: unknown = JSON.parse(text);
    if (typeof policy !== "object" || policy === null || !("Statement" in policy)) return undefined;
    const { Statement: statement } = policy as { Statement: unknown };
    const list: readonly unknown[] = Array.isArray(statement) ? statement : [statement];
    return list.every((item) => typeof item === "object" && item !== null)
      ? (list as Statement[])
      : undefined;
  } catch {
    return undefined;
  }
}

function actionsOf({ Action: action }: Statement): readonly string[] {
  const list: readonly unknown[] = Array.isArray(action) ? action : [action];
  return list.map(String);
}

function isEverybody(principal: unknown): boolean {
  if (principal === "*") return true;
  if (typeof principal !== "object" || principal === null) return false;
  return Object.values(principal).some((value) =>
    Array.isArray(value) ? value.includes("*") : value === "*",
  );
}

function isRestricting(condition: unknown): boolean {
  if (typeof condition !== "object" || condition === null) return false;
  return Object.entries(condition).some(
    ([operator, keys]) =>
      /^(IpAddress|StringEquals|ArnEquals)$/.test(operator) &&
      typeof keys === "object" &&
      keys !== null &&
      Object.values(keys).every(
        (value) => !["0.0.0.0/0", "::/0", "*"].some((all) => [value].flat().includes(all)),
      ),
  );
}

function reportUnread(resource: JudgedResource, at: string, state: string, context: Context): void {
  context.report(resource, {
    at,
    problem: `the value ${state}`,
    why: "if the value cannot be read, it is unknown who can read the bucket",
    fix: "set the value to a literal, or to an output of a resource in the stack",
  });
}
