/** Database clients use TLS, also for managed databases. */

import type { HostContent } from "../../evidence/content";
import { describeState, dropletType, isEvidenceComponent, readEvidence } from "../../evidence/host";
import { parseUserData } from "../../evidence/user-data";
import { definePolicy, type JudgmentContext } from "../../frame/definition";
import { alwaysMandatory } from "../../frame/enforcement";
import { shownPath } from "../../frame/message";
import type { JudgedResource } from "../../frame/resource";
import { asText, type Tree } from "../../frame/value";
import { type WeakConnection, weakConnections } from "../../parsers/connections";
import { appType, redisConfigType, valkeyConfigType } from "../../resources/types";

const why =
  "anyone who can read the network between two hosts can read the queries, their results and the password";

interface Configuration {
  readonly requireVerifiedIdentity: boolean;
}
type Context = JudgmentContext<Configuration>;

export const encryptedDatabaseConnections = definePolicy({
  name: "encrypted-database-connections",
  displayName: "Encrypted database connections",
  category: "encryption",
  description:
    "Database clients require TLS in their addresses and settings, in user data, evidence and apps; managed Redis and Valkey accept only TLS.",
  severity: "critical",
  enforcement: alwaysMandatory,
  tags: ["database"],
  types: [appType, redisConfigType, valkeyConfigType, dropletType],
  remediationSteps:
    "Add sslmode=require or better to PostgreSQL addresses and ssl-mode=REQUIRED or better to MySQL addresses, use rediss:// and tls=true, and leave ssl of managed Redis and Valkey on.",
  configuration: {
    requireVerifiedIdentity: {
      type: "boolean",
      default: false,
      description: "Require that clients also verify the server's identity (verify-full, VERIFY_IDENTITY).",
    },
  },
  judgeResource(resource, context) {
    if (resource.type === redisConfigType || resource.type === valkeyConfigType)
      judgeServer(resource, context);
    if (resource.type === dropletType) judgeUserData(resource, context);
    if (resource.type === appType) judgeApp(resource, context);
    if (isEvidenceComponent(resource)) {
      for (const { dropletName, content } of readEvidence(resource).entries) {
        for (const { path, weak } of weakFiles(content, context.configuration)) {
          report(resource, `host "${dropletName}", ${shownPath(path)}:${weak.line}`, weak, context);
        }
      }
    }
  },
});

/** TLS is on unless `ssl` is set. */
function judgeServer(config: JudgedResource, context: Context): void {
  const ssl = config.inputs.flag("ssl");
  if (ssl.state === "absent" || (ssl.state === "known" && ssl.value)) return;
  const problem = ssl.state === "known" ? "ssl is false" : `the value ${describeState(ssl)}`;
  report(config, "ssl", { problem, fix: "set ssl to true, or remove it" }, context);
}

function judgeUserData(droplet: JudgedResource, context: Context): void {
  const userData = droplet.inputs.text("userData");
  if (userData.state !== "known") return;
  const parsed = parseUserData(userData.value);
  if (parsed.kind !== "unreadable") {
    for (const { path, weak } of weakFiles(parsed.content, context.configuration)) {
      report(droplet, `userData, ${shownPath(path)}:${weak.line}`, weak, context);
    }
  }
  if (parsed.kind === "cloud-config") {
    const { requireVerifiedIdentity } = context.configuration;
    for (const weak of parsed.content.scripts.flatMap((text) =>
      weakConnections(text, requireVerifiedIdentity),
    ))
      report(droplet, "userData, a command", weak, context);
    return;
  }
  for (const weak of weakConnections(userData.value, context.configuration.requireVerifiedIdentity)) {
    report(droplet, `userData, line ${weak.line}`, weak, context);
  }
}

function weakFiles(
  { files }: HostContent,
  { requireVerifiedIdentity }: Configuration,
): readonly { readonly path: string; readonly weak: WeakConnection }[] {
  return [...files].flatMap(([path, text]) =>
    weakConnections(text, requireVerifiedIdentity).map((weak) => ({ path, weak })),
  );
}

function judgeApp(app: JudgedResource, context: Context): void {
  for (const { at, text } of textsWithin(app.inputs.raw("spec") ?? null, "spec")) {
    for (const weak of weakConnections(text, context.configuration.requireVerifiedIdentity)) {
      report(app, at, weak, context);
    }
  }
}

/** All strings in an app's specification, each with the place of its list. */
function textsWithin(tree: Tree, at: string): readonly { readonly at: string; readonly text: string }[] {
  const text = asText(tree);
  if (text.state === "known") return [{ at, text: text.value }];
  if (typeof tree !== "object" || tree === null) return [];
  // A variable's name and its value together form the setting.
  const { key, value } = tree as { readonly key?: Tree; readonly value?: Tree };
  const name = asText(key);
  const setting = asText(value);
  if (name.state === "known" && setting.state === "known") {
    return [{ at, text: `${name.value}=${setting.value}` }];
  }
  return Object.entries(tree).flatMap(([part, item]) => {
    const isIndex = /^\d+$/.test(part);
    const isName = /^[a-zA-Z]{1,30}$/.test(part);
    return textsWithin(item as Tree, isIndex ? `${at}[${part}]` : isName ? `${at}.${part}` : at);
  });
}

function report(
  resource: JudgedResource,
  at: string,
  { problem, fix }: Pick<WeakConnection, "problem" | "fix">,
  context: Context,
): void {
  context.report(resource, { at, problem, why, fix });
}
