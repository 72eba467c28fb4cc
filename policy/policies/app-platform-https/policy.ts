/** Apps redirect to HTTPS, and send their logs and alerts over HTTPS. */
import type { PolicyDefinition } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import { asText, type Tree } from "../../frame/value";
import { appType } from "../../resources/types";

const why = "anyone who can read the network between two hosts can read it, and change it";

export const appPlatformHttps: PolicyDefinition = {
  name: "app-platform-https",
  displayName: "App Platform over HTTPS",
  category: "encryption",
  description:
    "No ingress rule of an App Platform app redirects to plain HTTP, and no log destination, alert or offline page has a plain HTTP address.",
  severity: "high",
  enforcement: alwaysMandatory,
  tags: ["app-platform"],
  types: [appType],
  remediationSteps: "Set scheme of redirects to https, and give endpoints and webhooks https:// addresses.",
  judgeResource(resource, context) {
    if (resource.type !== appType) return;
    for (const { at, problem, fix } of plainParts(resource.inputs.raw("spec") ?? null, "spec"))
      context.report(resource, { at, problem, why, fix });
  },
};

interface PlainPart {
  readonly at: string;
  readonly problem: string;
  readonly fix: string;
}

/** Inputs with an address to which DigitalOcean sends something, or to which it sends visitors. */
const addressInputs = new Set(["endpoint", "url", "offlinePageUrl"]);

function plainParts(tree: Tree, at: string): readonly PlainPart[] {
  if (Array.isArray(tree))
    return (tree as readonly Tree[]).flatMap((item, index) => plainParts(item, `${at}[${index}]`));
  if (typeof tree !== "object" || tree === null) return [];
  return Object.entries(tree as Readonly<Record<string, Tree>>).flatMap(([name, part]) => {
    const place = `${at}.${name}`;
    const text = asText(part);
    // The values of variables belong to the app: encrypted-database-connections checks those of databases.
    if (name === "envs" || text.state === "unknown") return [];
    if (text.state !== "known") return /^[a-zA-Z]{1,40}$/.test(name) ? plainParts(part, place) : [];
    if (name === "scheme" && /^http$/i.test(text.value.trim()))
      return [{ at: place, problem: "it redirects visitors to plain HTTP", fix: 'set scheme to "https"' }];
    if (addressInputs.has(name) && /^\s*http:\/\//i.test(text.value))
      return [{ at: place, problem: "the address is plain HTTP", fix: "use an https:// address" }];
    return [];
  });
}
